// SPDX-License-Identifier: GPL-2.0-or-later
/* tandem-phone: SIP phones to measure with. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "proto/base/log.h"
#include "proto/base/str.h"
#include "tests/instr/opts.h"
#include "tests/instr/tick.h"
#include "tests/phone/load.h"
#include "tests/phone/phones.h"

struct args {
	const char *user, *via, *local, *domain, *answer, *media, *call;
	const char *call_last, *codec, *ready, *log;
	int users, sip_port, ptime, count, lines, expires, blame_ms;
	int contact_port;
	double register_load;
	double rate, hold, timeout, cancel_after, hold_at, hold_for;
	double answer_after, run_for;
	bool tcp, json, no_register, no_unregister, help, debug;
	bool clear, fill;
};

struct app {
	const struct args *a;
	struct td_psip *sip;
	struct td_phones *phones;
	int64_t start_ms;
	bool ready, report_now;
};

static void print_text(json_t *report)
{
	json_t *s = json_object_get(report, "summary"), *v;
	json_t *p = json_object_get(s, "pattern");
	const char *key;

	printf("registered %lld of %lld, calls %lld\n",
	       (long long)json_integer_value(json_object_get(s, "registered")),
	       (long long)json_integer_value(json_object_get(s, "users")),
	       (long long)json_integer_value(json_object_get(s, "calls")));
	json_object_foreach(json_object_get(s, "results"), key, v)
		printf("%s: %lld\n", key, (long long)json_integer_value(v));
	json_object_foreach(json_object_get(s, "statuses"), key, v)
		printf("status %s: %lld\n", key,
		       (long long)json_integer_value(v));
	if (json_integer_value(json_object_get(p, "calls")))
		printf("pattern: %lld calls, %lld synchronised, %lld clean, "
		       "longest gap %.1f ms, by the machine %.1f ms\n",
		       (long long)json_integer_value(
				json_object_get(p, "calls")),
		       (long long)json_integer_value(
				json_object_get(p, "synced")),
		       (long long)json_integer_value(
				json_object_get(p, "clean")),
		       json_number_value(json_object_get(p, "gap_ms_max")),
		       json_number_value(json_object_get(p,
						"gap_machine_ms_max")));
}

static void print_report(struct app *app)
{
	json_t *r = td_phones_report(app->phones);

	if (app->a->json) {
		json_dumpf(r, stdout, JSON_COMPACT | JSON_REAL_PRECISION(9));
		putchar('\n');
	} else {
		print_text(r);
	}
	fflush(stdout);
	json_decref(r);
}

static void touch(const char *path)
{
	FILE *f = fopen(path, "w");

	if (!f || fclose(f))
		td_info("phone", "%s: %s", path, strerror(errno));
}

static int on_turn(void *arg)
{
	struct app *app = arg;
	int64_t now = td_tick_now_ns() / 1000000;
	int ms = td_phones_turn(app->phones, now);

	if (!app->ready && td_phones_ready(app->phones)) {
		app->ready = true;
		if (app->a->ready)
			touch(app->a->ready);
		td_info("phone", "ready: %d phones", app->a->users);
	}
	if (app->report_now) {
		app->report_now = false;
		print_report(app);
	}
	if (app->a->run_for > 0 &&
	    now - app->start_ms >= app->a->run_for * 1000)
		td_psip_stop(app->sip);
	/* who also answers goes on until he is told */
	if (app->a->call && !app->a->answer &&
	    td_phones_done(app->phones))
		td_psip_stop(app->sip);
	return ms;
}

/* the address from which the kernel would send there */
static int own_address(const char *via, struct in_addr *out)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
				 .sin_port = htons(5060) }, me;
	socklen_t n = sizeof(me);
	char host[128];
	int s, rc = 0;

	if (td_str_copy(host, sizeof(host), via))
		return -EINVAL;
	host[strcspn(host, ":,")] = 0;
	if (inet_pton(AF_INET, host, &a.sin_addr) != 1)
		return -EINVAL;
	s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (s < 0)
		return -errno;
	if (connect(s, (struct sockaddr *)&a, sizeof(a)) ||
	    getsockname(s, (struct sockaddr *)&me, &n))
		rc = -errno;
	close(s);
	if (!rc)
		*out = me.sin_addr;
	return rc;
}

static int words(const struct args *a, struct td_phones_conf *c)
{
	const char *answer = a->answer ? a->answer : "";

	c->media = TD_PHONES_PATTERN;
	if (!strcmp(answer, "pattern") || !strcmp(answer, "echo") ||
	    !strcmp(answer, "silence") || !strcmp(answer, "nothing"))
		c->answer = TD_PHONES_MEDIA;
	else if (!strcmp(answer, "ring"))
		c->answer = TD_PHONES_RING;
	else if (!strcmp(answer, "busy"))
		c->answer = TD_PHONES_BUSY;
	else if (*answer)
		return -EINVAL;
	if (!strcmp(answer, "echo") || !strcmp(a->media, "echo"))
		c->media = TD_PHONES_ECHO;
	else if (!strcmp(answer, "silence") || !strcmp(a->media, "silence"))
		c->media = TD_PHONES_SILENCE;
	else if (!strcmp(answer, "nothing") || !strcmp(a->media, "nothing"))
		c->media = TD_PHONES_NOTHING;
	else if (strcmp(a->media, "pattern"))
		return -EINVAL;
	if (!strcmp(a->codec, "pcma"))
		c->pt = 8;
	else if (strcmp(a->codec, "pcmu"))
		return -EINVAL;
	return 0;
}

