// SPDX-License-Identifier: GPL-2.0-or-later
#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "proto/base/log.h"
#include "tests/instr/tick.h"
#include "tests/instr/check.h"
#include "tests/phone/phones.h"

/* Two processes on the loopback: 1001 answers in the child, 1000 calls. What
 * is judged is what happened, never how quickly. */

struct side {
	bool registers;
	struct td_phones_conf conf;
	struct td_psip_conf sip_conf;
	struct td_pmedia *media;
	struct td_phones *phones;
	struct td_psip *sip;
};

static int open_side(struct side *s, const char *number, const char *via,
		     bool tcp)
{
	int rc;

	strcpy(s->conf.first, number);
	s->conf.users = 1;
	s->conf.no_register = !s->registers;
	s->conf.lines = 4;
	s->conf.rate = 100;
	s->conf.patience_ms = s->conf.patience_ms ? s->conf.patience_ms :
						    10000;
	s->conf.pt = 8;
	s->conf.ptime_ms = 20;
	s->sip_conf = (struct td_psip_conf){
		.local.s_addr = htonl(INADDR_LOOPBACK), .via = via,
		.domain = "tandem.lab", .tcp = tcp, .expires_s = 60, .pt = 8,
		.ptime_ms = 20,
	};
	rc = td_pmedia_new(s->sip_conf.local, 20, &s->media);
	if (!rc)
		rc = td_phones_new(&s->conf, s->media, &s->phones);
	if (!rc)
		rc = td_psip_new(&s->sip_conf, td_phones_event, s->phones,
				 &s->sip);
	if (!rc)
		td_phones_use(s->phones, s->sip);
	return rc;
}

static json_t *close_side(struct side *s)
{
	json_t *r;

	td_phones_end(s->phones);
	r = td_phones_report(s->phones);
	td_psip_free(s->sip, true);
	td_phones_free(s->phones);
	td_pmedia_free(s->media);
	return r;
}

static int on_turn(void *arg)
{
	struct side *s = arg;
	int ms = td_phones_turn(s->phones, td_tick_now_ns() / 1000000);

	if (s->conf.count && td_phones_done(s->phones))
		td_psip_stop(s->sip);
	return ms;
}

static void child(const struct td_phones_conf *conf, int fd)
{
	struct side s = { .conf = *conf };
	uint16_t port;

	if (open_side(&s, "1001", "127.0.0.1:9", false))
		_exit(1);
	port = td_psip_port(s.sip);
	if (write(fd, &port, sizeof(port)) != sizeof(port))
		_exit(1);
	td_psip_run(s.sip, on_turn, &s, NULL);
	json_dumpfd(close_side(&s), fd, JSON_COMPACT);
	_exit(0);
}

