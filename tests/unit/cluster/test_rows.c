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

/* What feature level 2 brought, and pictures of a view that goes on. */

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
	td_apply_release(copy, moved);
	return rc;
}

static int raise(struct td_view *v, uint32_t level, uint32_t from)
{
	Td__LevelRaise r = TD__LEVEL_RAISE__INIT;
	Td__Op op = TD__OP__INIT;

	r.level = level;
	op.what_case = TD__OP__WHAT_LEVEL_RAISE;
	op.level_raise = &r;
	return apply(v, &op, from);
}

static struct td_view *two_nodes(uint32_t level)
{
	struct td_view *v;
	struct test_op t;

	assert_int_equal(td_view_new(&v), 0);
	assert_int_equal(apply(v, op_node(&t, 1, 11), 1), 0);
	assert_int_equal(apply(v, op_node(&t, 2, 22), 2), 0);
	if (level > 1)
		assert_int_equal(raise(v, level, 1), 0);
	return v;
}

static void the_level_rises_when_all_that_run_have_announced_it(void **state)
{
	struct td_view *v = two_nodes(1);
	struct test_op t;

	assert_int_equal(td_view_feature_level(v), 1);
	op_node(&t, 2, 22);
	t.node.feature_level = 1;
	assert_int_equal(apply(v, &t.op, 2), 0);
	assert_int_equal(raise(v, 2, 1), -EINVAL);
	/* ops of the later level are refused by all until then */
	assert_int_equal(apply(v, op_user(&t, "1000", true, ""), 1), -EINVAL);
	apply(v, op_gone(&t, 2, 22), 1);
	assert_int_equal(raise(v, 2, 1), 0);
	assert_int_equal(td_view_feature_level(v), 2);
	assert_int_equal(raise(v, 2, 1), -ESTALE);
	assert_int_equal(apply(v, op_user(&t, "1000", true, ""), 1), 0);
	/* who cannot speak it stays out */
	op_node(&t, 2, 23);
	t.node.feature_level = 1;
	assert_int_equal(apply(v, &t.op, 2), -EINVAL);
	td_view_free(v);
}

static void what_a_user_has_set_is_a_row_until_it_is_unset(void **state)
{
	struct td_view *v = two_nodes(2);
	struct td_view_counts n;
	struct td_view_iter i = { 0 };
	struct test_op t;

	assert_null(td_view_user(v, "1000"));
	assert_int_equal(apply(v, op_user(&t, "1000", true, ""), 1), 0);
	assert_int_equal(apply(v, op_user(&t, "1001", false, "1002"), 2), 0);
	assert_int_equal(apply(v, op_user(&t, "", true, ""), 1), -EINVAL);
	assert_true(td_view_user(v, "1000")->dnd);
	assert_string_equal(td_view_user(v, "1001")->forward_all, "1002");
	/* it says all that is set, not what changes */
	assert_int_equal(apply(v, op_user(&t, "1000", false, "1003"), 2), 0);
	assert_false(td_view_user(v, "1000")->dnd);
	assert_string_equal(td_view_users(v, &i)->user, "1000");
	assert_string_equal(td_view_users(v, &i)->user, "1001");
	assert_null(td_view_users(v, &i));
	assert_int_equal(apply(v, op_user(&t, "1000", false, ""), 2), 0);
	assert_null(td_view_user(v, "1000"));
	assert_int_equal(apply(v, op_user(&t, "1000", false, ""), 2), 0);
	td_view_counts(v, &n);
	assert_int_equal(n.settings, 1);
	td_view_free(v);
}

static void a_users_settings_are_bounded(void **state)
{
	char number[TD_NUMBER_OCTETS + 2];
	struct test_op t;
	uint8_t *buf;
	size_t n;

	memset(number, '1', sizeof(number));
	number[sizeof(number) - 1] = 0;
	op_user(&t, "1000", true, "");
	t.user.forward_all = number;
	assert_int_equal(td_op_pack(&t.op, &buf, &n), -EMSGSIZE);
	number[TD_NUMBER_OCTETS] = 0;
	t.user.no_answer_s = TD_NO_ANSWER_MAX_S;
	assert_int_equal(td_op_pack(&t.op, &buf, &n), 0);
	free(buf);
	t.user.no_answer_s++;
	assert_int_equal(td_op_pack(&t.op, &buf, &n), -EBADMSG);
}