static int phones_conf(const struct args *a, struct td_phones_conf *c)
{
	*c = (struct td_phones_conf){
		.users = a->users, .no_register = a->no_register,
		.ring_ms = a->answer_after * 1000, .lines = a->lines,
		.count = a->call ? a->count : 0, .rate = a->rate,
		.hold_ms = a->hold * 1000, .patience_ms = a->timeout * 1000,
		.cancel_ms = a->cancel_after * 1000,
		.hold_at_ms = a->hold_at * 1000,
		.hold_for_ms = a->hold_for * 1000, .ptime_ms = a->ptime,
	};
	if (!a->user || !a->via || !*a->user ||
	    strspn(a->user, "0123456789") != strlen(a->user) ||
	    strlen(a->user) > 15 || a->users < 1 || a->users > 1000 ||
	    a->ptime < 10 || a->ptime > TD_PRTP_PTIME_MAX || a->ptime % 10 ||
	    !(a->rate > 0) || a->rate > 1000 || a->count < 1 ||
	    td_str_copy(c->first, sizeof(c->first), a->user) ||
	    td_str_copy(c->to, sizeof(c->to), a->call ? a->call : "") ||
	    td_str_copy(c->to_last, sizeof(c->to_last),
			a->call_last ? a->call_last : ""))
		return -EINVAL;
	if (a->call_last && (strlen(c->to) > 15 ||
			     atoll(c->to_last) < atoll(c->to)))
		return -EINVAL;
	return words(a, c);
}

static int run(const struct args *a)
{
	struct td_psip_conf sc = {
		.port = a->sip_port, .via = a->via, .domain = a->domain,
		.tcp = a->tcp, .expires_s = a->expires, .ptime_ms = a->ptime,
	};
	struct td_pmedia *media = NULL;
	struct app app = { .a = a };
	struct td_phones_conf pc;
	int rc = phones_conf(a, &pc);

	if (!rc && a->local && inet_pton(AF_INET, a->local, &sc.local) != 1)
		rc = -EINVAL;
	if (rc) {
		fputs("tandem-phone: wrong or missing options, see --help\n",
		      stderr);
		return 2;
	}
	sc.pt = pc.pt;
	if (!a->local)
		rc = own_address(a->via, &sc.local);
	td_psip_block_signals();
	if (!rc)
		rc = td_pmedia_new(sc.local, a->blame_ms, &media);
	if (!rc)
		rc = td_phones_new(&pc, media, &app.phones);
	if (!rc)
		rc = td_psip_new(&sc, td_phones_event, app.phones, &app.sip);
	if (!rc) {
		td_phones_use(app.phones, app.sip);
		app.start_ms = td_tick_now_ns() / 1000000;
		rc = td_psip_run(app.sip, on_turn, &app, &app.report_now);
		td_phones_end(app.phones);
		print_report(&app);
	}
	if (rc)
		fprintf(stderr, "tandem-phone: %s\n", strerror(-rc));
	td_psip_free(app.sip, !a->no_unregister);
	td_phones_free(app.phones);
	td_pmedia_free(media);
	return rc || !app.ready ? 1 : 0;
}

static int run_load(const struct args *a)
{
	struct td_load_conf c = {
		.port = a->sip_port, .users = a->users, .domain = a->domain,
		.rate = a->register_load, .run_s = a->run_for,
		.expires_s = a->expires, .contact_port = a->contact_port,
		.patience_ms = a->timeout * 1000, .clear = a->clear,
		.fill = a->fill,
		.log = a->log, .ready = a->ready,
	};
	int rc;

	if (!a->user || !a->via || td_load_vias(a->via, &c) ||
	    strspn(a->user, "0123456789") != strlen(a->user) ||
	    a->user[0] == '0' || strlen(a->user) > 15 || a->users < 1 ||
	    a->users > TD_LOAD_USERS || !(c.rate > 0) || c.rate > 20000 ||
	    a->contact_port < 1 || a->contact_port > 60000 ||
	    a->expires < 1 ||
	    (a->local && inet_pton(AF_INET, a->local, &c.local) != 1)) {
		fputs("tandem-phone: wrong or missing options, see --help\n",
		      stderr);
		return 2;
	}
	c.first = atoll(a->user);
	rc = a->local ? 0 : own_address(a->via, &c.local);
	td_psip_block_signals();
	if (!rc)
		rc = td_load_run(&c, a->json);
	if (rc)
		fprintf(stderr, "tandem-phone: %s\n", strerror(-rc));
	return rc ? 1 : 0;
}

