// SPDX-License-Identifier: GPL-2.0-or-later
#include "dialogs.h"

/* Connections that are one too many, and such as say nothing, on the wire. */

static int another(struct rig *r)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		.sin_port = htons(r->port) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (void *)&a, sizeof(a)), 0);
	return fd;
}

/** Waits until the other side has closed it; anything that came is a
 *  failure. */
static void is_closed(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char c;

	assert_int_equal(poll(&p, 1, RIG_WAIT_MS), 1);
	assert_true(recv(fd, &c, 1, 0) <= 0);
	close(fd);
}

static void alive(struct rig *r, unsigned int cseq)
{
	struct rig_req q = { .method = "OPTIONS", .uri = "sip:tandem.lab",
			     .user = "1000", .call_id = "tcp@rig",
			     .cseq = cseq };

	rig_request(r, &q);
	td_sip_msg_free(rig_expect(r, 200));
}

static json_int_t counter(struct rig *r, const char *name)
{
	json_t *d = td_sip_dump(r->sip);
	json_int_t n = json_integer_value(json_object_get(
		json_object_get(d, "counters"), name));

	json_decref(d);
	return n;
}

static void a_source_has_so_many_connections_and_no_more(void **state)
{
	struct rig *r = rig_new_timed("tandem.lab", true, &(struct rig_times){
		.t1x64_ms = 8000, .max_tcp_source = 2 });
	int fd = another(r);

	alive(r, 1);
	for (int i = 0; i < 3; i++)
		is_closed(another(r));
	alive(r, 2);
	assert_int_equal(counter(r, "tcp_refused"), 3);
	assert_int_equal(counter(r, "tcp_connections"), 2);
	/* one that goes makes room */
	close(fd);
	for (int i = 0; i < 2000 && counter(r, "tcp_connections") == 2; i++)
		poll(NULL, 0, 5);
	assert_int_equal(counter(r, "tcp_connections"), 1);
	fd = another(r);
	alive(r, 3);
	for (int i = 0; i < 2000 && counter(r, "tcp_connections") == 1; i++)
		poll(NULL, 0, 5);
	assert_int_equal(counter(r, "tcp_connections"), 2);
	close(fd);
	rig_free(r);
}

static void half_open_and_half_said_ones_are_closed(void **state)
{
	struct rig *r = rig_new_timed("tandem.lab", true, &(struct rig_times){
		.t1x64_ms = 8000, .tcp_first_ms = 3000 });
	int mute = another(r), slow = another(r);

	alive(r, 1);
	assert_int_equal(send(slow, "OPTIONS sip:", 12, 0), 12);
	is_closed(mute);
	is_closed(slow);
	assert_int_equal(counter(r, "tcp_slow"), 2);
	alive(r, 2);			/* a phone that has spoken stays */
	assert_int_equal(counter(r, "tcp_connections"), 1);
	rig_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_source_has_so_many_connections_and_no_more),
		cmocka_unit_test(half_open_and_half_said_ones_are_closed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
