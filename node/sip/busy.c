// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <string.h>

#include "node/sip/sip_i.h"

/* When there is too much to do, or nothing may leave this node: who asks for
 * something new is told so at once and when to come back; what runs goes on.
 * Every such answer is one 503 (RFC 3261 21.5.4). */

void sip_retry_after(unsigned int least_s, char *out, size_t size)
{
	char hex[3];
	unsigned int n = 0;

	/* spread, so that what was refused together does not come back so */
	sip_random_hex(hex, 2);
	sscanf(hex, "%2x", &n);
	snprintf(out, size, "Retry-After: %u\r\n", least_s + n % 6);
}

struct td_sip_down *sip_busy_record(uint64_t tr, const char *tag)
{
	char h[32];

	sip_retry_after(SIP_RETRY_S, h, sizeof(h));
	return sip_reply_record(tr, 503, tag, h, NULL);
}

void sip_answer_busy(struct td_sip *s, const struct td_sip_up *u)
{
	s->st.refused++;
	if (u->tr)
		sip_put(s, sip_busy_record(u->tr, u->tag));
}

/** Of what may wait in the cluster, half is for what runs already. */
static bool is_full(uint32_t pending, uint32_t limit)
{
	return pending >= limit - limit / 2;
}

bool sip_admit(struct td_sip *s, const struct td_sip_up *u)
{
	struct td_cluster_stats st;

	if (td_cluster_state(s->cfg.cluster) != TD_CLUSTER_RUNNING) {
		s->st.not_running++;
		sip_answer_busy(s, u);
		return false;
	}
	td_cluster_stats(s->cfg.cluster, &st);
	if (!is_full(st.pending_ops, st.pending_limit) &&
	    !is_full(st.pending_effects, st.pending_limit))
		return true;
	s->st.congested++;
	sip_answer_busy(s, u);
	return false;
}
