// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cluster/apply.h"
#include "cluster/view_priv.h"
#include "cluster/ops.h"

/* as the bus does it: packed, unpacked, applied, freed */
static int apply(struct td_view *v, const Td__Op *op, uint32_t from)
{
	uint8_t *buf;
	size_t n;
	Td__Op *copy;
	bool moved;
	int rc;

	assert_int_equal(td_op_pack(op, &buf, &n), 0);
	assert_int_equal(td_op_unpack(buf, n, &copy), 0);
	free(buf);
	rc = td_apply(v, copy, from, &moved);
	/* still readable for whoever is told of it */
	assert_int_equal(copy->what_case, op->what_case);
	td_apply_release(copy, moved);
	return rc;
}

static struct td_view *two_nodes(void)
{
	struct td_view *v;
	struct test_op t;

	assert_int_equal(td_view_new(&v), 0);
	assert_int_equal(apply(v, op_node(&t, 1, 11), 1), 0);
	assert_int_equal(apply(v, op_node(&t, 2, 22), 2), 0);
	v->level = TD_FEATURE_LEVEL;
	return v;
}

static void only_the_row_owner_may_say_it(void **state)
{
	struct td_view *v = two_nodes();
	struct test_op t;

	assert_int_equal(apply(v, op_node(&t, 1, 11), 2), -EINVAL);
	assert_int_equal(apply(v, op_span(&t, "s1", 1, true, 1), 2), -EINVAL);
	assert_int_equal(apply(v, op_call(&t, 7, 1, "s1", 1), 2), -EINVAL);
	assert_int_equal(apply(v, op_call(&t, 7, 1, "s1", 1), 1), 0);
	assert_int_equal(apply(v, op_call_del(&t, 7, 1), 2), -EINVAL);
	assert_non_null(td_view_call(v, 7, 1));
	/* refused ones have their index too */
	assert_int_equal(td_view_index(v).n, 7);
	td_view_free(v);
}

static void a_channel_is_busy_while_a_leg_holds_it(void **state)
{
	struct td_view *v = two_nodes();
	struct test_op t;

	assert_false(td_view_channel_busy(v, "s1", 5));
	apply(v, op_call(&t, 7, 1, "s1", 5), 1);
	apply(v, op_call(&t, 8, 2, "s1", 5), 2);
	assert_true(td_view_channel_busy(v, "s1", 5));
	assert_false(td_view_channel_busy(v, "s1", 6));
	assert_false(td_view_channel_busy(v, "s2", 5));
	assert_false(td_view_channel_busy(v, "s1", 99));
	apply(v, op_call_del(&t, 7, 1), 1);
	assert_true(td_view_channel_busy(v, "s1", 5));
	op_call(&t, 8, 2, "s1", 5);
	t.leg.state = TD__LEG_STATE__LEG_ENDED;
	apply(v, &t.op, 2);
	assert_false(td_view_channel_busy(v, "s1", 5));
	/* moved to another one */
	apply(v, op_call(&t, 8, 2, "s1", 5), 2);
	apply(v, op_call(&t, 8, 2, "s2", 31), 2);
	assert_false(td_view_channel_busy(v, "s1", 5));
	assert_true(td_view_channel_busy(v, "s2", 31));
	td_view_free(v);
}

