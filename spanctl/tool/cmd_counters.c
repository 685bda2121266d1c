// SPDX-License-Identifier: GPL-2.0-or-later
#include "spanctl/tool/tool.h"

#include <stdio.h>

static void row(const struct tool *t, unsigned int i,
		const struct td_port_status *st)
{
	const char *name = NULL, *help = NULL;
	uint64_t value;

	for (unsigned int p = 1; p <= td_card_ports(t->card); p++) {
		if (t->port && t->port != p)
			continue;
		counter_at(&st[p].counters, i, &name, &value, &help);
		if (p == 1 || t->port)
			printf("%-16s", name);
		printf(" %12llu", (unsigned long long)value);
	}
	printf("  %s\n", help);
}

int cmd_counters(struct tool *t)
{
	struct td_port_status st[TD_SPAN_PORTS_MAX + 1];
	json_t *all = t->json ? json_array() : NULL;
	const char *name, *help;
	uint64_t value;

	for (unsigned int p = 1; p <= td_card_ports(t->card); p++) {
		td_port_status(td_card_port(t->card, p), &st[p]);
		if (all && (!t->port || t->port == p))
			json_array_append_new(all, json_pack(
				"{sI so}", "port", (json_int_t)p, "counters",
				counters_json(&st[p].counters)));
	}
	if (all)
		return print_json(all);
	printf("%-16s", "PORT");
	for (unsigned int p = 1; p <= td_card_ports(t->card); p++)
		if (!t->port || t->port == p)
			printf(" %12u", p);
	putchar('\n');
	for (unsigned int i = 0;
	     counter_at(&st[1].counters, i, &name, &value, &help); i++)
		row(t, i, st);
	return EXIT_OK;
}
