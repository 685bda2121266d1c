/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_SPANCTL_TOOL_H
#define TD_SPANCTL_TOOL_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "spanctl/lib/span.h"

/** What every subcommand gets: the card is open as a monitor. */
struct tool {
	struct td_card *card;
	bool json;
	const char *file;	/* -w, NULL: none */
	unsigned long count;	/* --count, 0: no end */
	unsigned int port;	/* 0: all; else it exists */
	bool on;		/* tx */
};

enum { EXIT_OK = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

/* One file a subcommand. Each returns an exit status and has said why. */
int cmd_list(struct tool *t);
int cmd_show(struct tool *t);
int cmd_counters(struct tool *t);
int cmd_tx(struct tool *t);
int cmd_trace(struct tool *t);

/* ---- print.c ---- */

/** "LOS,RAI", or "-" for none. */
const char *alarms_text(uint32_t alarms, char *buf, size_t n);
json_t *alarms_json(uint32_t alarms);
/** "on", "off" or "inhibited". */
const char *tx_text(const struct td_port_status *st);
/** Rest of a lease in ms; 0: none is held. */
int64_t lease_left_ms(const struct td_port_status *st);
/** Name and value of counter i. @return false: there are no more */
bool counter_at(const struct td_span_counters *c, unsigned int i,
		const char **name, uint64_t *value, const char **help);
json_t *counters_json(const struct td_span_counters *c);
/** Prints and frees. */
int print_json(json_t *j);

#endif
