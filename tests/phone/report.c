// SPDX-License-Identifier: GPL-2.0-or-later
#include <arpa/inet.h>

#include "tests/instr/sums.h"
#include "tests/phone/phones_private.h"

/* a pause is heard at most this much later: our own play-out delay, and what
 * the jitter buffers of the product and of the other end may hold */
enum { LATER_MS = TD_PRTP_PLAY_MS + 200 };

static void set_ms(json_t *j, const char *key, int64_t from, int64_t to)
{
	json_object_set_new(j, key, to ? json_integer(to - from) :
					 json_null());
}

static const char *result_of(const struct td_pcall *c)
{
	if (c->answer_ms)
		return "answered";
	if (!c->end_ms)
		return "setup";
	if (c->state == TD_PCALL_CANCELLED || (!c->out && c->by_peer))
		return "cancelled";
	return c->status >= 300 ? "rejected" : "failed";
}

static json_t *sources_json(const struct td_prtp *r)
{
	json_t *list = json_array();
	char a[INET_ADDRSTRLEN];

	for (int i = 0; i < TD_PRTP_SOURCES && r->source[i].packets; i++)
		json_array_append_new(list, json_pack("{s:s,s:i,s:I}",
			"addr", inet_ntop(AF_INET, &r->source[i].addr, a,
					  sizeof(a)),
			"port", r->source[i].port,
			"packets", (json_int_t)r->source[i].packets));
	return list;
}

static json_t *rtp_json(const struct td_pcall *c)
{
	const struct td_prtp *r = td_pstream_rtp(c->stream);
	json_t *j = json_pack("{s:s,s:i,s:s,s:I,s:I,s:I,s:I,s:I,s:I}",
		"codec", r->pt == 8 ? "PCMA" : "PCMU",
		"port", td_pstream_port(c->stream), "to", c->media_to,
		"sent", (json_int_t)r->sent,
		"received", (json_int_t)r->received,
		"lost", (json_int_t)r->seq_lost,
		"reordered", (json_int_t)r->seq_reordered,
		"late", (json_int_t)r->late,
		"duplicate", (json_int_t)r->duplicate);

	json_object_update_new(j, json_pack(
		"{s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:o}",
		"malformed", (json_int_t)r->malformed,
		"other_pt", (json_int_t)r->other_pt,
		"ssrcs", (json_int_t)r->ssrcs,
		"anchors", (json_int_t)r->anchors,
		"rtcp", (json_int_t)td_pstream_rtcp(c->stream),
		"more_sources", (json_int_t)r->more_sources,
		"send_errors", (json_int_t)td_pstream_send_errors(c->stream),
		"sources", sources_json(r)));
	return j;
}

json_t *td_pcall_json(struct td_phones *p, const struct td_pcall *c)
{
	struct td_pauses pauses;
	struct td_check k;
	json_t *rtp, *j;

	td_pmedia_lock(p->media);
	pauses = *td_pmedia_pauses(p->media);
	if (c->check)
		k = *c->check;
	rtp = rtp_json(c);
	td_pmedia_unlock(p->media);
	j = json_pack("{s:I,s:s,s:s,s:s,s:s,s:s,s:s,s:i,s:s,s:i,s:i,s:b,s:o}",
		"id", (json_int_t)c->id,
		"user", p->user[c->user].number,
		"direction", c->out ? "out" : "in",
		"from", c->from, "to", c->to,
		"call_id", c->sip ? td_psip_call_id(c->sip) : "",
		"result", result_of(c), "status", c->status,
		"reason", c->reason, "cause", c->cause,
		"progress", c->progress, "early_media", c->early, "rtp", rtp);
	json_object_update_new(j, json_pack("{s:s,s:b,s:b,s:I}",
		"cleared_by", !c->end_ms ? "nobody" :
			      c->by_us ? "us" : c->by_peer ? "peer" : "nobody",
		"held", c->held_once, "held_by_peer", c->held_by_peer,
		"start_ms", (json_int_t)(c->start_ms - p->start_ms)));
	set_ms(j, "alerting_ms", c->start_ms, c->progress_ms);
	set_ms(j, "setup_ms", c->start_ms, c->answer_ms);
	set_ms(j, "duration_ms", c->answer_ms, !c->answer_ms ? 0 :
	       c->end_ms ? c->end_ms : p->now_ms);
	if (c->check)
		json_object_set_new(j, "pattern", td_check_json(&k, &pauses,
						LATER_MS * 1000000LL));
	return j;
}

static json_t *users_json(const struct td_phones *p, int *registered)
{
	json_t *bad = json_array();

	*registered = 0;
	for (int i = 0; i < p->conf.users; i++) {
		*registered += p->user[i].registered;
		if (!p->user[i].registered && !p->conf.no_register)
			json_array_append_new(bad, json_pack("{s:s,s:i}",
				"user", p->user[i].number,
				"status", p->user[i].status));
	}
	return bad;
}

json_t *td_phones_report(struct td_phones *p)
{
	json_t *calls = json_copy(p->log), *r, *bad, *summary;
	struct td_pauses pauses;
	int registered;

	for (int i = 0; i < TD_PHONES_CALLS; i++)
		if (p->call[i].state != TD_PCALL_FREE)
			json_array_append_new(calls,
					      td_pcall_json(p, &p->call[i]));
	td_pmedia_lock(p->media);
	pauses = *td_pmedia_pauses(p->media);
	td_pmedia_unlock(p->media);
	bad = users_json(p, &registered);
	r = td_sums_count(calls, "result");
	summary = json_pack(
		"{s:i,s:i,s:o,s:i,s:o,s:i,s:o,s:o,s:o,s:o,s:o,s:I,s:I}",
		"users", p->conf.users, "registered", registered,
		"not_registered", bad,
		"calls", (int)json_array_size(calls), "results", r,
		"answered", (int)json_integer_value(
				json_object_get(r, "answered")),
		"statuses", td_sums_count(calls, "status"),
		"causes", td_sums_count(calls, "cause"),
		"cleared_by", td_sums_count(calls, "cleared_by"),
		"setup_ms", td_sums_ms(calls, "setup_ms"),
		"pattern", td_sums_pattern(calls),
		"no_call", (json_int_t)p->no_call,
		"dropped", (json_int_t)p->log_dropped);
	return json_pack("{s:o,s:o,s:o}", "summary", summary, "calls", calls,
			 "pauses", td_pauses_json(&pauses,
						p->start_ms * 1000000));
}