static void a_gone_node_ends_its_calls_and_spans_not_its_contacts(void **state)
{
	struct td_view *v = two_nodes();
	struct test_op t;
	struct td_view_counts n;

	apply(v, op_call(&t, 7, 2, "s3", 1), 2);
	apply(v, op_call(&t, 7, 1, "s1", 1), 1);
	apply(v, op_span(&t, "s3", 2, true, 1), 2);
	op_contact(&t, "1000", "sip:a", 1000);
	t.contact.node = 2;
	apply(v, &t.op, 2);
	assert_int_equal(apply(v, op_gone(&t, 2, 21), 1), -ESTALE);
	assert_int_equal(apply(v, op_gone(&t, 2, 22), 1), 0);
	td_view_counts(v, &n);
	assert_int_equal(n.calls, 1);
	assert_int_equal(n.spans, 0);
	assert_int_equal(n.contacts, 1);
	assert_int_equal(td_view_node(v, 2)->state,
			 TD__NODE_STATE__NODE_DOWN);
	assert_false(td_view_node(v, 2)->synced);
	assert_false(td_view_channel_busy(v, "s3", 1));
	/* once is enough, and the dead say nothing */
	assert_int_equal(apply(v, op_gone(&t, 2, 22), 1), -ESTALE);
	assert_int_equal(apply(v, op_call(&t, 9, 2, "s3", 1), 2), -ESTALE);
	/* a new life, and the late word of the old one's end */
	assert_int_equal(apply(v, op_node(&t, 2, 23), 2), 0);
	assert_int_equal(apply(v, op_gone(&t, 2, 22), 1), -ESTALE);
	assert_int_equal(apply(v, op_call(&t, 9, 2, "s3", 1), 2), 0);
	/* a life that nobody ended: the next one does */
	assert_int_equal(apply(v, op_node(&t, 2, 24), 2), 0);
	assert_null(td_view_call(v, 9, 2));
	td_view_free(v);
}

static void an_op_of_a_stale_owner_is_refused(void **state)
{
	struct td_view *v = two_nodes();
	struct test_op t;

	assert_int_equal(apply(v, op_span(&t, "s1", 1, true, 3), 1), 0);
	assert_int_equal(apply(v, op_span(&t, "s1", 2, false, 0), 2), 0);
	assert_int_equal(td_view_span_owner(v, "s1")->node, 1);
	assert_int_equal(apply(v, op_span(&t, "s1", 2, true, 3), 2), -ESTALE);
	assert_int_equal(apply(v, op_span(&t, "s1", 2, true, 4), 2), 0);
	assert_int_equal(td_view_span_owner(v, "s1")->node, 2);
	assert_false(td_view_span(v, "s1", 1)->owner);
	assert_int_equal(apply(v, op_span(&t, "s1", 1, true, 3), 1), -ESTALE);
	assert_int_equal(apply(v, op_span(&t, "s1", 1, false, 2), 1), -ESTALE);
	op_call(&t, 7, 1, "s1", 1);
	t.call.epoch = 4;
	assert_int_equal(apply(v, &t.op, 1), 0);
	op_call(&t, 7, 1, "s1", 1);
	t.call.epoch = 3;
	assert_int_equal(apply(v, &t.op, 1), -ESTALE);
	assert_null(td_view_span_owner(v, "s9"));
	td_view_free(v);
}

static void a_line_that_is_not_wired_any_more_has_no_row(void **state)
{
	struct td_view *v = two_nodes();
	struct test_op t;

	apply(v, op_span(&t, "s1", 1, true, 3), 1);
	apply(v, op_span(&t, "s1", 2, false, 0), 2);
	assert_int_equal(apply(v, op_span_del(&t, "s1", 1), 2), -EINVAL);
	assert_int_equal(apply(v, op_span_del(&t, "", 1), 1), -EINVAL);
	assert_int_equal(apply(v, op_span_del(&t, "s1", 1), 1), 0);
	assert_null(td_view_span(v, "s1", 1));
	assert_non_null(td_view_span(v, "s1", 2));
	assert_int_equal(apply(v, op_span_del(&t, "s1", 1), 1), 0);
	td_view_free(v);
}