static void a_refresh_changes_the_time_and_what_it_says(void **state)
{
	struct td_view *v = two_nodes(2);
	const Td__Contact *c;
	struct test_op t;

	assert_int_equal(apply(v, op_refresh(&t, "1000", "sip:a", 9000), 1),
			 -ESTALE);
	op_contact(&t, "1000", "sip:a", 5000);
	t.contact.call_id = "x";
	t.contact.cseq = 3;
	t.contact.received = "10.0.0.1:5060";
	t.contact.user_agent = "phone";
	t.contact.node = 1;
	assert_int_equal(apply(v, &t.op, 1), 0);
	c = td_view_contact(v, "1000", "sip:a");
	op_refresh(&t, "1000", "sip:a", 9000);
	t.refresh.call_id = "x";
	t.refresh.cseq = 4;
	assert_int_equal(apply(v, &t.op, 2), 0);
	assert_ptr_equal(td_view_contact(v, "1000", "sip:a"), c);
	assert_int_equal(c->expires_ms, 9000);
	assert_int_equal(c->cseq, 4);
	assert_int_equal(c->node, 1);
	assert_string_equal(c->received, "10.0.0.1:5060");
	assert_string_equal(c->user_agent, "phone");
	/* out of order; another Call-ID, another flow, at another node */
	t.refresh.cseq = 3;
	assert_int_equal(apply(v, &t.op, 2), -ESTALE);
	t.refresh.call_id = "y";
	t.refresh.received = "10.0.0.2:5060";
	t.refresh.transport = "tcp";
	t.refresh.node = 2;
	assert_int_equal(apply(v, &t.op, 2), 0);
	assert_string_equal(c->call_id, "y");
	assert_string_equal(c->received, "10.0.0.2:5060");
	assert_string_equal(c->transport, "tcp");
	assert_int_equal(c->node, 2);
	/* due at its new time */
	apply(v, op_tick(&t, 8999), 1);
	assert_non_null(td_view_contact(v, "1000", "sip:a"));
	apply(v, op_tick(&t, 9000), 1);
	assert_null(td_view_contact(v, "1000", "sip:a"));
	td_view_free(v);
}

static void a_drain_outlives_the_nodes_daemon(void **state)
{
	struct td_view *v = two_nodes(2);
	struct test_op t;

	assert_int_equal(apply(v, op_drain(&t, 3, true), 1), -EINVAL);
	assert_int_equal(apply(v, op_drain(&t, 2, true), 1), 0);
	assert_int_equal(td_view_node(v, 2)->state,
			 TD__NODE_STATE__NODE_DRAINING);
	/* its own word about itself does not end it, nor does a new life */
	assert_int_equal(apply(v, op_node(&t, 2, 22), 2), 0);
	assert_int_equal(td_view_node(v, 2)->state,
			 TD__NODE_STATE__NODE_DRAINING);
	assert_int_equal(apply(v, op_gone(&t, 2, 22), 1), 0);
	assert_int_equal(td_view_node(v, 2)->state,
			 TD__NODE_STATE__NODE_DOWN);
	assert_int_equal(apply(v, op_node(&t, 2, 23), 2), 0);
	assert_int_equal(td_view_node(v, 2)->state,
			 TD__NODE_STATE__NODE_DRAINING);
	assert_int_equal(apply(v, op_drain(&t, 2, false), 2), 0);
	assert_int_equal(td_view_node(v, 2)->state, TD__NODE_STATE__NODE_UP);
	/* while it is down */
	assert_int_equal(apply(v, op_gone(&t, 2, 23), 1), 0);
	assert_int_equal(apply(v, op_drain(&t, 2, true), 1), 0);
	assert_int_equal(td_view_node(v, 2)->state,
			 TD__NODE_STATE__NODE_DOWN);
	assert_int_equal(apply(v, op_node(&t, 2, 24), 2), 0);
	assert_int_equal(td_view_node(v, 2)->state,
			 TD__NODE_STATE__NODE_DRAINING);
	td_view_free(v);
}

/* --- cuts --- */

static void assert_is(const struct td_view *v, const uint8_t *want, size_t n)
{
	uint8_t *buf;
	size_t m;

	assert_int_equal(td_view_pack(v, &buf, &m), 0);
	assert_int_equal(m, n);
	assert_memory_equal(buf, want, n);
	free(buf);
}

struct picture {
	struct td_view_cut *cut;
	struct td_view *copy;
	uint8_t *want;
	size_t n;
	bool last;
};

