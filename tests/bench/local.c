// SPDX-License-Identifier: GPL-2.0-or-later
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "cluster/apply.h"
#include "cluster/view_priv.h"
#include "tests/bench/replicate.h"

double bench_cpu_s(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return u.ru_utime.tv_sec + u.ru_stime.tv_sec +
	       (u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

Td__Op *bench_contact(struct bench_contact *b, uint32_t i, uint32_t node,
		      uint64_t expires_ms)
{
	td__op__init(&b->op);
	td__contact__init(&b->c);
	snprintf(b->user, sizeof(b->user), "%u", 100000 + i);
	snprintf(b->uri, sizeof(b->uri), "sip:%u@10.77.%u.%u:%u;transport=udp",
		 100000 + i, i >> 8 & 255, i & 255, 5060 + i % 1000);
	snprintf(b->call_id, sizeof(b->call_id), "%08x%08x@10.77.%u.%u",
		 i * 2654435761U, ~i, i >> 8 & 255, i & 255);
	snprintf(b->received, sizeof(b->received), "10.77.%u.%u:%u",
		 i >> 8 & 255, i & 255, 5060 + i % 1000);
	snprintf(b->instance, sizeof(b->instance),
		 "<urn:uuid:00000000-0000-1000-8000-%012u>", i);
	b->c.user = b->user;
	b->c.uri = b->uri;
	b->c.call_id = b->call_id;
	b->c.received = b->received;
	b->c.instance = b->instance;
	b->c.transport = "udp";
	b->c.user_agent = "Phone 1.2.3";
	b->c.address = "a1";
	b->c.q_milli = 1000;
	b->c.cseq = 1;
	b->c.node = node;
	b->c.expires_ms = expires_ms;
	b->op.at_ms = 1;
	b->op.what_case = TD__OP__WHAT_CONTACT_PUT;
	b->op.contact_put = &b->c;
	return &b->op;
}

static void apply(struct td_view *v, const Td__Op *op)
{
	Td__Op *copy;
	uint8_t *buf;
	size_t n;
	bool moved;

	if (td_op_pack(op, &buf, &n))
		abort();
	if (td_op_unpack(buf, n, &copy))
		abort();
	free(buf);
	if (td_apply(v, copy, 1, &moved))
		abort();
	td_apply_release(copy, moved);
}

static double refreshes(struct td_view *v, uint32_t n)
{
	Td__ContactRefresh r = TD__CONTACT_REFRESH__INIT;
	Td__Op op = TD__OP__INIT;
	struct bench_contact b;
	double began = bench_cpu_s();

	op.what_case = TD__OP__WHAT_CONTACT_REFRESH;
	op.contact_refresh = &r;
	for (uint32_t i = 0; i < n; i++) {
		bench_contact(&b, i, 1, 0);
		r.user = b.user;
		r.uri = b.uri;
		r.call_id = b.call_id;
		r.cseq = 2;
		r.expires_ms = 2000000000000 + i;
		apply(v, &op);
	}
	return (bench_cpu_s() - began) / n;
}

/* @return the longest part's processor time */
static double copy_by_parts(struct td_view *v, double *total)
{
	struct td_view_cut *cut;
	struct td_view *copy;
	double longest = 0, began = bench_cpu_s();
	bool last = false;

	if (td_view_cut_new(v, &cut) || td_view_new(&copy))
		abort();
	while (!last) {
		double part = bench_cpu_s();
		uint8_t *buf;
		size_t n;

		if (td_view_cut_next(cut, 64 * 1024, &buf, &n, &last))
			abort();
		part = bench_cpu_s() - part;
		if (part > longest)
			longest = part;
		if (n && td_view_add_part(copy, buf, n) != last)
			abort();
		free(buf);
	}
	*total = bench_cpu_s() - began;
	td_view_cut_free(cut);
	td_view_free(copy);
	return longest;
}

json_t *bench_local(uint32_t contacts)
{
	struct bench_contact b;
	double put, refresh, part, parts;
	struct td_view *v;
	size_t before, octets;

	if (td_view_new(&v))
		abort();
	v->level = TD_FEATURE_LEVEL;
	before = mallinfo2().uordblks;
	put = bench_cpu_s();
	for (uint32_t i = 0; i < contacts; i++)
		apply(v, bench_contact(&b, i, 1, 1900000000000 + i));
	put = (bench_cpu_s() - put) / contacts;
	octets = mallinfo2().uordblks - before;
	refresh = refreshes(v, contacts);
	part = copy_by_parts(v, &parts);
	td_view_free(v);
	return json_pack("{sisisfsfsfsf}", "contacts", (int)contacts,
			 "octets_each", (int)(octets / contacts), "put_us",
			 put * 1e6, "refresh_us", refresh * 1e6,
			 "copy_s", parts, "longest_part_ms", part * 1e3);
}
