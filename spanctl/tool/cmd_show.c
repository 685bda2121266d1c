// SPDX-License-Identifier: GPL-2.0-or-later
#include "spanctl/tool/tool.h"

#include <stdio.h>

static int show_json(const struct tool *t, const struct td_port_status *st)
{
	return print_json(json_pack(
		"{sI so ss sI sI sI sI sI so}", "port", (json_int_t)t->port,
		"alarms", alarms_json(st->alarms), "tx", tx_text(st), "epoch",
		(json_int_t)st->epoch, "lease_ms",
		(json_int_t)lease_left_ms(st), "hdlc",
		(json_int_t)st->hdlc_timeslot, "rx_block",
		(json_int_t)st->rx_block, "tx_block", (json_int_t)st->tx_block,
		"counters", counters_json(&st->counters)));
}

int cmd_show(struct tool *t)
{
	const char *name, *help;
	struct td_port_status st;
	uint64_t value;
	char buf[64];

	td_port_status(td_card_port(t->card, t->port), &st);
	if (t->json)
		return show_json(t, &st);
	printf("port       %u\n", t->port);
	printf("alarms     %s\n", alarms_text(st.alarms, buf, sizeof(buf)));
	printf("tx         %s\n", tx_text(&st));
	if (st.lease_end_ns)
		printf("lease      epoch %llu, %lld ms left\n",
		       (unsigned long long)st.epoch,
		       (long long)lease_left_ms(&st));
	else
		printf("lease      none (epochs up to %llu are over)\n",
		       (unsigned long long)st.epoch);
	if (st.hdlc_timeslot)
		printf("hdlc       timeslot %u\n", st.hdlc_timeslot);
	else
		printf("hdlc       off\n");
	printf("rx_block   %llu\n", (unsigned long long)st.rx_block);
	printf("tx_block   %llu\n", (unsigned long long)st.tx_block);
	for (unsigned int i = 0;
	     counter_at(&st.counters, i, &name, &value, &help); i++)
		if (value)
			printf("%-16s %12llu  %s\n", name,
			       (unsigned long long)value, help);
	return EXIT_OK;
}
