// SPDX-License-Identifier: GPL-2.0-or-later
/* tandem-exchange: a public exchange to measure against. */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proto/base/log.h"
#include "tests/exchange/control.h"
#include "tests/exchange/wiring.h"
#include "tests/instr/opts.h"
#include "tests/instr/tick.h"

struct app {
	struct td_loop *loop;
	struct td_xengine *engine;
	struct td_xcalls *calls;
	struct td_xcontrol *control;
	struct td_timer timer;
	struct td_xengine_conf conf;
};

static void kick(void *arg)
{
	struct app *a = arg;
	int ms = td_xcalls_run(a->calls, td_tick_now_ns() / 1000000);

	td_timer_start(a->loop, &a->timer, ms, kick, a);
}

static void on_frames(void *arg, int fd, int revents)
{
	uint64_t n;

	if (read(fd, &n, sizeof(n)) == sizeof(n))
		kick(arg);
}

static void on_signal(void *arg, int sig)
{
	struct app *a = arg;

	td_loop_stop(a->loop);
}

static void lock(void *arg)
{
	td_xengine_lock(arg);
}

static void unlock(void *arg)
{
	td_xengine_unlock(arg);
}

static int set_up(struct app *a, const char *socket)
{
	struct td_xcalls_conf cc = {
		.n_lines = a->conf.n_lines, .lock = lock, .unlock = unlock,
	};
	int rc = td_loop_new(&a->loop);

	if (!rc)
		rc = td_xengine_new(&a->conf, &a->engine);
	if (rc)
		return rc;
	cc.arg = a->engine;
	cc.pauses = td_xengine_pauses(a->engine);
	for (int i = 0; i < cc.n_lines; i++)
		cc.line[i] = td_xengine_line(a->engine, i);
	rc = td_xcalls_new(&cc, &a->calls);
	if (!rc)
		rc = td_xcontrol_new(a->loop, socket, a->calls, a->engine,
				     &a->conf, kick, a, &a->control);
	if (!rc)
		rc = td_loop_fd_add(a->loop, td_xengine_fd(a->engine), 1,
				    on_frames, a);
	if (!rc)
		rc = td_loop_signal_add(a->loop, SIGTERM, on_signal, a);
	if (!rc)
		rc = td_loop_signal_add(a->loop, SIGINT, on_signal, a);
	return rc;
}

static int run(const struct td_xwiring *w, const char *socket, int blame_ms)
{
	struct app *a = calloc(1, sizeof(*a));
	const char *bad;
	int rc;

	if (!a)
		return 1;
	rc = td_xwiring_parse(w, &a->conf, &bad);
	if (rc) {
		fprintf(stderr, "tandem-exchange: cannot use '%s'\n", bad);
		free(a);
		return 2;
	}
	a->conf.blame_ms = blame_ms;
	signal(SIGPIPE, SIG_IGN);
	rc = set_up(a, socket);
	if (rc) {
		fprintf(stderr, "tandem-exchange: %s\n", strerror(-rc));
	} else {
		td_info("exchange", "lines=%d at %s", a->conf.n_lines,
			w->local);
		kick(a);
		td_loop_run(a->loop);
	}
	if (a->loop)
		td_timer_stop(&a->timer);
	td_xcontrol_free(a->control);
	if (a->engine && a->loop)
		td_loop_fd_del(a->loop, td_xengine_fd(a->engine));
	td_xcalls_free(a->calls);
	td_xengine_free(a->engine);
	td_loop_free(a->loop);
	free(a);
	return rc ? 1 : 0;
}

static double number(json_t *j, const char *key)
{
	return json_number_value(json_object_get(j, key));
}

static void print_summary(json_t *answer)
{
	json_t *s = json_object_get(answer, "summary"), *p, *v;
	const char *key;

	printf("placed %g, answered %g, failed %g, blocked %g, ghosts %g\n",
	       number(s, "placed"), number(s, "answered"), number(s, "failed"),
	       number(s, "blocked"), number(s, "ghosts"));
	json_object_foreach(json_object_get(s, "causes"), key, v)
		printf("cause %s: %lld\n", key,
		       (long long)json_integer_value(v));
	p = json_object_get(s, "pattern");
	if (number(p, "calls") > 0)
		printf("pattern: %g calls, %g synchronised, %g clean, longest "
		       "gap %.1f ms, by the machine %.1f ms\n",
		       number(p, "calls"), number(p, "synced"),
		       number(p, "clean"), number(p, "gap_ms_max"),
		       number(p, "gap_machine_ms_max"));
}

