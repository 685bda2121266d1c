// SPDX-License-Identifier: GPL-2.0-or-later
#include "node/sip/stimer.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <strings.h>

/* an interval below this is taken for a mistake: it would have us refresh all
 * the time */
enum { FLOOR_S = 32, CEILING_S = 86400 };

/** delta-seconds with parameters behind. */
static int seconds(const char *v, uint32_t *out)
{
	uint64_t n = 0;

	if (!isdigit((unsigned char)*v))
		return -EINVAL;
	for (; isdigit((unsigned char)*v); v++)
		n = n * 10 + *v - '0' > CEILING_S ? CEILING_S :
						    n * 10 + *v - '0';
	v += strspn(v, " \t");
	if (*v && *v != ';')
		return -EINVAL;
	*out = n;
	return 0;
}

int td_stimer_read(const struct td_sip_msg *m, struct td_stimer_said *out)
{
	const char *se = td_sip_value(m, TD_SIP_H_SESSION_EXPIRES, 0);
	const char *min = td_sip_value(m, TD_SIP_H_MIN_SE, 0);
	struct td_stimer_said s = { 0 };
	char who[8];

	s.supported = td_sip_lists(m, TD_SIP_H_SUPPORTED, "timer") ||
		      td_sip_lists(m, TD_SIP_H_REQUIRE, "timer");
	if (se && (seconds(se, &s.interval_s) || !s.interval_s))
		return -EINVAL;
	if (min && seconds(min, &s.min_s))
		return -EINVAL;
	if (se && td_sip_param(se + strcspn(se, ";"), "refresher", who,
			       sizeof(who))) {
		if (!strcasecmp(who, "uac"))
			s.refresher = TD_REFRESHER_UAC;
		else if (!strcasecmp(who, "uas"))
			s.refresher = TD_REFRESHER_UAS;
	}
	*out = s;
	return 0;
}

static uint32_t max(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

int td_stimer_answer(const struct td_stimer_want *w,
		     const struct td_stimer_said *said, struct td_stimer *t)
{
	uint32_t least = max(w->min_s, max(said->min_s, t->min_s));
	uint32_t wanted = max(w->interval_s, least);

	if (said->interval_s && said->supported && said->interval_s < w->min_s)
		return 422;
	t->known = said->supported;
	t->min_s = max(t->min_s, said->min_s);
	if (!w->interval_s) {
		t->interval_s = 0;
		t->ours = false;
		return 0;
	}
	/* one that a proxy put in, too short, for a far end that could not be
	 * told so: raised */
	t->interval_s = !said->interval_s ? wanted :
			said->interval_s < wanted ? max(said->interval_s, least)
						  : wanted;
	/* 9, table 2: who does not know of timers cannot refresh */
	t->ours = !said->supported || said->refresher != TD_REFRESHER_UAC;
	return 0;
}

void td_stimer_agreed(const struct td_stimer_want *w,
		      const struct td_stimer_said *said, struct td_stimer *t)
{
	if (!w->interval_s) {
		t->interval_s = 0;
		t->ours = false;
	} else if (said->interval_s) {
		t->known = true;
		t->interval_s = max(said->interval_s, FLOOR_S);
		t->ours = said->refresher != TD_REFRESHER_UAS;
	} else {
		t->known = false;
		t->interval_s = max(w->interval_s, t->min_s);
		t->ours = true;
	}
}

uint32_t td_stimer_offer(const struct td_stimer_want *w,
			 const struct td_stimer *t)
{
	if (!w->interval_s)
		return 0;
	return max(max(t->interval_s ? t->interval_s : w->interval_s,
		       w->min_s), t->min_s);
}

uint32_t td_stimer_refresh_ms(const struct td_stimer *t)
{
	return t->interval_s && t->ours ? t->interval_s * 500 : UINT32_MAX;
}

uint32_t td_stimer_end_ms(const struct td_stimer *t)
{
	uint32_t early = t->interval_s / 3;

	if (!t->interval_s)
		return UINT32_MAX;
	/* 10: who waits for the other's gives up a little before */
	if (early > 32)
		early = 32;
	return (t->interval_s - (t->ours ? 0 : early)) * 1000;
}
