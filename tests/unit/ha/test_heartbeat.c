// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ha/heartbeat.h"

static const uint8_t key[] = "a key of the cluster";

/* Three members on loopback addresses of this process alone; the third has
 * one network only. */
struct net {
	struct td_peer p[3];
};

static void address(char *out, unsigned int host)
{
	unsigned int pid = (unsigned int)getpid();

	sprintf(out, "127.%u.%u.%u", 64 + pid / 256 % 128, pid % 256, host);
}

static struct net net(void)
{
	static const uint32_t ids[] = { 1, 2, 9 };
	struct net n = { 0 };

	for (unsigned int i = 0; i < 3; i++) {
		n.p[i].id = ids[i];
		sprintf(n.p[i].name, "n%u", ids[i]);
		address(n.p[i].address[0], ids[i]);
		if (ids[i] != 9)
			address(n.p[i].address[1], 100 + ids[i]);
	}
	return n;
}

struct world {
	struct td_loop *loop;
	struct td_beats *a, *b, *w;
	unsigned int heard, want;
	uint64_t seq[8];
};

static void on_heard(void *arg, const Td__Heartbeat *m)
{
	struct world *w = arg;

	if (w->heard < 8)
		w->seq[w->heard] = m->seq;
	if (++w->heard == w->want)
		td_loop_stop(w->loop);
}

static struct td_beats *member(struct world *w, uint32_t id, const uint8_t *k,
			       size_t n)
{
	struct net all = net();
	struct td_beats_cfg cfg = {
		.loop = w->loop, .node_id = id, .peers = all.p, .n_peers = 3,
		.key = k, .n_key = n, .heard = on_heard, .arg = w,
	};
	struct td_beats *b;

	assert_int_equal(td_beats_new(&cfg, &b), 0);
	return b;
}

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	assert_int_equal(td_loop_new(&w->loop), 0);
	w->a = member(w, 1, key, sizeof(key));
	w->b = member(w, 2, key, sizeof(key));
	w->w = member(w, 9, key, sizeof(key));
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	td_beats_free(w->a);
	td_beats_free(w->b);
	td_beats_free(w->w);
	td_loop_free(w->loop);
	free(w);
	return 0;
}

static void say(struct td_beats *b, uint32_t from, uint32_t to, uint64_t seq)
{
	Td__Heartbeat m = TD__HEARTBEAT__INIT;

	m.from = from;
	m.seq = seq;
	td_beats_send(b, to, &m);
}

static void run(struct world *w, unsigned int want)
{
	w->want = want;
	if (w->heard < want)
		td_loop_run(w->loop);
	assert_int_equal(w->heard, want);
}

static json_int_t count(const struct td_beats *b, const char *name)
{
	json_t *o = td_beats_dump(b);
	json_int_t n = json_integer_value(json_object_get(o, name));

	json_decref(o);
	return n;
}

static void a_heartbeat_comes_on_every_network_that_both_have(void **state)
{
	struct world *w = *state;

	say(w->a, 1, 2, 41);
	run(w, 2);
	assert_int_equal(w->seq[0], 41);
	assert_int_equal(w->seq[1], 41);
	say(w->a, 1, 9, 42);
	run(w, 3);
	assert_int_equal(w->seq[2], 42);
}

static void nobody_speaks_for_another_or_without_the_key(void **state)
{
	struct world *w = *state;
	struct net all = net();
	struct td_beats_cfg cfg = {
		.loop = w->loop, .node_id = 9, .peers = all.p, .n_peers = 3,
		.heard = on_heard, .arg = w,
	};
	struct td_beats *stranger;

	td_beats_free(w->w);
	w->w = NULL;
	assert_int_equal(td_beats_new(&cfg, &stranger), 0);
	say(stranger, 9, 2, 1);	/* no key */
	td_beats_free(stranger);
	w->w = member(w, 9, key, sizeof(key));
	say(w->w, 1, 2, 2);		/* in n1's name */
	say(w->w, 9, 2, 3);
	run(w, 1);
	assert_int_equal(w->seq[0], 3);
	assert_int_equal(count(w->b, "unauthentic"), 1);
	assert_int_equal(count(w->b, "foreign"), 1);
}

static void garbage_is_counted(void **state)
{
	struct world *w = *state;
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_port = htons(TD_HEARTBEAT_PORT) };
	struct sockaddr_in from = { .sin_family = AF_INET };
	struct net all = net();
	uint8_t buf[2048];
	unsigned int seed = 7, n = 0;
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	inet_pton(AF_INET, all.p[1].address[0], &to.sin_addr);
	inet_pton(AF_INET, all.p[2].address[0], &from.sin_addr);
	assert_int_equal(bind(fd, (struct sockaddr *)&from, sizeof(from)), 0);
	for (; n < 40; n++) {
		size_t len = (size_t)rand_r(&seed) % 200;

		for (size_t i = 0; i < len; i++)
			buf[i] = (uint8_t)rand_r(&seed);
		sendto(fd, buf, len, 0, (struct sockaddr *)&to, sizeof(to));
	}
	close(fd);
	say(w->w, 9, 2, 3);
	run(w, 1);
	assert_int_equal(count(w->b, "malformed"), n);
}

static void a_sealed_datagram_opens_only_as_it_was(void **state)
{
	Td__Heartbeat m = TD__HEARTBEAT__INIT, *got = NULL;
	uint8_t buf[256];
	size_t n;

	m.from = 3;
	m.seq = 5;
	assert_int_equal(td_beats_seal(key, sizeof(key), &m, buf, sizeof(buf),
				       &n), 0);
	assert_int_equal(td_beats_open(key, sizeof(key), buf, n, &got), 0);
	assert_int_equal(got->seq, 5);
	td_heartbeat_free(got);
	got = NULL;
	for (size_t bit = 0; bit < n * 8; bit++) {
		buf[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_int_not_equal(td_beats_open(key, sizeof(key), buf, n,
						   &got), 0);
		buf[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	for (size_t k = 0; k < n; k++)
		assert_int_not_equal(td_beats_open(key, sizeof(key), buf, k,
						   &got), 0);
	assert_null(got);
	assert_int_equal(td_beats_seal(key, sizeof(key), &m, buf, 10, &n),
			 -EMSGSIZE);
}

static void an_address_that_is_a_name_is_refused(void **state)
{
	struct td_peer named[] = {
		{ 1, "n1", { "127.77.1.3", "" } },
		{ 2, "n2", { "n2.example", "" } },
	};
	struct td_beats_cfg cfg = { .node_id = 1, .peers = named,
				    .n_peers = 2 };
	struct td_beats *b = NULL;

	assert_int_equal(td_loop_new(&cfg.loop), 0);
	assert_int_equal(td_beats_new(&cfg, &b), -EINVAL);
	assert_null(b);
	td_loop_free(cfg.loop);
}

int main(void)
{
#define CASE(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(a_heartbeat_comes_on_every_network_that_both_have),
		CASE(nobody_speaks_for_another_or_without_the_key),
		CASE(garbage_is_counted),
		cmocka_unit_test(a_sealed_datagram_opens_only_as_it_was),
		cmocka_unit_test(an_address_that_is_a_name_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