static void contacts_walk_by_user_and_expire_by_tick_only(void **state)
{
	struct td_view *v = two_nodes();
	struct test_op t;
	struct td_view_iter i = { 0 };
	struct td_view_counts n;

	apply(v, op_tick(&t, 1000), 1);
	assert_int_equal(td_view_now_ms(v), 1000);
	apply(v, op_contact(&t, "1001", "sip:c", 5000), 1);
	apply(v, op_contact(&t, "1000", "sip:b", 3000), 1);
	apply(v, op_contact(&t, "1000", "sip:a", 2000), 1);
	assert_string_equal(td_view_user_contacts(v, "1000", &i)->uri,
			    "sip:a");
	assert_string_equal(td_view_user_contacts(v, "1000", &i)->uri,
			    "sip:b");
	assert_null(td_view_user_contacts(v, "1000", &i));
	assert_null(td_view_user_contacts(v, "1000", &i));
	i.pos = 0;
	assert_null(td_view_user_contacts(v, "100", &i));
	td_view_counts(v, &n);
	assert_int_equal(n.users, 2);
	/* another op's clock moves nothing; time never goes back */
	op_contact(&t, "1002", "sip:d", 9000);
	t.op.at_ms = 8000;
	apply(v, &t.op, 1);
	apply(v, op_tick(&t, 500), 1);
	assert_int_equal(td_view_now_ms(v), 1000);
	apply(v, op_tick(&t, 1999), 1);
	assert_non_null(td_view_contact(v, "1000", "sip:a"));
	apply(v, op_tick(&t, 2000), 1);
	assert_null(td_view_contact(v, "1000", "sip:a"));
	/* refreshed: due at its new time */
	apply(v, op_contact(&t, "1000", "sip:b", 7000), 1);
	apply(v, op_tick(&t, 6000), 1);
	assert_non_null(td_view_contact(v, "1000", "sip:b"));
	assert_null(td_view_contact(v, "1001", "sip:c"));
	td_view_counts(v, &n);
	assert_int_equal(n.contacts, 2);
	assert_int_equal(n.users, 2);
	/* a clock that jumps a day moves ten minutes */
	apply(v, op_tick(&t, 6000 + 86400000ULL), 1);
	assert_int_equal(td_view_now_ms(v), 6000 + TD_TICK_MAX_MS);
	td_view_free(v);
}

static void registrations_of_one_call_id_go_by_cseq(void **state)
{
	struct td_view *v = two_nodes();
	struct test_op t;

	op_contact(&t, "1000", "sip:a", 1000);
	t.contact.call_id = "x";
	t.contact.cseq = 5;
	assert_int_equal(apply(v, &t.op, 1), 0);
	t.contact.cseq = 4;
	assert_int_equal(apply(v, &t.op, 2), -ESTALE);
	t.contact.call_id = "y";
	assert_int_equal(apply(v, &t.op, 2), 0);
	assert_int_equal(apply(v, op_contact(&t, "", "sip:a", 1), 1),
			 -EINVAL);
	td_view_free(v);
}

static void a_user_has_a_bounded_number_of_contacts(void **state)
{
	struct td_view *v = two_nodes();
	struct test_op t;
	struct td_view_counts n;
	char uri[32];

	for (int i = 0; i < TD_USER_MAX_CONTACTS; i++) {
		snprintf(uri, sizeof(uri), "sip:%d", i);
		assert_int_equal(apply(v, op_contact(&t, "1", uri, 9), 1), 0);
	}
	assert_int_equal(apply(v, op_contact(&t, "1", "sip:x", 9), 1),
			 -ENOSPC);
	assert_int_equal(apply(v, op_contact(&t, "1", "sip:0", 9), 1), 0);
	assert_int_equal(apply(v, op_contact_del(&t, "1", "sip:3"), 2), 0);
	assert_int_equal(apply(v, op_contact(&t, "1", "sip:x", 9), 1), 0);
	assert_int_equal(apply(v, op_contact_del(&t, "1", ""), 2), 0);
	td_view_counts(v, &n);
	assert_int_equal(n.contacts + n.users, 0);
	td_view_free(v);
}

