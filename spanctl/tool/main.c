// SPDX-License-Identifier: GPL-2.0-or-later
/* spanctl: looks at a span card, and switches a transmitter off by hand. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "spanctl/tool/tool.h"

#define SOCKET "/run/tandem/span.sock"

enum { NO_PORT, MAY_PORT, MUST_PORT };

static const struct command {
	const char *name, *args, *help;
	int port;
	bool onoff, trace;
	int (*run)(struct tool *t);
} commands[] = {
	{ "list", "", "every port: alarms, transmitter, lease", NO_PORT,
	  false, false, cmd_list },
	{ "show", "PORT", "all about one port", MUST_PORT, false, false,
	  cmd_show },
	{ "tx", "on|off PORT",
	  "off: this port sends nothing, whatever lease is held, until 'tx on'\n"
	  "or the card's restart. on: takes that back; it gives no lease",
	  MUST_PORT, true, false, cmd_tx },
	{ "counters", "[PORT]", "what was counted since the card's start",
	  MAY_PORT, false, false, cmd_counters },
	{ "trace", "PORT [-w FILE.pcap] [--count N]",
	  "D-channel frames of both directions as they pass, to a file (-: the\n"
	  "standard output) that wireshark reads, or as text", MUST_PORT,
	  false, true, cmd_trace },
};

enum { N_COMMANDS = sizeof(commands) / sizeof(commands[0]) };

static int usage(FILE *f)
{
	fputs("usage: spanctl [--socket PATH] [--json] COMMAND …\n\n", f);
	for (int i = 0; i < N_COMMANDS; i++) {
		const char *h = commands[i].help, *nl = strchr(h, '\n');

		fprintf(f, "  %s %s\n      %.*s\n", commands[i].name,
			commands[i].args, nl ? (int)(nl - h) : (int)strlen(h),
			h);
		if (nl)
			fprintf(f, "      %s\n", nl + 1);
	}
	fputs("\n  --socket PATH   the card's (" SOCKET ")\n"
	      "  --json          for programs\n"
	      "\nExit status: 0, 1 failed, 2 usage.\n", f);
	return f == stdout ? EXIT_OK : EXIT_USAGE;
}

static int wrong(const struct command *c, const char *why, const char *what)
{
	fprintf(stderr, "spanctl: %s%s\n", why, what);
	if (c)
		fprintf(stderr, "usage: spanctl %s %s\n", c->name, c->args);
	else
		fputs("try 'spanctl --help'\n", stderr);
	return EXIT_USAGE;
}

static bool number(const char *text, unsigned long *out)
{
	char *end;

	errno = 0;
	*out = strtoul(text, &end, 10);
	return *text >= '0' && *text <= '9' && !*end && !errno;
}

struct options {
	const char *socket;
	const char *count;
};

/* @return EXIT_OK with *c set, or the status to end with */
static int parse_words(int argc, char **argv, const struct options *o,
		       struct tool *t, const struct command **c)
{
	unsigned long n;
	int i = 1;

	*c = NULL;
	for (int k = 0; argc && k < N_COMMANDS; k++)
		if (!strcmp(argv[0], commands[k].name))
			*c = &commands[k];
	if (!*c)
		return wrong(NULL, argc ? "no such command: " :
			     "which command?", argc ? argv[0] : "");
	if ((*c)->onoff) {
		if (i >= argc || (strcmp(argv[i], "on") &&
				  strcmp(argv[i], "off")))
			return wrong(*c, "on or off?", "");
		t->on = !strcmp(argv[i++], "on");
	}
	if ((*c)->port != NO_PORT && i < argc) {
		if (!number(argv[i], &n) || !n || n > TD_SPAN_PORTS_MAX)
			return wrong(*c, "not a port: ", argv[i]);
		t->port = (unsigned int)n;
		i++;
	}
	if ((*c)->port == MUST_PORT && !t->port)
		return wrong(*c, "which port?", "");
	if (i < argc)
		return wrong(*c, "too much: ", argv[i]);
	if (!(*c)->trace && (t->file || o->count))
		return wrong(*c, "-w and --count are for trace", "");
	if (o->count && (!number(o->count, &t->count) || !t->count))
		return wrong(*c, "not a count: ", o->count);
	return EXIT_OK;
}

static int run(const struct command *c, const char *path, struct tool *t)
{
	int rc = td_card_open(path, TD_CARD_MONITOR, &t->card);

	if (rc) {
		fprintf(stderr, "spanctl: %s: %s\n", path,
			rc == -EPROTO ? "another version of the card" :
			rc == -EBUSY ? "too many monitors" : strerror(-rc));
		return EXIT_FAILED;
	}
	if (t->port > td_card_ports(t->card)) {
		fprintf(stderr, "spanctl: the card has ports 1 to %u\n",
			td_card_ports(t->card));
		rc = EXIT_FAILED;
	} else {
		rc = c->run(t);
	}
	td_card_close(t->card);
	return rc;
}

int main(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "socket", required_argument, NULL, 's' },
		{ "json", no_argument, NULL, 'j' },
		{ "count", required_argument, NULL, 'n' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	struct options o = { .socket = SOCKET };
	const struct command *c;
	struct tool t = { 0 };
	int opt, rc;

	while ((opt = getopt_long(argc, argv, "s:jw:n:h", longs,
				  NULL)) != -1) {
		switch (opt) {
		case 's':
			o.socket = optarg;
			break;
		case 'j':
			t.json = true;
			break;
		case 'w':
			t.file = optarg;
			break;
		case 'n':
			o.count = optarg;
			break;
		case 'h':
			return usage(stdout);
		default:
			return usage(stderr);
		}
	}
	rc = parse_words(argc - optind, argv + optind, &o, &t, &c);
	return rc ? rc : run(c, o.socket, &t);
}