static int start(const struct args *a, const struct td_opt *table, int argc,
		 char **argv)
{
	int n = td_opts_parse(table, argc, argv);

	if (a->help) {
		puts("tandem-phone --user NUMBER --via ADDR [options]\n"
		     "SIGUSR1: report now; SIGTERM: end and report\n");
		td_opts_help(stdout, table);
		return 0;
	}
	if (n) {
		if (n > 0)
			fprintf(stderr, "what is '%s'?\n", argv[0]);
		return 2;
	}
	if (a->debug)
		td_log_level_set(TD_LOG_DEBUG);
	return a->register_load != 0 ? run_load(a) : run(a);
}

int main(int argc, char **argv)
{
	struct args a = {
		.domain = "tandem.lab", .media = "pattern", .codec = "pcma",
		.users = 1, .ptime = 20, .count = 1, .lines = 4,
		.expires = 600, .blame_ms = 20, .rate = 5, .hold = 10,
		.timeout = 60, .hold_for = 3, .contact_port = 10000,
	};
	const struct td_opt table[] = {
		{ TD_OPT_TEXT, "user", &a.user, "NUMBER", "the first phone" },
		{ TD_OPT_INT, "users", &a.users, "N",
		  "it and the next ones (1)" },
		{ TD_OPT_TEXT, "via", &a.via, "ADDR[:PORT]",
		  "where requests go" },
		{ TD_OPT_FLAG, "tcp", &a.tcp, NULL, "SIP over TCP" },
		{ TD_OPT_TEXT, "local", &a.local, "ADDR", "own address" },
		{ TD_OPT_INT, "sip-port", &a.sip_port, "N", "own (any)" },
		{ TD_OPT_TEXT, "domain", &a.domain, "NAME", "(tandem.lab)" },
		{ TD_OPT_INT, "expires", &a.expires, "S", "(600)" },
		{ TD_OPT_FLAG, "no-register", &a.no_register, NULL,
		  "call, or be called, without" },
		{ TD_OPT_FLAG, "no-unregister", &a.no_unregister, NULL,
		  "stay registered in the end" },
		{ TD_OPT_TEXT, "answer", &a.answer, "HOW",
		  "pattern, echo, silence, nothing (no RTP); ring for "
		  "ever; busy" },
		{ TD_OPT_REAL, "answer-after", &a.answer_after, "S",
		  "ring that long first" },
		{ TD_OPT_INT, "lines", &a.lines, "N",
		  "calls a phone takes at once (4)" },
		{ TD_OPT_TEXT, "call", &a.call, "NUMBER", "place calls" },
		{ TD_OPT_TEXT, "call-last", &a.call_last, "NUMBER",
		  "… to this one, one after another" },
		{ TD_OPT_INT, "count", &a.count, "N", "how many (1)" },
		{ TD_OPT_REAL, "rate", &a.rate, "R", "calls a second (5)" },
		{ TD_OPT_REAL, "hold", &a.hold, "S",
		  "seconds after the answer, 0: until the end (10)" },
		{ TD_OPT_REAL, "timeout", &a.timeout, "S",
		  "patience for an answer (60)" },
		{ TD_OPT_REAL, "cancel-after", &a.cancel_after, "S",
		  "give up a call that rings" },
		{ TD_OPT_REAL, "hold-at", &a.hold_at, "S",
		  "put the call on hold that long after the answer" },
		{ TD_OPT_REAL, "hold-for", &a.hold_for, "S", "(3)" },
		{ TD_OPT_REAL, "register-load", &a.register_load, "RATE",
		  "nothing but REGISTER, that many a second; --via A,B; "
		  "--timeout 4" },
		{ TD_OPT_TEXT, "log", &a.log, "FILE",
		  "its book, a line an answer" },
		{ TD_OPT_INT, "contact-port", &a.contact_port, "N",
		  "of a user's first contact, counting up (10000)" },
		{ TD_OPT_FLAG, "clear", &a.clear, NULL,
		  "each user once: removes all its contacts" },
		{ TD_OPT_FLAG, "fill", &a.fill, NULL,
		  "nothing but new contacts" },
		{ TD_OPT_TEXT, "media", &a.media, "WHAT",
		  "pattern, echo, silence, nothing" },
		{ TD_OPT_TEXT, "codec", &a.codec, "NAME", "pcma, pcmu" },
		{ TD_OPT_INT, "ptime", &a.ptime, "MS", "(20)" },
		{ TD_OPT_REAL, "for", &a.run_for, "S", "end after that" },
		{ TD_OPT_TEXT, "ready", &a.ready, "FILE",
		  "made when all are registered" },
		{ TD_OPT_INT, "blame-ms", &a.blame_ms, "N",
		  "own pauses from here on excuse gaps (20)" },
		{ TD_OPT_FLAG, "json", &a.json, NULL, "report in JSON" },
		{ TD_OPT_FLAG, "debug", &a.debug, NULL, "say more" },
		{ TD_OPT_FLAG, "help", &a.help, NULL, "this" },
		{ TD_OPT_END },
	};

	return start(&a, table, argc - 1, argv + 1);
}