static void print_status(json_t *answer)
{
	json_t *l;
	size_t i;

	json_array_foreach(json_object_get(answer, "lines"), i, l) {
		const char *h = json_string_value(json_object_get(l, "heard"));

		printf("%-4s D-channel %-4s hears %-6s calls %-3g collisions "
		       "%g\n", json_string_value(json_object_get(l, "name")),
		       json_string_value(json_object_get(l, "dchannel")),
		       h ? h : "nobody", number(l, "calls"),
		       number(json_object_get(l, "collisions"), "count"));
	}
	printf("calls %g, ghosts %g\n", number(answer, "calls"),
	       number(answer, "ghosts"));
}

static int ask(const char *socket, json_t *command, bool json)
{
	json_t *answer = NULL, *e;
	int rc = command ? td_xcontrol_ask(socket, command, &answer) : -ENOMEM;

	json_decref(command);
	if (rc) {
		fprintf(stderr, "tandem-exchange: %s: %s\n", socket,
			strerror(-rc));
		return 1;
	}
	e = json_object_get(answer, "error");
	if (e)
		fprintf(stderr, "tandem-exchange: %s: %s\n",
			json_string_value(json_object_get(answer, "what")),
			json_string_value(e));
	else if (!json && json_object_get(answer, "summary"))
		print_summary(answer);
	else if (!json && json_object_get(answer, "lines"))
		print_status(answer);
	else if (json || json_is_array(answer) ||
		 !json_object_get(answer, "ok"))
		json_dumpf(answer, stdout, JSON_INDENT(1) |
			   JSON_REAL_PRECISION(9));
	if (!e && json)
		putchar('\n');
	rc = e ? 1 : 0;
	json_decref(answer);
	return rc;
}

struct args {
	struct td_xwiring w;
	const char *socket, *to, *to_last, *from, *line, *node;
	int count, order, cause, since, blame_ms;
	double rate, hold, timeout, ber;
	bool pattern, overlap, preferred, detach, json, help, debug;
};

static const char usage[] =
	"tandem-exchange run [options]                  be the exchange\n"
	"tandem-exchange call --to N [options]          place calls, report\n"
	"tandem-exchange status|calls|report [options]  what is, what was\n"
	"tandem-exchange line sK up|down|noise|ais|rai [--node N] [--ber R]\n"
	"tandem-exchange hangup [--order N] [--cause N]\n"
	"tandem-exchange restart sK TIMESLOT            RESTART of a channel\n"
	"tandem-exchange forget                         empty the report\n\n";

static json_t *call_command(const struct args *a)
{
	json_t *j = json_pack("{s:s,s:s,s:f,s:f,s:f,s:b,s:b,s:b,s:b}",
		"cmd", "call", "to", a->to ? a->to : "",
		"rate", a->rate, "hold", a->hold, "timeout", a->timeout,
		"pattern", a->pattern, "overlap", a->overlap,
		"preferred", a->preferred, "detach", a->detach);

	if (a->to_last)
		json_object_set_new(j, "to_last", json_string(a->to_last));
	if (a->from)
		json_object_set_new(j, "from", json_string(a->from));
	if (a->line)
		json_object_set_new(j, "line", json_string(a->line));
	if (a->count)
		json_object_set_new(j, "count", json_integer(a->count));
	return j;
}

static int client(struct args *a, int n, char **v)
{
	const char *cmd = v[0];

	if (!strcmp(cmd, "call") && n == 1 && a->to)
		return ask(a->socket, call_command(a), a->json);
	if (n == 1 && (!strcmp(cmd, "status") || !strcmp(cmd, "calls") ||
		       !strcmp(cmd, "forget") || !strcmp(cmd, "report")))
		return ask(a->socket, json_pack("{s:s,s:i}", "cmd", cmd,
						"since", a->since), a->json);
	if (!strcmp(cmd, "hangup") && n == 1)
		return ask(a->socket, json_pack("{s:s,s:i,s:i}", "cmd", cmd,
						"order", a->order,
						"cause", a->cause), a->json);
	if (!strcmp(cmd, "line") && n == 3)
		return ask(a->socket, json_pack("{s:s,s:s,s:s,s:s,s:f}",
				"cmd", cmd, "line", v[1], "mode", v[2],
				"node", a->node ? a->node : "",
				"ber", a->ber), a->json);
	if (!strcmp(cmd, "restart") && n == 3)
		return ask(a->socket, json_pack("{s:s,s:s,s:i}", "cmd", cmd,
				"line", v[1], "timeslot", atoi(v[2])),
			   a->json);
	fputs(usage, stderr);
	return 2;
}

