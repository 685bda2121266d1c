// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ha/lines.h"
#include "ha/paper_card.h"

struct world {
	struct td_lines *lines;
	struct td_card card;
	struct td_site *site;
	char trace[512];
};

static void on_active(void *arg, const char *span, bool on, uint64_t epoch)
{
	struct world *w = arg;

	sprintf(w->trace + strlen(w->trace), "%s%s=%s@%u",
		w->trace[0] ? " " : "", span, on ? "on" : "off",
		(unsigned int)epoch);
}

static void on_seen(void *arg, const char *span, uint64_t epoch)
{
	struct world *w = arg;

	sprintf(w->trace + strlen(w->trace), "%s%s seen@%u",
		w->trace[0] ? " " : "", span, (unsigned int)epoch);
}

static void trace_is(struct world *w, const char *want)
{
	assert_string_equal(w->trace, want);
	w->trace[0] = '\0';
}

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	struct td_lines_cfg cfg = { .node_id = 1, .active = on_active,
				    .seen = on_seen, .arg = w };

	assert_int_equal(td_lines_new(&cfg, &w->lines), 0);
	w->card.port[0].epoch = 7;	/* of an earlier daemon, over */
	w->card.port[0].over = 7;
	w->site = paper_site("  - {name: s1, port: 1, nodes: [n1, n2], group: g}\n"
		       "  - {name: s2, port: 2, nodes: [n2, n1], group: g}\n"
		       "  - {name: s3, port: 3, nodes: [n2], group: g}\n");
	td_lines_set_site(w->lines, w->site);
	td_lines_set_card(w->lines, &w->card);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	td_lines_free(w->lines);
	td_site_free(w->site);
	free(w);
	return 0;
}

static void a_lease_goes_to_the_port_with_its_end(void **state)
{
	struct world *w = *state;

	trace_is(w, "s1 seen@7");
	assert_true(td_lines_hold(w->lines, "s1", 8, 1400));
	trace_is(w, "s1=on@8");
	assert_int_equal(w->card.port[0].epoch, 8);
	assert_int_equal(w->card.port[0].end_ns, 1400000000);
	/* renewed again and again, told once; a standby's line too */
	assert_true(td_lines_hold(w->lines, "s1", 8, 1450));
	assert_int_equal(w->card.port[0].end_ns, 1450000000);
	assert_true(td_lines_hold(w->lines, "s2", 3, 1450));
	trace_is(w, "s2=on@3");
	/* not wired here, and no line at all */
	assert_false(td_lines_hold(w->lines, "s3", 1, 1450));
	assert_false(td_lines_hold(w->lines, "lead", 1, 1450));
	assert_false(td_lines_off(w->lines, "lead", 1));
	assert_int_equal(w->card.port[2].epoch, 0);
}

static void an_epoch_that_the_port_has_seen_gives_no_line(void **state)
{
	struct world *w = *state;

	w->trace[0] = '\0';
	assert_true(td_lines_hold(w->lines, "s1", 6, 1400));
	trace_is(w, "s1 seen@7");
	assert_true(td_lines_hold(w->lines, "s1", 6, 1450));
	trace_is(w, "");
	assert_true(td_lines_hold(w->lines, "s1", 9, 1450));
	trace_is(w, "s1=on@9");
}

static void a_new_epoch_is_a_new_line_to_its_user(void **state)
{
	struct world *w = *state;

	td_lines_hold(w->lines, "s1", 8, 1400);
	w->trace[0] = '\0';
	td_lines_hold(w->lines, "s1", 9, 1800);
	trace_is(w, "s1=off@8 s1=on@9");
}

static void off_is_for_the_epoch_and_all_before(void **state)
{
	struct world *w = *state;

	td_lines_hold(w->lines, "s1", 8, 1400);
	w->trace[0] = '\0';
	assert_true(td_lines_off(w->lines, "s1", 7));
	trace_is(w, "");
	assert_true(td_lines_off(w->lines, "s1", 8));
	trace_is(w, "s1=off@8");
	assert_int_equal(w->card.port[0].over, 8);
	td_lines_hold(w->lines, "s1", 8, 1400);
	trace_is(w, "s1 seen@8");
}

static void a_line_that_is_taken_out_is_switched_off(void **state)
{
	struct world *w = *state;
	struct td_site *next = paper_site(
		"  - {name: s1, port: 3, nodes: [n1, n2], group: g}\n"
		"  - {name: s3, port: 2, nodes: [n2], group: g}\n");

	td_lines_hold(w->lines, "s1", 8, 1400);
	td_lines_hold(w->lines, "s2", 3, 1400);
	w->trace[0] = '\0';
	td_lines_set_site(w->lines, next);
	trace_is(w, "s1=off@8 s2=off@3");
	assert_int_equal(w->card.port[0].over, 8);
	assert_int_equal(w->card.port[1].over, 3);
	td_site_free(w->site);
	w->site = next;
	assert_true(td_lines_fit(w->lines, "s1"));
	assert_false(td_lines_fit(w->lines, "s2"));
	assert_true(td_lines_hold(w->lines, "s1", 9, 1400));
	assert_int_equal(w->card.port[2].epoch, 9);
}

static void a_card_that_is_gone_takes_its_lines_along(void **state)
{
	struct world *w = *state;

	td_lines_hold(w->lines, "s1", 8, 1400);
	td_lines_hold(w->lines, "s2", 3, 1400);
	w->trace[0] = '\0';
	td_lines_set_card(w->lines, NULL);
	trace_is(w, "s1=off@8 s2=off@3");
	assert_false(td_lines_fit(w->lines, "s1"));
	assert_true(td_lines_hold(w->lines, "s1", 8, 1500));
	trace_is(w, "");
	/* a new one knows what the old one knew only if it is the same */
	td_lines_set_card(w->lines, &w->card);
	trace_is(w, "s1 seen@8 s2 seen@3");
}

static void the_end_switches_everything_off(void **state)
{
	struct world *w = *state;

	td_lines_hold(w->lines, "s1", 8, 1400);
	td_lines_hold(w->lines, "s2", 3, 1400);
	w->trace[0] = '\0';
	td_lines_free(w->lines);
	w->lines = NULL;
	trace_is(w, "s1=off@8 s2=off@3");
	assert_int_equal(w->card.port[0].over, 8);
	assert_int_equal(w->card.port[1].over, 3);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_lease_goes_to_the_port_with_its_end),
		CASE(an_epoch_that_the_port_has_seen_gives_no_line),
		CASE(a_new_epoch_is_a_new_line_to_its_user),
		CASE(off_is_for_the_epoch_and_all_before),
		CASE(a_line_that_is_taken_out_is_switched_off),
		CASE(a_card_that_is_gone_takes_its_lines_along),
		CASE(the_end_switches_everything_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
