/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PAPER_CARD_H
#define PAPER_CARD_H

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cluster/store/site.h"
#include "spanctl/lib/span.h"

/* A card of paper: it keeps what the lease rules ask, and refuses likewise. */
struct td_port {
	uint64_t epoch, over;	/* newest; newest that has ended */
	int64_t end_ns;
};
struct td_card {
	struct td_port port[4];
};

unsigned int td_card_ports(const struct td_card *c)
{
	return 4;
}

struct td_port *td_card_port(struct td_card *c, unsigned int port)
{
	return &c->port[port - 1];
}

void td_port_status(const struct td_port *p, struct td_port_status *out)
{
	memset(out, 0, sizeof(*out));
	out->epoch = p->epoch;
}

int td_port_lease(struct td_port *p, uint64_t epoch, int64_t end_ns)
{
	if (epoch <= p->over || epoch < p->epoch)
		return -ESTALE;
	p->epoch = epoch;
	p->end_ns = end_ns;
	return 0;
}

int td_port_lease_end(struct td_port *p, uint64_t epoch)
{
	if (epoch > p->over)
		p->over = epoch;
	return 0;
}

static struct td_site *paper_site(const char *lines)
{
	char text[2048];
	struct td_problems problems = { 0 };
	struct td_site *s = NULL;

	snprintf(text, sizeof(text),
		 "site: {name: t, domain: t.lab}\n"
		 "nodes:\n"
		 "  - {name: n1, id: 1, address: 10.0.0.1,"
		 " cluster_address: 10.1.0.1}\n"
		 "  - {name: n2, id: 2, address: 10.0.0.2,"
		 " cluster_address: 10.1.0.2}\n"
		 "lines:\n%s", lines);
	if (td_site_parse("t.yaml", text, strlen(text), &s, &problems))
		fail_msg("%s: %s", problems.p[0].where, problems.p[0].what);
	return s;
}

#endif
