// SPDX-License-Identifier: GPL-2.0-or-later
#include "spanctl/core/alarm.h"

#include "spanctl/uapi/td_span.h"

static void run(struct td_alarm_run *r, bool seen)
{
	if (seen == r->on) {
		r->n = 0;
		return;
	}
	if (++r->n == TD_ALARM_COUNT) {
		r->on = seen;
		r->n = 0;
	}
}

void td_alarm_init(struct td_alarm *a, uint32_t los_ms, int64_t now_ns)
{
	memset(a, 0, sizeof(*a));
	a->los_ms = los_ms;
	a->los = true;
	a->last_ns = now_ns - (int64_t)los_ms * 1000000;
}

bool td_alarm_silent(const struct td_alarm *a, int64_t now_ns)
{
	return now_ns - a->last_ns >= (int64_t)a->los_ms * 1000000;
}

void td_alarm_packet(struct td_alarm *a, bool l, bool rdi, bool r,
		     int64_t now_ns)
{
	a->last_ns = now_ns;
	run(&a->ais, l);
	run(&a->rai, rdi);
	run(&a->rdi, r);
}

void td_alarm_block(struct td_alarm *a, bool lost)
{
	if (lost) {
		a->good = 0;
		if (a->lost < TD_ALARM_LOSS)
			a->lost++;
		if (a->lost == TD_ALARM_LOSS)
			a->loss_left = TD_ALARM_GOOD;
		return;
	}
	a->lost = 0;
	if (a->loss_left)
		a->loss_left--;
	if (a->los && ++a->good >= TD_ALARM_COUNT) {
		a->los = false;
		a->good = 0;
	}
}

bool td_alarm_tick(struct td_alarm *a, int64_t now_ns)
{
	if (!td_alarm_silent(a, now_ns))
		return false;
	a->good = 0;
	a->loss_left = TD_ALARM_GOOD;
	memset(&a->ais, 0, sizeof(a->ais));
	memset(&a->rai, 0, sizeof(a->rai));
	memset(&a->rdi, 0, sizeof(a->rdi));
	if (a->los)
		return false;
	a->los = true;
	a->los_count++;
	return true;
}

uint32_t td_alarm_bits(const struct td_alarm *a)
{
	if (a->los)
		return TD_ALARM_LOS;
	return (a->ais.on ? TD_ALARM_AIS : 0) |
	       (a->rai.on ? TD_ALARM_RAI : 0) |
	       (a->rdi.on ? TD_ALARM_RDI : 0);
}

bool td_alarm_send_r(const struct td_alarm *a)
{
	return a->los || a->loss_left;
}

bool td_alarm_send_rdi(const struct td_alarm *a)
{
	return !a->los && a->ais.on;
}