/* @param[out] caller, callee  the first call of each, new references */
static void play(const struct td_phones_conf *answer,
		 const struct td_phones_conf *call, bool tcp, json_t **caller,
		 json_t **callee)
{
	struct side s = { .conf = *call };
	json_t *mine, *theirs;
	int fds[2], status;
	uint16_t port;
	char via[32];
	pid_t pid;

	assert_int_equal(pipe(fds), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		close(fds[0]);
		child(answer, fds[1]);
	}
	close(fds[1]);
	assert_int_equal(read(fds[0], &port, sizeof(port)), sizeof(port));
	snprintf(via, sizeof(via), "127.0.0.1:%u", port);
	strcpy(s.conf.to, "1001");
	s.conf.count = 1;
	assert_int_equal(open_side(&s, "1000", via, tcp), 0);
	assert_int_equal(td_psip_run(s.sip, on_turn, &s, NULL), 0);
	mine = close_side(&s);
	kill(pid, SIGTERM);
	theirs = json_loadfd(fds[0], JSON_DISABLE_EOF_CHECK, NULL);
	close(fds[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_non_null(theirs);
	*caller = json_incref(json_array_get(json_object_get(mine, "calls"),
					     0));
	*callee = json_incref(json_array_get(json_object_get(theirs, "calls"),
					     0));
	json_decref(mine);
	json_decref(theirs);
	assert_non_null(*caller);
	assert_non_null(*callee);
}

static const char *word(json_t *j, const char *key)
{
	const char *s = json_string_value(json_object_get(j, key));

	return s ? s : "";
}

static int64_t num(json_t *j, const char *key)
{
	return json_integer_value(json_object_get(j, key));
}

static bool truth(json_t *j, const char *key)
{
	return json_is_true(json_object_get(j, key));
}

/* a pause of the machine may cost octets, but none is ever another */
static void heard_the_pattern(json_t *call)
{
	json_t *p = json_object_get(call, "pattern");

	assert_true(truth(p, "synced"));
	assert_true(num(p, "checked") > 800);
	assert_int_equal(num(p, "altered"), 0);
}

static void a_call_is_answered_and_heard_both_ways(void **state)
{
	const struct td_phones_conf answer = { .answer = TD_PHONES_MEDIA };
	const struct td_phones_conf call = { .hold_ms = 700 };
	json_t *a, *b, *src;

	for (int tcp = 0; tcp < 2; tcp++) {
		play(&answer, &call, tcp, &a, &b);
		assert_string_equal(word(a, "result"), "answered");
		assert_string_equal(word(b, "result"), "answered");
		assert_string_equal(word(a, "cleared_by"), "us");
		assert_string_equal(word(b, "cleared_by"), "peer");
		assert_string_equal(word(a, "call_id"), word(b, "call_id"));
		assert_int_equal(num(a, "progress"), 180);
		heard_the_pattern(a);
		heard_the_pattern(b);
		src = json_object_get(json_object_get(a, "rtp"), "sources");
		assert_int_equal(json_array_size(src), 1);
		assert_int_equal(num(json_array_get(src, 0), "port"),
				 num(json_object_get(b, "rtp"), "port"));
		json_decref(a);
		json_decref(b);
	}
}

static void a_busy_phone_says_486(void **state)
{
	const struct td_phones_conf answer = { .answer = TD_PHONES_BUSY };
	const struct td_phones_conf call = { .hold_ms = 700 };
	json_t *a, *b;

	play(&answer, &call, false, &a, &b);
	assert_string_equal(word(a, "result"), "rejected");
	assert_int_equal(num(a, "status"), 486);
	assert_int_equal(num(b, "status"), 486);
	json_decref(a);
	json_decref(b);
}

static void a_cancelled_call_ends_with_487(void **state)
{
	const struct td_phones_conf answer = { .answer = TD_PHONES_RING };
	const struct td_phones_conf call = { .cancel_ms = 100 };
	json_t *a, *b;

	play(&answer, &call, false, &a, &b);
	assert_string_equal(word(a, "result"), "cancelled");
	assert_int_equal(num(a, "status"), 487);
	assert_string_equal(word(b, "result"), "cancelled");
	assert_string_equal(word(b, "cleared_by"), "peer");
	json_decref(a);
	json_decref(b);
}

static void hold_stops_the_check_and_resume_starts_it(void **state)
{
	const struct td_phones_conf answer = { .answer = TD_PHONES_MEDIA };
	const struct td_phones_conf call = {
		.hold_ms = 1500, .hold_at_ms = 300, .hold_for_ms = 400,
	};
	json_t *a, *b;

	play(&answer, &call, false, &a, &b);
	assert_true(truth(a, "held"));
	assert_true(truth(b, "held_by_peer"));
	heard_the_pattern(a);
	heard_the_pattern(b);
	/* while on hold the callee sent nothing */
	assert_true(num(json_object_get(a, "rtp"), "received") <
		    num(json_object_get(b, "rtp"), "received"));
	json_decref(a);
	json_decref(b);
}

static void an_echo_comes_back_with_our_own_phase(void **state)
{
	const struct td_phones_conf answer = {
		.answer = TD_PHONES_MEDIA, .media = TD_PHONES_ECHO,
	};
	const struct td_phones_conf call = { .hold_ms = 900 };
	json_t *a, *b;

	play(&answer, &call, false, &a, &b);
	heard_the_pattern(a);
	assert_int_equal(num(json_object_get(a, "pattern"), "phase"),
			 TD_PHASES / 2);
	assert_null(json_object_get(b, "pattern"));
	json_decref(a);
	json_decref(b);
}

/* No registrar, or one that says 503: patience ends it, whatever happens. */
static void who_cannot_register_gives_up_in_time(void **state)
{
	struct side a = { .registers = true };

	strcpy(a.conf.to, "1001");
	a.conf.count = 1;
	a.conf.patience_ms = 5000;
	assert_int_equal(open_side(&a, "1000", "127.0.0.1:9", false), 0);
	td_phones_turn(a.phones, 100000);
	assert_false(td_phones_done(a.phones));
	td_phones_turn(a.phones, 104999);
	assert_false(td_phones_done(a.phones));
	td_phones_turn(a.phones, 105000);
	assert_true(td_phones_done(a.phones));
	json_decref(close_side(&a));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_call_is_answered_and_heard_both_ways),
		cmocka_unit_test(a_busy_phone_says_486),
		cmocka_unit_test(a_cancelled_call_ends_with_487),
		cmocka_unit_test(hold_stops_the_check_and_resume_starts_it),
		cmocka_unit_test(an_echo_comes_back_with_our_own_phase),
		cmocka_unit_test(who_cannot_register_gives_up_in_time),
	};

	alarm(60);		/* a call that never ends is a failure */
	td_log_level_set(TD_LOG_WARN);
	td_psip_block_signals();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