static void a_generation_is_prepared_then_switched_to(void **state)
{
	struct td_view *v = two_nodes();
	struct test_op t;

	assert_null(td_view_config(v));
	assert_int_equal(apply(v, op_switch(&t, 1, "a"), 1), -ESTALE);
	assert_int_equal(apply(v, op_config(&t, 1, "a"), 1), 0);
	assert_null(td_view_config(v));
	assert_int_equal(td_view_config_next(v)->generation, 1);
	/* both loaded it: fine; another content: no */
	assert_int_equal(apply(v, op_config(&t, 1, "a"), 2), 0);
	assert_int_equal(apply(v, op_config(&t, 1, "b"), 2), -ESTALE);
	assert_int_equal(apply(v, op_switch(&t, 1, "b"), 1), -ESTALE);
	assert_int_equal(apply(v, op_switch(&t, 1, "a"), 1), 0);
	assert_int_equal(td_view_config(v)->generation, 1);
	assert_null(td_view_config_next(v));
	assert_int_equal(apply(v, op_config(&t, 1, "c"), 1), -ESTALE);
	assert_int_equal(apply(v, op_config(&t, 3, "c"), 1), 0);
	assert_int_equal(apply(v, op_config(&t, 2, "d"), 1), -ESTALE);
	assert_int_equal(apply(v, op_config(&t, 4, "e"), 1), 0);
	assert_int_equal(apply(v, op_switch(&t, 3, "c"), 1), -ESTALE);
	assert_int_equal(apply(v, op_switch(&t, 4, "e"), 1), 0);
	td_view_free(v);
}

static void assert_equal_views(const struct td_view *a,
			       const struct td_view *b)
{
	uint8_t *pa, *pb;
	size_t na, nb;

	assert_int_equal(td_view_pack(a, &pa, &na), 0);
	assert_int_equal(td_view_pack(b, &pb, &nb), 0);
	assert_int_equal(na, nb);
	assert_memory_equal(pa, pb, na);
	free(pa);
	free(pb);
}

/* and a third one that is made from a snapshot half-way */
static void views_that_were_fed_the_same_pack_to_equal_octets(void **state)
{
	struct td_view *v[3] = { two_nodes(), two_nodes(), NULL };
	unsigned int seed = 42, refused = 0;
	struct td_view_counts n;
	uint8_t *buf;
	size_t size;

	for (int i = 0; i < 4000; i++) {
		uint32_t from = 1 + rand_r(&seed) % 2;
		struct test_op t;
		Td__Op *op = op_random(&t, &seed, from);
		int rc;

		if (i % 500 == 250) {
			td_view_free(v[2]);
			assert_int_equal(td_view_pack(v[0], &buf, &size), 0);
			assert_int_equal(td_view_unpack(buf, size, &v[2]), 0);
			free(buf);
		}
		rc = apply(v[0], op, from);
		refused += rc != 0;
		assert_int_equal(apply(v[1], op, from), rc);
		if (v[2])
			assert_int_equal(apply(v[2], op, from), rc);
	}
	td_view_counts(v[0], &n);
	assert_true(n.calls > 20 && n.contacts > 5 && refused > 100);
	assert_equal_views(v[0], v[1]);
	assert_equal_views(v[0], v[2]);
	td_view_counts(v[2], &n);
	assert_int_equal(n.users, v[0]->users);
	for (uint32_t t = 1; t < 32; t++)
		for (int s = 0; s < 3; s++)
			assert_int_equal(
				td_view_channel_busy(v[s], "s1", t),
				td_view_channel_busy(v[0], "s1", t));
	for (int i = 0; i < 3; i++)
		td_view_free(v[i]);
}

static void a_refused_op_changes_nothing_but_the_index(void **state)
{
	struct td_view *v = two_nodes();
	unsigned int seed = 9, refused = 0;

	for (int i = 0; i < 2000; i++) {
		uint32_t from = 1 + rand_r(&seed) % 2;
		struct test_op t;
		Td__Op *op = op_random(&t, &seed, from);
		uint8_t *before, *after;
		size_t n, m;
		int rc;

		assert_int_equal(td_view_pack(v, &before, &n), 0);
		rc = apply(v, op, rand_r(&seed) % 4 ? from : 3 - from);
		if (rc) {
			refused++;
			v->index.n--;
			assert_int_equal(td_view_pack(v, &after, &m), 0);
			v->index.n++;
			assert_int_equal(n, m);
			assert_memory_equal(before, after, n);
			free(after);
		}
		free(before);
	}
	assert_true(refused > 100);
	td_view_free(v);
}

