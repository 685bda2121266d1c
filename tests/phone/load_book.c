// SPDX-License-Identifier: GPL-2.0-or-later
#include <inttypes.h>
#include <jansson.h>
#include <string.h>

#include "tests/phone/load_private.h"

enum td_load_op td_load_plan(struct user *u, int *contact)
{
	uint32_t turn = u->turns++ % 4;

	if (u->contacts)
		*contact = u->contact[0];
	if (u->contacts == LOAD_CONTACTS || (turn == 3 && u->contacts > 1))
		return TD_LOAD_DELETE;
	return turn == 2 && u->contacts ? TD_LOAD_REFRESH : TD_LOAD_PUT;
}

void td_load_learn(struct user *u, enum td_load_op op, int contact, bool ok)
{
	int i;

	for (i = 0; i < u->contacts && u->contact[i] != contact;)
		i++;
	if (i < u->contacts)
		memmove(u->contact + i, u->contact + i + 1,
			(--u->contacts - i) * sizeof(u->contact[0]));
	/* what was refreshed is the youngest now */
	if (ok && (op == TD_LOAD_PUT || op == TD_LOAD_REFRESH) &&
	    u->contacts < LOAD_CONTACTS)
		u->contact[u->contacts++] = contact;
}

void td_load_uri(const struct load *l, struct request *q)
{
	snprintf(q->uri, sizeof(q->uri), "sip:%lld@%s:%d",
		 l->conf.first + q->user, l->address, q->contact);
}

static int rtt(const struct load *l, double part)
{
	uint64_t n = 0, all = 0;
	int i;

	for (i = 0; i < LOAD_RTT_MS; i++)
		all += l->rtt[i];
	for (i = 0; i < LOAD_RTT_MS; i++) {
		n += l->rtt[i];
		if (n && n >= part * all)
			return i;
	}
	return 0;
}

static json_t *report(const struct load *l)
{
	json_t *refused = json_object();
	char key[8];

	for (int i = 0; i < LOAD_STATUSES; i++) {
		if (!l->refused[i])
			continue;
		snprintf(key, sizeof(key), "%d", i);
		json_object_set_new(refused, key,
				    json_integer(l->refused[i]));
	}
	return json_pack("{s:I,s:I,s:I,s:I,s:I,s:o,s:I,s:I,s:I,s:I,s:I,s:I,"
			 "s:I,s:I,s:{s:i,s:i,s:i}}",
		"begun", (json_int_t)l->begun,
		"put", (json_int_t)l->ok[TD_LOAD_PUT],
		"refresh", (json_int_t)l->ok[TD_LOAD_REFRESH],
		"delete", (json_int_t)l->ok[TD_LOAD_DELETE],
		"clear", (json_int_t)l->ok[TD_LOAD_CLEAR],
		"refused", refused, "no_answer", (json_int_t)l->no_answer,
		"skipped", (json_int_t)l->skipped,
		"wrong_200", (json_int_t)l->wrong_200,
		"late", (json_int_t)l->late,
		"strange", (json_int_t)l->strange,
		"challenges", (json_int_t)l->challenges,
		"retransmitted", (json_int_t)l->retransmitted,
		"send_errors", (json_int_t)l->send_errors,
		"ms", "p50", rtt(l, 0.5), "p99", rtt(l, 0.99), "max",
		rtt(l, 1));
}

void td_load_print(const struct load *l)
{
	json_t *r = report(l);
	const char *key;
	json_t *v;

	if (l->json) {
		json_dumpf(r, stdout, JSON_COMPACT);
		putchar('\n');
	} else {
		json_object_foreach(r, key, v)
			if (json_is_integer(v))
				printf("%s: %" JSON_INTEGER_FORMAT "\n", key,
				       json_integer_value(v));
	}
	fflush(stdout);
	if (l->book)
		fflush(l->book);
	json_decref(r);
}
