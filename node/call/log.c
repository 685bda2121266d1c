// SPDX-License-Identifier: GPL-2.0-or-later
#include "node/call/calls_i.h"

/* What each leg's call detail record will say (node/cdr): noted as it
 * happens, in agreed time, kept in the call's row for whoever outlives us. */

static uint64_t now_ms(const struct party *p)
{
	return (uint64_t)td_cluster_now_ms(p->call->room->cfg.cluster);
}

void log_start(struct party *p)
{
	td__leg_log__init(&p->log);
	p->log.start_ms = now_ms(p);
}

static void once(const struct party *p, uint64_t *at)
{
	if (!*at)
		*at = now_ms(p);
}

void log_alerting(struct party *p)
{
	if (!p->log.answered_ms)
		once(p, &p->log.alerting_ms);
}

void log_answered(struct party *p)
{
	once(p, &p->log.answered_ms);
}

void log_clear(struct party *p, int cause)
{
	if (p->log.cleared_by)
		return;
	p->log.cause = cause;
	p->log.cleared_by = p->call->cleared_by;
}

void log_failed(struct party *p, int cause)
{
	p->log.cause = cause;
	p->log.cleared_by = TD__CLEARED_BY__CLEARED_BY_NODE;
	once(p, &p->log.ended_ms);
}

void log_event(struct party *p, const struct td_leg_event *lev)
{
	if (lev->type == TD_LEV_ALERTING)
		log_alerting(p);
	else if (lev->type == TD_LEV_ANSWERED)
		log_answered(p);
	if (lev->type != TD_LEV_CLEARED)
		return;
	once(p, &p->log.ended_ms);
	if (lev->sip_status)
		p->log.sip_status = lev->sip_status;
	if (p->log.cleared_by)
		return;
	p->log.cause = lev->cause;
	p->log.cleared_by = TD__CLEARED_BY__CLEARED_BY_PEER;
}

void log_who_clears(struct call *c, enum td_call_event ev,
		    const struct party *p)
{
	bool node = ev == TD_CALL_EV_HANGUP || ev == TD_CALL_EV_ROUTE_FAIL ||
		    (ev == TD_CALL_EV_B_FAIL_LAST && !p);

	c->cleared_by = node ? TD__CLEARED_BY__CLEARED_BY_NODE :
			       TD__CLEARED_BY__CLEARED_BY_OTHER;
}

void log_over(struct party *p)
{
	if (p->log.start_ms)
		once(p, &p->log.ended_ms);
	if (!p->log.cleared_by)
		p->log.cleared_by = TD__CLEARED_BY__CLEARED_BY_NODE;
}