static void a_damaged_snapshot_gives_no_view(void **state)
{
	struct td_view *v = two_nodes(), *w = NULL;
	Td__Snapshot *s;
	struct test_op t;
	uint8_t *buf;
	size_t n;

	apply(v, op_contact(&t, "1", "sip:a", 9), 1);
	apply(v, op_contact(&t, "1", "sip:b", 9), 1);
	apply(v, op_call(&t, 1, 1, "s1", 1), 1);
	apply(v, op_span(&t, "s1", 1, true, 1), 1);
	apply(v, op_config(&t, 1, "x"), 1);
	assert_int_equal(td_view_pack(v, &buf, &n), 0);
	for (size_t cut = 0; cut < n; cut++)
		if (!td_view_unpack(buf, cut, &w)) {
			td_view_free(w);	/* cut between two rows */
			w = NULL;
		}
	/* the same key twice */
	assert_int_equal(td_snapshot_unpack(buf, n, &s), 0);
	free(buf);
	strcpy(s->contacts[1]->uri, "sip:a");
	assert_int_equal(td_snapshot_pack(s, &buf, &n), 0);
	td_snapshot_free(s);
	assert_int_equal(td_view_unpack(buf, n, &w), -EBADMSG);
	assert_null(w);
	free(buf);
	/* made at a later level */
	v->level = TD_FEATURE_LEVEL + 1;
	assert_int_equal(td_view_pack(v, &buf, &n), 0);
	assert_int_equal(td_view_unpack(buf, n, &w), -EPROTONOSUPPORT);
	free(buf);
	td_view_free(v);
}

static int unit(struct td_view *v, uint32_t from, const char *name,
		uint32_t node, uint64_t epoch)
{
	Td__Unit u = TD__UNIT__INIT;
	Td__Op op = TD__OP__INIT;

	u.unit = (char *)name;
	u.node = node;
	u.epoch = epoch;
	op.what_case = TD__OP__WHAT_UNIT;
	op.unit = &u;
	return apply(v, &op, from);
}

static void a_unit_has_one_owner_an_epoch(void **state)
{
	struct td_view *v = two_nodes();
	struct test_op t;

	assert_int_equal(unit(v, 1, "a1", 1, 7), 0);
	assert_int_equal(unit(v, 2, "a1", 2, 7), -ESTALE);
	assert_int_equal(unit(v, 2, "a1", 2, 6), -ESTALE);
	assert_int_equal(unit(v, 2, "a1", 1, 8), -EINVAL);
	assert_int_equal(unit(v, 2, "a1", 2, 8), 0);
	assert_int_equal(unit(v, 1, "a1", 1, 7), -ESTALE);
	assert_int_equal(td_view_unit(v, "a1")->node, 2);
	assert_int_equal(unit(v, 2, "a1", 0, 8), 0);
	assert_int_equal(td_view_unit(v, "a1")->node, 0);
	assert_int_equal(unit(v, 1, "a1", 1, 9), 0);
	assert_int_equal(apply(v, op_gone(&t, 1, 11), 2), 0);
	assert_int_equal(td_view_unit(v, "a1")->node, 0);
	assert_int_equal(td_view_unit(v, "a1")->epoch, 9);
	td_view_free(v);
}

static unsigned int ended(const struct td_view *v, uint64_t *sum)
{
	struct td_view_iter i = { 0 };
	const Td__Call *c;
	unsigned int n = 0;

	*sum = 0;
	while ((c = td_view_ended_calls(v, &i))) {
		*sum += c->id;
		n++;
	}
	return n;
}