int main(int argc, char **argv)
{
	struct args a = {
		.w = { "10.77.0.201", "s1-s4", "n1=10.77.0.1,n2=10.77.0.2" },
		.socket = TD_XCONTROL_PATH, .rate = 5, .hold = 10,
		.timeout = 60, .cause = 16, .ber = 1e-3, .blame_ms = 20,
	};
	const struct td_opt table[] = {
		{ TD_OPT_TEXT, "socket", &a.socket, "PATH",
		  "of the running exchange (" TD_XCONTROL_PATH ")" },
		{ TD_OPT_FLAG, "json", &a.json, NULL, "answer in JSON" },
		{ TD_OPT_TEXT, "local", &a.w.local, "ADDR",
		  "run: own address (10.77.0.201)" },
		{ TD_OPT_TEXT, "lines", &a.w.lines, "LIST",
		  "run: s1-s4 (normal), s1,s3 or s1=PORT,s2=PORT" },
		{ TD_OPT_TEXT, "nodes", &a.w.nodes, "LIST",
		  "run: n1=ADDR,n2=ADDR" },
		{ TD_OPT_TEXT, "line-nodes", &a.w.line_nodes, "LIST",
		  "run: s1-s4:n1,n2;s5-s8:n3,n4 (normal: the first two)" },
		{ TD_OPT_INT, "blame-ms", &a.blame_ms, "N",
		  "run: own pauses from here on excuse gaps (20)" },
		{ TD_OPT_FLAG, "debug", &a.debug, NULL, "run: say more" },
		{ TD_OPT_TEXT, "to", &a.to, "NUMBER", "call: whom" },
		{ TD_OPT_TEXT, "to-last", &a.to_last, "NUMBER",
		  "call: … to this one, one after another" },
		{ TD_OPT_TEXT, "from", &a.from, "NUMBER",
		  "call: calling number (one for each call)" },
		{ TD_OPT_INT, "count", &a.count, "N",
		  "call: how many (the range, or 1)" },
		{ TD_OPT_REAL, "rate", &a.rate, "R", "call: calls a second" },
		{ TD_OPT_REAL, "hold", &a.hold, "S",
		  "call: seconds after the answer, 0: until hangup (10)" },
		{ TD_OPT_REAL, "timeout", &a.timeout, "S",
		  "call: patience for an answer (60)" },
		{ TD_OPT_TEXT, "line", &a.line, "sK", "call: only there" },
		{ TD_OPT_FLAG, "pattern", &a.pattern, NULL,
		  "call: send the pattern, check what comes" },
		{ TD_OPT_FLAG, "overlap", &a.overlap, NULL,
		  "call: digits one by one" },
		{ TD_OPT_FLAG, "preferred", &a.preferred, NULL,
		  "call: the user side may choose another channel" },
		{ TD_OPT_FLAG, "detach", &a.detach, NULL,
		  "call: do not wait, answer the order's number" },
		{ TD_OPT_TEXT, "node", &a.node, "N",
		  "line: only towards that node" },
		{ TD_OPT_REAL, "ber", &a.ber, "R",
		  "line noise: bit error ratio (0.001)" },
		{ TD_OPT_INT, "order", &a.order, "N", "hangup: only its calls" },
		{ TD_OPT_INT, "cause", &a.cause, "N", "hangup: (16)" },
		{ TD_OPT_INT, "since", &a.since, "ID",
		  "report: calls after that one" },
		{ TD_OPT_FLAG, "help", &a.help, NULL, "this" },
		{ TD_OPT_END },
	};
	int n = td_opts_parse(table, argc - 1, argv + 1);

	if (n < 0)
		return 2;
	if (a.help || !n) {
		fputs(usage, n ? stdout : stderr);
		td_opts_help(n || a.help ? stdout : stderr, table);
		return a.help ? 0 : 2;
	}
	if (a.debug)
		td_log_level_set(TD_LOG_DEBUG);
	if (!strcmp(argv[1], "run") && n == 1)
		return run(&a.w, a.socket, a.blame_ms);
	return client(&a, n, argv + 1);
}
