// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/instr/pauses.h"

#include <string.h>

void td_pauses_init(struct td_pauses *p, int note_ms, int blame_ms)
{
	memset(p, 0, sizeof(*p));
	p->note_ns = note_ms * 1000000LL;
	p->blame_ns = blame_ms * 1000000LL;
}

void td_pauses_add(struct td_pauses *p, int64_t start_ns, int64_t len_ns)
{
	if (len_ns < p->note_ns)
		return;
	p->p[p->count++ % TD_PAUSES_KEPT] = (struct td_pause){
		.start_ns = start_ns, .len_ns = len_ns,
	};
	if (len_ns > p->longest_ns)
		p->longest_ns = len_ns;
}

static uint64_t oldest(const struct td_pauses *p)
{
	return p->count > TD_PAUSES_KEPT ? p->count - TD_PAUSES_KEPT : 0;
}

bool td_pauses_explain(const struct td_pauses *p, int64_t from_ns,
		       int64_t to_ns, int64_t later_ns)
{
	for (uint64_t i = oldest(p); i < p->count; i++) {
		const struct td_pause *q = &p->p[i % TD_PAUSES_KEPT];

		if (q->len_ns >= p->blame_ns && q->start_ns <= to_ns &&
		    q->start_ns + q->len_ns + later_ns >= from_ns)
			return true;
	}
	return false;
}

json_t *td_pauses_json(const struct td_pauses *p, int64_t epoch_ns)
{
	json_t *list = json_array();
	int64_t longest = 0;
	int n = 0;

	for (uint64_t i = oldest(p); i < p->count; i++) {
		const struct td_pause *q = &p->p[i % TD_PAUSES_KEPT];

		if (q->start_ns + q->len_ns < epoch_ns)
			continue;
		n++;
		if (q->len_ns > longest)
			longest = q->len_ns;
		json_array_append_new(list, json_pack("{s:f,s:f}",
			"at_ms", (q->start_ns - epoch_ns) / 1e6,
			"ms", q->len_ns / 1e6));
	}
	return json_pack("{s:i,s:f,s:o}", "count", n, "longest_ms",
			 longest / 1e6, "list", list);
}
