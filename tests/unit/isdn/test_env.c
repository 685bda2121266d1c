// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "node/isdn/isdn.h"

/* The real world without a card: loop and cluster. */
struct ctx {
	struct td_loop *loop;
	struct td_cluster *cluster;
	struct td_isdn *isdn;
	struct td_timer guard;
	bool seen, late;
};

static void on_applied(void *arg, const Td__Op *op, uint32_t from)
{
	struct ctx *c = arg;

	if (td_view_span(td_cluster_view(c->cluster), "s1", 1)) {
		c->seen = true;
		td_loop_stop(c->loop);
	}
}

static void on_late(void *arg)
{
	struct ctx *c = arg;

	c->late = true;
	td_loop_stop(c->loop);
}

static void a_node_without_a_card_shows_its_lines_as_down(void **state)
{
	struct td_site_line conf = { .name = "s1", .port = 1, .nodes = { 1 },
				     .n_nodes = 1, .channels = 0xfffefffe,
				     .dchannel = 16 };
	struct td_site site = { .lines = &conf, .n_lines = 1 };
	struct td_cluster_cfg cc = { .node_id = 1, .name = "n1",
				     .version = "test", .incarnation = 1 };
	struct td_isdn_cfg cfg = { .node_id = 1 };
	struct td_setup *s = test_calloc(1, sizeof(*s));
	struct ctx c = { 0 };
	const Td__Span *row;
	struct td_leg *l;

	assert_int_equal(td_loop_new(&c.loop), 0);
	assert_int_equal(td_bus_local_new(c.loop, 1, &cc.bus), 0);
	assert_int_equal(td_cluster_new(c.loop, &cc, &c.cluster), 0);
	assert_int_equal(td_cluster_watch(c.cluster, on_applied, &c), 0);
	cfg.loop = c.loop;
	cfg.cluster = c.cluster;
	assert_int_equal(td_isdn_new(&cfg, &c.isdn), 0);
	/* the op is refused until the cluster runs; the poll repeats it */
	assert_int_equal(td_isdn_set_site(c.isdn, &site), 0);
	td_timer_start(c.loop, &c.guard, 30000, on_late, &c);
	td_loop_run(c.loop);
	assert_true(c.seen && !c.late);
	row = td_view_span(td_cluster_view(c.cluster), "s1", 1);
	assert_false(row->owner || row->layer1_up || row->dchannel_up);
	assert_int_equal(td_isdn_activate(c.isdn, "s1", true), -ENODEV);
	assert_int_equal(td_isdn_set_card(c.isdn, NULL), 0);
	assert_int_equal(td_isdn_leg_new(c.isdn, &l), 0);
	strcpy(s->called, "1");
	strcpy(s->lines[0], "s1");
	s->n_lines = 1;
	s->complete = true;
	assert_int_equal(l->ops->setup(l, s), -ENETDOWN);
	l->ops->free(l);
	test_free(s);
	td_timer_stop(&c.guard);
	td_isdn_free(c.isdn);
	td_cluster_free(c.cluster);
	td_loop_free(c.loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_node_without_a_card_shows_its_lines_as_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