static void calls_that_end_with_their_node_are_told_once(void **state)
{
	struct td_view *v = two_nodes();
	struct test_op t;
	uint64_t sum;

	apply(v, op_call(&t, 100, 2, "", 0), 2);
	apply(v, op_call(&t, 101, 2, "", 0), 2);
	apply(v, op_call(&t, 102, 1, "", 0), 1);
	assert_int_equal(ended(v, &sum), 0);
	assert_int_equal(apply(v, op_gone(&t, 2, 22), 1), 0);
	assert_int_equal(ended(v, &sum), 2);
	assert_int_equal(sum, 201);
	assert_null(td_view_call(v, 100, 2));
	apply(v, op_tick(&t, 1), 1);
	assert_int_equal(ended(v, &sum), 0);
	/* a new life ends its predecessor's as well */
	assert_int_equal(apply(v, op_node(&t, 1, 12), 1), 0);
	assert_int_equal(ended(v, &sum), 1);
	td_view_free(v);
}

static int call_end(struct td_view *v, uint32_t from, uint64_t id,
		    uint32_t node, const char *key)
{
	struct test_op t;
	Td__CallEnd e = TD__CALL_END__INIT;
	Td__SpoolRecord r = TD__SPOOL_RECORD__INIT;

	memset(&t, 0, sizeof(t));
	td__op__init(&t.op);
	t.op.what_case = TD__OP__WHAT_CALL_END;
	t.op.call_end = &e;
	e.id = id;
	e.node = node;
	r.type = 1;
	r.key = (ProtobufCBinaryData){ strlen(key), (uint8_t *)key };
	e.record = &r;
	return apply(v, &t.op, from);
}

static void a_call_ends_with_its_record(void **state)
{
	struct td_view *v = two_nodes();
	struct test_op t;

	apply(v, op_call(&t, 100, 2, "", 0), 2);
	assert_int_equal(call_end(v, 1, 100, 2, "k"), -EINVAL);
	assert_int_equal(call_end(v, 2, 100, 2, ""), -EINVAL);
	assert_non_null(td_view_call(v, 100, 2));
	assert_int_equal(call_end(v, 2, 100, 2, "k"), 0);
	assert_null(td_view_call(v, 100, 2));
	assert_int_equal(call_end(v, 2, 100, 2, "k"), 0);
	td_view_free(v);
}

static void every_op_has_a_row_in_the_table(void **state)
{
	for (unsigned int i = 0; i < td__op__descriptor.n_fields; i++) {
		const ProtobufCFieldDescriptor *f =
			&td__op__descriptor.fields[i];
		const struct td_op_info *info;

		if (!(f->flags & PROTOBUF_C_FIELD_FLAG_ONEOF))
			continue;
		info = td_op_info((Td__Op__WhatCase)f->id);
		assert_non_null(info);
		assert_string_equal(info->name, f->name);
		assert_true(info->level >= 1 &&
			    info->level <= TD_FEATURE_LEVEL);
	}
	assert_null(td_op_info((Td__Op__WhatCase)0));
	assert_null(td_op_info((Td__Op__WhatCase)999));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_the_row_owner_may_say_it),
		cmocka_unit_test(a_channel_is_busy_while_a_leg_holds_it),
		cmocka_unit_test(
			a_gone_node_ends_its_calls_and_spans_not_its_contacts),
		cmocka_unit_test(an_op_of_a_stale_owner_is_refused),
		cmocka_unit_test(a_line_that_is_not_wired_any_more_has_no_row),
		cmocka_unit_test(contacts_walk_by_user_and_expire_by_tick_only),
		cmocka_unit_test(registrations_of_one_call_id_go_by_cseq),
		cmocka_unit_test(a_user_has_a_bounded_number_of_contacts),
		cmocka_unit_test(a_generation_is_prepared_then_switched_to),
		cmocka_unit_test(
			views_that_were_fed_the_same_pack_to_equal_octets),
		cmocka_unit_test(a_refused_op_changes_nothing_but_the_index),
		cmocka_unit_test(a_damaged_snapshot_gives_no_view),
		cmocka_unit_test(a_unit_has_one_owner_an_epoch),
		cmocka_unit_test(calls_that_end_with_their_node_are_told_once),
		cmocka_unit_test(a_call_ends_with_its_record),
		cmocka_unit_test(every_op_has_a_row_in_the_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