static void picture_new(struct picture *p, struct td_view *v)
{
	*p = (struct picture){ 0 };
	assert_int_equal(td_view_pack(v, &p->want, &p->n), 0);
	assert_int_equal(td_view_cut_new(v, &p->cut), 0);
	assert_int_equal(td_view_new(&p->copy), 0);
}

/* @return it is whole, and was compared */
static bool picture_step(struct picture *p, size_t max)
{
	uint8_t *buf;
	size_t n;
	int rc;

	assert_int_equal(td_view_cut_next(p->cut, max, &buf, &n, &p->last), 0);
	rc = td_view_add_part(p->copy, buf, n);
	free(buf);
	assert_int_equal(rc, p->last);
	if (!p->last)
		return false;
	assert_is(p->copy, p->want, p->n);
	td_view_cut_free(p->cut);
	td_view_free(p->copy);
	free(p->want);
	return true;
}

static void random_ops(struct td_view *v, unsigned int *seed, int n)
{
	struct test_op t;

	while (n--) {
		uint32_t from = 1 + rand_r(seed) % 2;

		if (rand_r(seed) % 200)
			apply(v, op_random(&t, seed, from), from);
		else
			apply(v, op_node(&t, from, rand_r(seed)), from);
	}
}

/* several at a time, begun at any moments, of rows that come, change and go */
static void a_cut_stays_as_it_was_while_the_view_goes_on(void **state)
{
	unsigned int seed = 3, whole = 0;
	struct td_view *v = two_nodes(2);
	struct picture p[3];
	bool open[3] = { false };

	random_ops(v, &seed, 2000);
	while (whole < 60) {
		unsigned int k = rand_r(&seed) % 3;

		random_ops(v, &seed, rand_r(&seed) % 12);
		if (!open[k]) {
			picture_new(&p[k], v);
			open[k] = true;
		} else if (picture_step(&p[k], rand_r(&seed) % 3 ? 100 : 900)) {
			open[k] = false;
			whole++;
		}
	}
	for (int k = 0; k < 3; k++)
		while (open[k])
			open[k] = !picture_step(&p[k], 4000);
	assert_null(v->cuts);
	td_view_free(v);
}

static void a_cut_can_be_dropped_at_any_moment(void **state)
{
	unsigned int seed = 5;
	struct td_view *v = two_nodes(2);
	struct picture p;

	random_ops(v, &seed, 500);
	for (int steps = 0; steps < 10; steps++) {
		picture_new(&p, v);
		for (int i = 0; i < steps; i++) {
			random_ops(v, &seed, 20);
			picture_step(&p, 50);
		}
		td_view_cut_free(p.cut);
		td_view_free(p.copy);
		free(p.want);
	}
	assert_null(v->cuts);
	random_ops(v, &seed, 100);
	td_view_free(v);
}

static void a_part_that_comes_twice_is_a_fault(void **state)
{
	struct td_view *v = two_nodes(2), *copy;
	struct td_view_cut *cut;
	struct test_op t;
	uint8_t *buf;
	size_t n;
	bool last;

	apply(v, op_contact(&t, "1", "sip:a", 9), 1);
	assert_int_equal(td_view_cut_new(v, &cut), 0);
	assert_int_equal(td_view_cut_next(cut, 900, &buf, &n, &last), 0);
	assert_int_equal(td_view_new(&copy), 0);
	assert_int_equal(td_view_add_part(copy, buf, n), 0);
	assert_int_equal(td_view_add_part(copy, buf, n), -EBADMSG);
	assert_int_equal(td_view_add_part(copy, "\xff", 1), -EBADMSG);
	free(buf);
	td_view_free(copy);
	td_view_cut_free(cut);
	td_view_free(v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			the_level_rises_when_all_that_run_have_announced_it),
		cmocka_unit_test(
			what_a_user_has_set_is_a_row_until_it_is_unset),
		cmocka_unit_test(a_users_settings_are_bounded),
		cmocka_unit_test(a_refresh_changes_the_time_and_what_it_says),
		cmocka_unit_test(a_drain_outlives_the_nodes_daemon),
		cmocka_unit_test(a_cut_stays_as_it_was_while_the_view_goes_on),
		cmocka_unit_test(a_cut_can_be_dropped_at_any_moment),
		cmocka_unit_test(a_part_that_comes_twice_is_a_fault),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
