// SPDX-License-Identifier: GPL-2.0-or-later
#include "spanctl/tool/tool.h"

#include <stdio.h>

int cmd_list(struct tool *t)
{
	json_t *all = t->json ? json_array() : NULL;
	struct td_port_status st;
	char buf[64];

	if (!all)
		printf("%-5s %-16s %-10s %-8s %-9s %-5s %s\n", "PORT",
		       "ALARMS", "TX", "EPOCH", "LEASE-MS", "HDLC", "RX-BLOCK");
	for (unsigned int i = 1; i <= td_card_ports(t->card); i++) {
		td_port_status(td_card_port(t->card, i), &st);
		if (all) {
			json_array_append_new(all, json_pack(
				"{sI so ss sI sI sI sI}", "port",
				(json_int_t)i, "alarms",
				alarms_json(st.alarms), "tx", tx_text(&st),
				"epoch", (json_int_t)st.epoch, "lease_ms",
				(json_int_t)lease_left_ms(&st), "hdlc",
				(json_int_t)st.hdlc_timeslot, "rx_block",
				(json_int_t)st.rx_block));
			continue;
		}
		printf("%-5u %-16s %-10s %-8llu %-9lld %-5u %llu\n", i,
		       alarms_text(st.alarms, buf, sizeof(buf)), tx_text(&st),
		       (unsigned long long)st.epoch,
		       (long long)lease_left_ms(&st), st.hdlc_timeslot,
		       (unsigned long long)st.rx_block);
	}
	return all ? print_json(all) : EXIT_OK;
}
