// SPDX-License-Identifier: GPL-2.0-or-later
#include "spanctl/tool/tool.h"

#include <stdio.h>
#include <string.h>

#include "proto/base/clock.h"

static const struct {
	uint32_t bit;
	const char *name;
} alarms[] = {
	{ TD_ALARM_LOS, "LOS" }, { TD_ALARM_AIS, "AIS" },
	{ TD_ALARM_LOF, "LOF" }, { TD_ALARM_RAI, "RAI" },
	{ TD_ALARM_RDI, "RDI" },
};

enum { N_ALARMS = sizeof(alarms) / sizeof(alarms[0]) };

#define COUNTER(name, help) { #name, offsetof(struct td_span_counters, name), \
			      help }
static const struct {
	const char *name;
	size_t at;
	const char *help;
} counters[] = {
	COUNTER(rx_packets, "packets of the peer"),
	COUNTER(rx_lost, "sequence numbers that never came"),
	COUNTER(rx_late, "came after their block was given up"),
	COUNTER(rx_reordered, "came after a later one, in time"),
	COUNTER(rx_duplicate, "came twice"),
	COUNTER(rx_stray, "far outside the sequence, dropped"),
	COUNTER(rx_resync, "jumps of the sequence"),
	COUNTER(rx_malformed, "bad length or control word"),
	COUNTER(rx_foreign, "not from the peer"),
	COUNTER(rx_lbit, "with L: the far circuit is down"),
	COUNTER(rx_rbit, "with R: the far end loses our packets"),
	COUNTER(rx_mbits, "with M = 10: remote defect"),
	COUNTER(los, "losses of signal"),
	COUNTER(tx_packets, "packets sent"),
	COUNTER(tx_blocked, "blocks not sent: no lease"),
	COUNTER(tx_inhibited, "blocks not sent: switched off by hand"),
	COUNTER(tx_skipped, "blocks not sent: their packet never came"),
	COUNTER(tx_errors, "packets that the network refused"),
	COUNTER(tx_underrun, "blocks of open timeslots that sent idle"),
	COUNTER(lease_lapsed, "leases that the clock ended"),
	COUNTER(slips, "slips of cross-connects"),
	COUNTER(hdlc_rx, "good frames received"),
	COUNTER(hdlc_tx, "frames sent"),
	COUNTER(hdlc_crc, "frames with a wrong FCS"),
	COUNTER(hdlc_abort, "frames aborted or cut by a lost block"),
	COUNTER(hdlc_short, "frames too short"),
	COUNTER(hdlc_long, "frames too long"),
	COUNTER(hdlc_overrun, "times that a reader was too slow"),
	COUNTER(hdlc_tx_refused, "frames not taken or not sent"),
};

enum { N_COUNTERS = sizeof(counters) / sizeof(counters[0]) };

const char *alarms_text(uint32_t set, char *buf, size_t n)
{
	size_t at = 0;

	snprintf(buf, n, "-");
	for (int i = 0; i < N_ALARMS; i++)
		if (set & alarms[i].bit && at < n)
			at += (size_t)snprintf(buf + at, n - at, "%s%s",
					       at ? "," : "", alarms[i].name);
	return buf;
}

json_t *alarms_json(uint32_t set)
{
	json_t *a = json_array();

	for (int i = 0; i < N_ALARMS; i++)
		if (set & alarms[i].bit)
			json_array_append_new(a, json_string(alarms[i].name));
	return a;
}

const char *tx_text(const struct td_port_status *st)
{
	if (st->tx_inhibited)
		return "inhibited";
	return st->tx_on ? "on" : "off";
}

int64_t lease_left_ms(const struct td_port_status *st)
{
	int64_t left = st->lease_end_ns - td_clock_boot_ns();

	return left > 0 ? left / 1000000 : 0;
}

bool counter_at(const struct td_span_counters *c, unsigned int i,
		const char **name, uint64_t *value, const char **help)
{
	if (i >= N_COUNTERS)
		return false;
	*name = counters[i].name;
	*help = counters[i].help;
	memcpy(value, (const char *)c + counters[i].at, sizeof(*value));
	return true;
}

json_t *counters_json(const struct td_span_counters *c)
{
	json_t *o = json_object();
	const char *name, *help;
	uint64_t value;

	for (unsigned int i = 0; counter_at(c, i, &name, &value, &help); i++)
		json_object_set_new(o, name, json_integer((json_int_t)value));
	return o;
}

int print_json(json_t *j)
{
	int rc = json_dumpf(j, stdout, JSON_INDENT(1));

	putchar('\n');
	json_decref(j);
	return rc || fflush(stdout) ? EXIT_FAILED : EXIT_OK;
}
