// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ha/paper_card.h"
#include "ha/units.h"

/* A node alone, on the real loop, disk and one-node bus. */
struct world {
	struct td_loop *loop;
	struct td_cluster *cluster;
	struct td_units *units;
	struct td_card card;
	struct td_site *site;
	char dir[64], file[80];
	uint64_t incarnation;
	uint64_t line[4];	/* epoch at which s1… is on */
	uint64_t spool;
	bool (*until)(struct world *w);
	struct td_timer look;
};

static void on_line(void *arg, const char *span, bool on, uint64_t epoch)
{
	((struct world *)arg)->line[span[1] - '1'] = on ? epoch : 0;
}

static void on_owned(void *arg, const char *unit, bool on, uint64_t epoch)
{
	if (!strcmp(unit, TD_ROLE_SPOOL))
		((struct world *)arg)->spool = on ? epoch : 0;
}

static void on_look(void *arg)
{
	struct world *w = arg;

	if (w->until(w))
		td_loop_stop(w->loop);
	else
		td_timer_start(w->loop, &w->look, 1, on_look, w);
}

static void run_until(struct world *w, bool (*until)(struct world *w))
{
	w->until = until;
	td_timer_start(w->loop, &w->look, 0, on_look, w);
	td_loop_run(w->loop);
}

static int start_units(struct world *w)
{
	const struct td_peer self = { .id = 1, .name = "n1" };
	struct td_units_cfg cfg = {
		.loop = w->loop, .cluster = w->cluster, .node_id = 1,
		.incarnation = w->incarnation, .state_dir = w->dir,
		.peers = &self, .n_peers = 1, .line = on_line,
		.owned = on_owned, .arg = w,
	};

	return td_units_new(&cfg, &w->units);
}

static void start(struct world *w)
{
	struct td_cluster_cfg ccfg = { .node_id = 1, .name = "n1",
				       .version = "test",
				       .incarnation = ++w->incarnation };

	assert_int_equal(td_bus_local_new(w->loop, 1, &ccfg.bus), 0);
	assert_int_equal(td_cluster_new(w->loop, &ccfg, &w->cluster), 0);
}

static void stop(struct world *w)
{
	td_units_free(w->units);
	w->units = NULL;
	td_cluster_free(w->cluster);
	w->cluster = NULL;
}

static void use(struct world *w, const char *lines)
{
	struct td_site *s = paper_site(lines);

	td_units_set_site(w->units, s);
	td_site_free(w->site);
	w->site = s;
}

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	strcpy(w->dir, "/tmp/td-units-XXXXXX");
	assert_non_null(mkdtemp(w->dir));
	snprintf(w->file, sizeof(w->file), "%s/lease", w->dir);
	assert_int_equal(td_loop_new(&w->loop), 0);
	start(w);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	stop(w);
	td_timer_stop(&w->look);
	td_loop_free(w->loop);
	td_site_free(w->site);
	unlink(w->file);
	assert_int_equal(rmdir(w->dir), 0);
	free(w);
	return 0;
}

#define LINES "  - {name: s1, port: 1, nodes: [n1, n2], group: g}\n"           \
	      "  - {name: s2, port: 2, nodes: [n2, n1], group: g}\n"           \
	      "  - {name: s3, port: 3, nodes: [n1], group: g}\n"

static bool row_is(struct world *w, const char *name, uint64_t epoch)
{
	const Td__Unit *u = td_view_unit(td_cluster_view(w->cluster), name);

	return u && u->node == (epoch ? 1 : 0) && (!epoch || u->epoch == epoch);
}

static bool all_ours(struct world *w)
{
	return w->line[0] && w->line[2] && w->spool &&
	       row_is(w, "s1", w->line[0]) && row_is(w, "s3", w->line[2]) &&
	       row_is(w, "spool", w->spool) &&
	       row_is(w, "lead", td_units_owns(w->units, "lead"));
}

static void a_node_alone_owns_what_it_is_the_first_for(void **state)
{
	struct world *w = *state;

	assert_int_equal(start_units(w), 0);
	td_units_set_card(w->units, &w->card);
	use(w, LINES);
	run_until(w, all_ours);
	assert_int_equal(w->line[1], 0);
	assert_int_equal(td_units_owns(w->units, "s1"), w->line[0]);
	assert_int_equal(td_units_owns(w->units, "s2"), 0);
	assert_int_equal(w->card.port[0].epoch, w->line[0]);
}

static bool s1_is_off_and_s3_on(struct world *w)
{
	return !w->line[0] && w->line[2] && row_is(w, "s3", w->line[2]);
}

static void a_line_of_another_generation_is_given_up(void **state)
{
	struct world *w = *state;
	uint64_t was;

	assert_int_equal(start_units(w), 0);
	td_units_set_card(w->units, &w->card);
	use(w, LINES);
	run_until(w, all_ours);
	was = w->line[0];
	use(w, "  - {name: s3, port: 3, nodes: [n1], group: g}\n");
	run_until(w, s1_is_off_and_s3_on);
	assert_int_equal(w->card.port[0].over, was);
	use(w, LINES);
	run_until(w, all_ours);
	assert_true(w->line[0] > was);
}

static void another_life_remembers_what_it_promised(void **state)
{
	struct world *w = *state;
	uint64_t lead, s1;

	assert_int_equal(start_units(w), 0);
	td_units_set_card(w->units, &w->card);
	use(w, LINES);
	run_until(w, all_ours);
	lead = td_units_owns(w->units, "lead");
	s1 = w->line[0];
	stop(w);
	assert_int_equal(w->line[0], 0);
	memset(&w->card, 0, sizeof(w->card));	/* a new card, too */
	start(w);
	assert_int_equal(start_units(w), 0);
	td_units_set_card(w->units, &w->card);
	use(w, LINES);
	run_until(w, all_ours);
	assert_true(td_units_owns(w->units, "lead") > lead);
	assert_true(w->line[0] > s1);
}

static void no_card_no_line(void **state)
{
	struct world *w = *state;

	assert_int_equal(start_units(w), 0);
	td_units_set_card(w->units, &w->card);
	use(w, LINES);
	run_until(w, all_ours);
	td_units_set_card(w->units, NULL);
	assert_int_equal(w->line[0], 0);
	assert_int_equal(w->line[2], 0);
	td_units_set_card(w->units, &w->card);
	run_until(w, all_ours);
}

static void a_damaged_memory_does_not_vote(void **state)
{
	struct world *w = *state;
	int fd = open(w->file, O_WRONLY | O_CREAT, 0600);

	assert_int_equal(write(fd, "garbage", 7), 7);
	close(fd);
	assert_int_equal(start_units(w), -EBADMSG);
	assert_null(w->units);
}

int main(void)
{
#define CASE(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(a_node_alone_owns_what_it_is_the_first_for),
		CASE(a_line_of_another_generation_is_given_up),
		CASE(another_life_remembers_what_it_promised),
		CASE(no_card_no_line),
		CASE(a_damaged_memory_does_not_vote),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
