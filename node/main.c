// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <getopt.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "node/daemon.h"
#include "node/version.h"
#include "proto/base/log.h"

enum { MAX_DESCRIPTORS = 65536 };

static void usage(FILE *f)
{
	fputs("usage: tandemd [-c FILE] [--version] [--help]\n"
	      "Tandem's daemon on one node. FILE says what only this machine\n"
	      "knows (default /etc/tandem/node.yaml); the rest is central, see\n"
	      "`tandem config import'.\n", f);
}

static void on_signal(void *arg, int sig)
{
	td_info("main", "signal=%d ending", sig);
	td_daemon_end(*(struct td_daemon **)arg);
}

static int load(const char *file, struct td_nodeconf *conf)
{
	struct td_problems problems = { 0 };
	int rc = td_nodeconf_load(file, conf, &problems);

	for (size_t i = 0; i < problems.n; i++)
		fprintf(stderr, "tandemd: %s: %s\n", problems.p[i].where,
			problems.p[i].what);
	if (rc && !problems.n)
		fprintf(stderr, "tandemd: %s: %s\n", file, strerror(-rc));
	td_problems_free(&problems);
	return rc;
}

static void set_level(const char *name)
{
	static const char *const names[] = { "error", "warn", "info",
					     "debug" };

	for (int i = 0; i < 4; i++)
		if (!strcmp(name, names[i]))
			td_log_level_set((enum td_log_level)i);
}

/** Each phone by TCP and each stream of voice has descriptors. */
static void allow_descriptors(void)
{
	struct rlimit lim;

	if (getrlimit(RLIMIT_NOFILE, &lim))
		return;
	lim.rlim_cur = lim.rlim_max < MAX_DESCRIPTORS ? lim.rlim_max :
							MAX_DESCRIPTORS;
	if (setrlimit(RLIMIT_NOFILE, &lim))
		td_warn("main", "DESCRIPTORS", "limit stays low: %s",
			strerror(errno));
}

/** Messages are made in one thread and freed in another: an arena for each
 *  would grow by a page and a system call a message. */
static void one_arena(void)
{
	mallopt(M_ARENA_MAX, 1);
	mallopt(M_TOP_PAD, 1024 * 1024);
}

static int run(const struct td_nodeconf *conf)
{
	struct td_daemon *daemon = NULL;
	struct td_loop *loop;
	int rc = td_loop_new(&loop), status = 1;

	if (rc) {
		fprintf(stderr, "tandemd: %s\n", strerror(-rc));
		return 1;
	}
	/* handlers run in the loop, where the daemon is there */
	td_loop_signal_add(loop, SIGTERM, on_signal, &daemon);
	td_loop_signal_add(loop, SIGINT, on_signal, &daemon);
	if (!td_daemon_new(loop, conf, &daemon)) {
		td_loop_run(loop);
		status = td_daemon_status(daemon);
		td_daemon_free(daemon);
	}
	td_loop_free(loop);
	return status;
}

int main(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'v' },
		{ NULL, 0, NULL, 0 },
	};
	const char *file = "/etc/tandem/node.yaml";
	struct td_nodeconf conf;
	int c;

	while ((c = getopt_long(argc, argv, "c:h", longs, NULL)) != -1) {
		if (c == 'c') {
			file = optarg;
		} else if (c == 'h') {
			usage(stdout);
			return 0;
		} else if (c == 'v') {
			puts("tandemd " TD_VERSION);
			return 0;
		} else {
			usage(stderr);
			return 2;
		}
	}
	if (optind != argc) {
		usage(stderr);
		return 2;
	}
	if (load(file, &conf))
		return 2;
	signal(SIGPIPE, SIG_IGN);
	set_level(conf.log);
	allow_descriptors();
	one_arena();
	return run(&conf);
}
