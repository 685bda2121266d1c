// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "node/api/control.h"
#include "tests/unit/api/rig.h"

struct fix {
	struct td_loop *loop;
	struct td_control *control;
	char dir[64], path[100];
	struct client client;
	struct td_control_req *kept;
	struct td_timer timer;
	char who[80];
	size_t big;
	unsigned int asked;
};

static void start(struct fix *f, const struct td_control_limits *lim)
{
	assert_int_equal(td_control_new(f->loop, f->path, lim, &f->control), 0);
}

static int setup(void **state)
{
	struct fix *f = calloc(1, sizeof(*f));

	strcpy(f->dir, "/tmp/td-control-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->path, sizeof(f->path), "%s/control.sock", f->dir);
	assert_int_equal(td_loop_new(&f->loop), 0);
	f->client.path = f->path;
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fix *f = *state;

	td_timer_stop(&f->timer);
	td_control_free(f->control);
	td_loop_free(f->loop);
	td_reply_free(f->client.reply);
	assert_int_equal(rmdir(f->dir), 0);
	free(f);
	return 0;
}

static void on_now(void *arg, struct td_control_req *req)
{
	struct fix *f = arg;

	f->asked++;
	snprintf(f->who, sizeof(f->who), "%s", td_control_who(req));
	td_control_reply_json(req, json_pack("{s:i}", "calls", 7));
}

static void on_time(void *arg)
{
	struct fix *f = arg;

	td_control_reply_json(f->kept, json_array());
	f->kept = NULL;
}

static void on_later(void *arg, struct td_control_req *req)
{
	struct fix *f = arg;

	f->asked++;
	f->kept = req;
	assert_string_equal(td_control_arg(req, 0), "12");
	assert_null(td_control_arg(req, 1));
	td_timer_start(f->loop, &f->timer, 1, on_time, f);
}

static void on_big(void *arg, struct td_control_req *req)
{
	struct fix *f = arg;
	char *s = malloc(f->big + 1);

	f->asked++;
	memset(s, 'x', f->big);
	s[f->big] = '\0';
	td_control_reply_json(req, json_string(s));
	free(s);
}

static void ask(struct fix *f, const char *verb, int status)
{
	f->client.verb = verb;
	client_ask(f->loop, &f->client);
	if (f->client.rc)
		print_message("%s\n", f->client.why);
	assert_int_equal(f->client.rc, 0);
	assert_int_equal(f->client.reply->status, status);
}

static void answers_come_at_once_or_later(void **state)
{
	struct fix *f = *state;
	struct td_control_stats st;

	start(f, NULL);
	assert_int_equal(td_control_register(f->control, "status", on_now, f),
			 0);
	assert_int_equal(td_control_register(f->control, "call show", on_later,
					     f), 0);
	assert_int_equal(td_control_register(f->control, "status", on_now, f),
			 -EEXIST);
	assert_int_equal(td_control_register(f->control, "dance", on_now, f),
			 -ENOENT);
	ask(f, "status", 0);
	assert_string_equal(f->client.reply->json, "{\"calls\":7}");
	f->client.args[0] = "12";
	ask(f, "call show", 0);
	assert_string_equal(f->client.reply->json, "[]");
	td_control_stats(f->control, &st);
	assert_int_equal(st.requests, 2);
	assert_int_equal(st.answered, 2);
}

static void requests_are_checked_against_the_table(void **state)
{
	struct fix *f = *state;

	start(f, NULL);
	td_control_register(f->control, "status", on_now, f);
	td_control_register(f->control, "call show", on_later, f);
	ask(f, "dance", 2);
	ask(f, "", 2);
	ask(f, "call show", 2);
	ask(f, "node list", 1);
	assert_non_null(strstr(f->client.reply->error, "does not serve"));
	f->client.args[0] = "12";
	ask(f, "status", 2);
	f->client.args[0] = NULL;
	f->client.options[0] = "colour";
	f->client.options[1] = "red";
	ask(f, "status", 2);
	f->client.options[0] = "watch";
	ask(f, "status", 2);
	f->client.options[1] = "";
	ask(f, "status", 0);
	assert_int_equal(f->asked, 1);
}

static void the_asker_is_known(void **state)
{
	struct fix *f = *state;
	char want[64] = "root";

	start(f, NULL);
	td_control_register(f->control, "status", on_now, f);
	if (getuid())
		snprintf(want, sizeof(want), "uid %u", getuid());
	ask(f, "status", 0);
	assert_string_equal(f->who, want);
	f->client.who = "olle";
	ask(f, "status", 0);
	assert_string_equal(f->who, "olle");
}

static void a_large_answer_arrives_whole(void **state)
{
	struct fix *f = *state;

	start(f, NULL);
	td_control_register(f->control, "call list", on_big, f);
	f->big = 5 * 1024 * 1024;
	ask(f, "call list", 0);
	assert_int_equal(strlen(f->client.reply->json), f->big + 2);
	/* more than the wire takes: the client is not left waiting */
	f->big = TD_CONTROL_MAX_OCTETS;
	f->client.verb = "call list";
	client_ask(f->loop, &f->client);
	assert_int_equal(f->client.rc, -ECONNRESET);
}

static size_t frame(const char *verb, uint8_t *out)
{
	Td__Request r = TD__REQUEST__INIT;
	uint8_t *buf;
	size_t n;

	r.verb = (char *)verb;
	assert_int_equal(td_request_pack(&r, &buf, &n), 0);
	out[0] = out[1] = out[2] = 0;
	out[3] = n;
	memcpy(out + 4, buf, n);
	free(buf);
	return n + 4;
}

static bool asked_three(void *arg)
{
	return ((struct fix *)arg)->asked == 3;
}

static void requests_in_one_packet_are_served_in_turn(void **state)
{
	struct fix *f = *state;
	uint8_t buf[256];
	size_t n = 0;
	int fd;

	start(f, NULL);
	td_control_register(f->control, "status", on_now, f);
	fd = raw_connect(f->path);
	for (int i = 0; i < 3; i++)
		n += frame("status", buf + n);
	assert_int_equal(send(fd, buf, n, 0), n);
	wait_for(f->loop, asked_three, f);
	close(fd);
}

static void nonsense_ends_the_connection(void **state)
{
	static const uint8_t huge[] = { 0xff, 0xff, 0xff, 0xff, 0 };
	static const uint8_t junk[] = { 0, 0, 0, 3, 0xff, 0xff, 0xff };
	struct fix *f = *state;
	struct td_control_stats st;
	int fd;

	start(f, NULL);
	fd = raw_connect(f->path);
	send(fd, huge, sizeof(huge), 0);
	wait_for(f->loop, raw_ended, &fd);
	close(fd);
	fd = raw_connect(f->path);
	send(fd, junk, sizeof(junk), 0);
	wait_for(f->loop, raw_ended, &fd);
	close(fd);
	td_control_stats(f->control, &st);
	assert_int_equal(st.malformed, 2);
}

static bool is_drained(void *arg)
{
	struct td_control_stats st;

	td_control_stats(((struct fix *)arg)->control, &st);
	return st.requests + st.malformed >= 400;
}

static void mutated_requests_are_answered_or_dropped(void **state)
{
	struct td_control_limits lim = { .clients = 400,
					 .request_octets = 4096 };
	struct fix *f = *state;
	unsigned int seed = 99;
	int fd[400];

	start(f, &lim);
	td_control_register(f->control, "status", on_now, f);
	for (int i = 0; i < 400; i++) {
		uint8_t buf[64];
		size_t n = frame(i % 2 ? "status" : "config import", buf);

		/* the length stays: each of them is a whole request */
		for (int k = rand_r(&seed) % 4; k > 0; k--)
			buf[4 + rand_r(&seed) % (n - 4)] = rand_r(&seed);
		fd[i] = raw_connect(f->path);
		assert_int_equal(send(fd[i], buf, n, 0), n);
		if (i % 16 == 15) {	/* no more than the backlog */
			f->client.verb = "status";
			client_ask(f->loop, &f->client);
		}
	}
	wait_for(f->loop, is_drained, f);
	for (int i = 0; i < 400; i++)
		close(fd[i]);
	ask(f, "status", 0);
}

static bool hung_up(void *arg)
{
	struct fix *f = arg;
	struct td_control_stats st;

	td_control_stats(f->control, &st);
	return st.slow > 0;
}

static void a_request_that_does_not_end_is_dropped(void **state)
{
	struct td_control_limits lim = { .io_ms = 30 };
	struct fix *f = *state;
	int fd;

	start(f, &lim);
	fd = raw_connect(f->path);
	send(fd, "\0\0\0\10x", 5, 0);
	wait_for(f->loop, hung_up, f);
	wait_for(f->loop, raw_ended, &fd);
	close(fd);
}

static void a_client_that_takes_no_answer_is_dropped(void **state)
{
	struct td_control_limits lim = { .io_ms = 30 };
	struct fix *f = *state;
	uint8_t buf[64];
	int fd;

	start(f, &lim);
	td_control_register(f->control, "status", on_big, f);
	f->big = 8 * 1024 * 1024;
	fd = raw_connect(f->path);
	send(fd, buf, frame("status", buf), 0);
	wait_for(f->loop, hung_up, f);
	close(fd);
}

static bool is_kept(void *arg)
{
	return ((struct fix *)arg)->kept != NULL;
}

static bool is_answered(void *arg)
{
	return ((struct fix *)arg)->kept == NULL;
}

static void on_keep(void *arg, struct td_control_req *req)
{
	((struct fix *)arg)->kept = req;
}

static void an_answer_outlives_its_client_and_the_server(void **state)
{
	struct fix *f = *state;
	struct td_control_stats st;
	uint8_t buf[64];
	int fd;

	start(f, NULL);
	td_control_register(f->control, "status", on_keep, f);
	fd = raw_connect(f->path);
	send(fd, buf, frame("status", buf), 0);
	wait_for(f->loop, is_kept, f);
	close(fd);
	td_timer_start(f->loop, &f->timer, 20, on_time, f);
	wait_for(f->loop, is_answered, f);
	td_control_stats(f->control, &st);
	assert_int_equal(st.answered, 0);

	fd = raw_connect(f->path);
	send(fd, buf, frame("status", buf), 0);
	wait_for(f->loop, is_kept, f);
	td_control_free(f->control);
	f->control = NULL;
	on_time(f);
	close(fd);
}

static void more_clients_than_the_limit_are_refused(void **state)
{
	struct td_control_limits lim = { .clients = 2 };
	struct fix *f = *state;
	struct td_control_stats st;
	int fd[3];

	start(f, &lim);
	for (int i = 0; i < 3; i++)
		fd[i] = raw_connect(f->path);
	wait_for(f->loop, raw_ended, &fd[2]);
	td_control_stats(f->control, &st);
	assert_int_equal(st.accepted, 2);
	assert_int_equal(st.refused, 1);
	/* a place becomes free */
	close(fd[0]);
	td_control_register(f->control, "status", on_now, f);
	do {
		f->client.verb = "status";
		client_ask(f->loop, &f->client);
	} while (f->client.rc);
	close(fd[1]);
	close(fd[2]);
}

static void a_path_in_use_is_left_alone_a_dead_one_taken(void **state)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	struct fix *f = *state;
	struct td_control *second;
	FILE *file;
	int fd;

	start(f, NULL);
	assert_int_equal(td_control_new(f->loop, f->path, NULL, &second),
			 -EADDRINUSE);
	td_control_free(f->control);
	strcpy(a.sun_path, f->path);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	close(fd);
	start(f, NULL);
	td_control_free(f->control);
	f->control = NULL;
	/* never a file that is no socket */
	file = fopen(f->path, "w");
	fclose(file);
	assert_int_equal(td_control_new(f->loop, f->path, NULL, &second),
			 -EADDRINUSE);
	unlink(f->path);
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(answers_come_at_once_or_later),
		CASE(requests_are_checked_against_the_table),
		CASE(the_asker_is_known),
		CASE(a_large_answer_arrives_whole),
		CASE(requests_in_one_packet_are_served_in_turn),
		CASE(nonsense_ends_the_connection),
		CASE(mutated_requests_are_answered_or_dropped),
		CASE(a_request_that_does_not_end_is_dropped),
		CASE(a_client_that_takes_no_answer_is_dropped),
		CASE(an_answer_outlives_its_client_and_the_server),
		CASE(more_clients_than_the_limit_are_refused),
		CASE(a_path_in_use_is_left_alone_a_dead_one_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
