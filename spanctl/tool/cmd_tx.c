// SPDX-License-Identifier: GPL-2.0-or-later
#include "spanctl/tool/tool.h"

#include <stdio.h>
#include <string.h>

int cmd_tx(struct tool *t)
{
	struct td_port *p = td_card_port(t->card, t->port);
	struct td_port_status st;
	int rc = td_port_inhibit(p, !t->on);

	if (rc) {
		fprintf(stderr, "spanctl: port %u: %s\n", t->port,
			strerror(-rc));
		return EXIT_FAILED;
	}
	td_port_status(p, &st);
	if (t->json)
		return print_json(json_pack("{sI ss sI}", "port",
					    (json_int_t)t->port, "tx",
					    tx_text(&st), "epoch",
					    (json_int_t)st.epoch));
	if (!t->on)
		printf("port %u sends nothing, whatever lease is held, until "
		       "'spanctl tx on %u' or the card's restart\n", t->port,
		       t->port);
	else if (st.tx_on)
		printf("port %u sends (lease of epoch %llu)\n", t->port,
		       (unsigned long long)st.epoch);
	else
		printf("port %u is free to send when a lease is held; none is "
		       "now\n", t->port);
	return EXIT_OK;
}
