// SPDX-License-Identifier: GPL-2.0-or-later
#include <locale.h>
#include <signal.h>
#include <stdio.h>

#include "cluster/cli/cli.h"

int main(int argc, char **argv)
{
	setlocale(LC_CTYPE, "");
	signal(SIGPIPE, SIG_IGN);	/* a daemon that hangs up is an error */
	return td_cli_main(argc, argv, stdout, stderr);
}
