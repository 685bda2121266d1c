// SPDX-License-Identifier: GPL-2.0-or-later
#include "node/isdn/room.h"
#include "proto/base/log.h"

/* A line is taken out of the site, or becomes another: the exchange is told,
 * or it would keep the calls for as long as it likes. */

static void on_look(void *arg);

static void look_again(struct td_isdn_line *line)
{
	const struct td_isdn_env *env = &line->isdn->env;

	env->timer_start(env->arg, &line->leave, TD_ISDN_LEAVE_LOOK_MS,
			 on_look, line);
}

static bool is_quiet(const struct td_isdn_line *line)
{
	struct td_gate_stats gate;

	td_isdn_gate_stats(line->gate, &gate);
	return !line->legs && !gate.waiting && !gate.queued;
}

static void on_look(void *arg)
{
	struct td_isdn_line *line = arg;
	const struct td_isdn_env *env = &line->isdn->env;
	bool late = env->now_ms(env->arg) >= line->leave_by_ms;
	bool quiet = is_quiet(line);

	/* quiet twice: the last RELEASE COMPLETE has left the card too */
	if (line->active && !late && !(quiet && line->quiet)) {
		line->quiet = quiet;
		look_again(line);
		return;
	}
	if (line->legs)
		td_warn("isdn", "ISDN-LINE-CALLS", "span=%s is taken out with "
			"%u calls that the far end did not clear",
			line->conf.name, line->n_legs);
	else
		td_info("isdn", "span=%s is taken out", line->conf.name);
	td_isdn_line_left(line->isdn, line);
}

void td_line_withdraw(struct td_isdn_line *line)
{
	const struct td_isdn_env *env = &line->isdn->env;

	if (line->leaving)
		return;
	line->leaving = true;
	line->quiet = false;
	line->leave_by_ms = env->now_ms(env->arg) + TD_ISDN_LEAVE_MS;
	td_line_restart_stop(line);
	if (!line->active) {
		env->timer_start(env->arg, &line->leave, 0, on_look, line);
		return;
	}
	td_line_enter(line);
	for (struct td_isdn_leg *leg = line->legs; leg; leg = leg->next)
		if (leg->call && !leg->clearing && !leg->cleared)
			td_isdn_leg_hangup(leg, TD_CAUSE_UNSPECIFIED);
	td_line_leave(line);
	look_again(line);
}
