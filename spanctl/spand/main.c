// SPDX-License-Identifier: GPL-2.0-or-later
/* tandem-spand: the user-mode card. */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "proto/base/log.h"
#include "spanctl/spand/server.h"

static int usage(FILE *f, int status)
{
	fputs("usage: tandem-spand [-c FILE] [-t] [-v]\n"
	      "\n"
	      "User-mode span card: E1 lines as CESoPSN pseudowires.\n"
	      "\n"
	      "  -c FILE   settings (/etc/tandem/spand.conf)\n"
	      "  -t        check the settings and end\n"
	      "  -v        log more\n"
	      "\n"
	      "Settings, a line each:\n"
	      "  socket PATH\n"
	      "  realtime yes|no\n"
	      "  port N local ADDRESS:PORT peer ADDRESS:PORT [idle HEX]\n"
	      "       [window BLOCKS] [los_ms MS]\n", f);
	return status;
}

static void realtime(void)
{
	struct sched_param sp = { .sched_priority = 50 };

	if (sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &sp))
		td_warn("span", "SPAN-RT", "no real-time priority: %s",
			strerror(errno));
	if (mlockall(MCL_CURRENT | MCL_FUTURE))
		td_warn("span", "SPAN-RT", "memory is not locked: %s",
			strerror(errno));
}

int main(int argc, char **argv)
{
	const char *path = "/etc/tandem/spand.conf";
	struct td_spand_server *s;
	struct td_spand_conf conf;
	int opt, rc, check = 0;
	sigset_t set;

	if (argc > 1 && !strcmp(argv[1], "--help"))
		return usage(stdout, 0);
	while ((opt = getopt(argc, argv, "c:thv")) != -1) {
		switch (opt) {
		case 'c':
			path = optarg;
			break;
		case 't':
			check = 1;
			break;
		case 'v':
			td_log_level_set(TD_LOG_DEBUG);
			break;
		case 'h':
			return usage(stdout, 0);
		default:
			return usage(stderr, 2);
		}
	}
	if (optind != argc)
		return usage(stderr, 2);
	rc = td_spand_conf_load(path, stderr, &conf);
	if (rc || check)
		return rc ? 1 : 0;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	if (td_spand_server_new(&conf, &s))
		return 1;
	if (conf.realtime)
		realtime();
	td_info("span", "ports=%u socket=%s", conf.n_ports, conf.socket);
	rc = td_spand_server_run(s);
	td_spand_server_free(s);
	return rc ? 1 : 0;
}
