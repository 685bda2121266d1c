// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ha/lines.h"

/* A card of paper: it keeps what the lease rules ask, and refuses likewise. */
struct td_port {
	uint64_t epoch, over;	/* newest; newest that has ended */
	unsigned int renewals;
};
struct td_card {
	struct td_port port[4];
};

unsigned int td_card_ports(const struct td_card *c)
{
	return 4;
}

struct td_port *td_card_port(struct td_card *c, unsigned int port)
{
	return &c->port[port - 1];
}

void td_port_status(const struct td_port *p, struct td_port_status *out)
{
	memset(out, 0, sizeof(*out));
	out->epoch = p->epoch;
}

int td_port_lease(struct td_port *p, uint64_t epoch, int64_t end_ns)
{
	if (epoch <= p->over || epoch < p->epoch)
		return -ESTALE;
	p->epoch = epoch;
	p->renewals++;
	return 0;
}

int td_port_lease_end(struct td_port *p, uint64_t epoch)
{
	if (epoch > p->over)
		p->over = epoch;
	return 0;
}

struct world {
	struct td_loop *loop;
	struct td_cluster *cluster;
	struct td_lines *lines;
	struct td_card card;
	struct td_site *site;
	char trace[512];
	struct td_port *want;	/* turn() ends when it was renewed */
	unsigned int from;
	struct td_timer look;
};

static void on_active(void *arg, const char *span, bool on, uint64_t epoch)
{
	struct world *w = arg;

	sprintf(w->trace + strlen(w->trace), "%s%s=%s@%u",
		w->trace[0] ? " " : "", span, on ? "on" : "off",
		(unsigned int)epoch);
}

static void on_look(void *arg)
{
	struct world *w = arg;

	if (w->want->renewals > w->from)
		td_loop_stop(w->loop);
	else
		td_timer_start(w->loop, &w->look, 1, on_look, w);
}

/** Runs until the port has been renewed n more times. */
static void turn(struct world *w, unsigned int port, unsigned int n)
{
	w->want = &w->card.port[port - 1];
	w->from = w->want->renewals + n - 1;
	on_look(w);
	td_loop_run(w->loop);
}

static struct td_site *site(const char *lines)
{
	char text[2048];
	struct td_problems problems = { 0 };
	struct td_site *s = NULL;

	snprintf(text, sizeof(text),
		 "site: {name: t, domain: t.lab}\n"
		 "nodes:\n"
		 "  - {name: n1, id: 1, address: 10.0.0.1,"
		 " cluster_address: 10.1.0.1}\n"
		 "  - {name: n2, id: 2, address: 10.0.0.2,"
		 " cluster_address: 10.1.0.2}\n"
		 "lines:\n%s", lines);
	if (td_site_parse("t.yaml", text, strlen(text), &s, &problems))
		fail_msg("%s: %s", problems.p[0].where, problems.p[0].what);
	return s;
}

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	struct td_cluster_cfg ccfg = { .node_id = 1, .name = "n1",
				       .version = "test", .incarnation = 1 };
	struct td_lines_cfg cfg = { .node_id = 1, .active = on_active,
				    .arg = w };

	assert_int_equal(td_loop_new(&w->loop), 0);
	assert_int_equal(td_bus_local_new(w->loop, 1, &ccfg.bus), 0);
	assert_int_equal(td_cluster_new(w->loop, &ccfg, &w->cluster), 0);
	cfg.loop = w->loop;
	cfg.cluster = w->cluster;
	assert_int_equal(td_lines_new(&cfg, &w->lines), 0);
	w->card.port[0].epoch = 7;	/* of an earlier daemon, over */
	w->card.port[0].over = 7;
	w->site = site("  - {name: s1, port: 1, nodes: [n1, n2], group: g}\n"
		       "  - {name: s2, port: 2, nodes: [n1], group: g}\n"
		       "  - {name: s3, port: 3, nodes: [n2, n1], group: g}\n");
	td_lines_set_card(w->lines, &w->card);
	td_lines_set_site(w->lines, w->site);
	turn(w, 2, 1);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	td_lines_free(w->lines);
	td_cluster_free(w->cluster);
	td_timer_stop(&w->look);
	td_loop_free(w->loop);
	td_site_free(w->site);
	free(w);
	return 0;
}

static void own_lines_only_and_at_an_epoch_never_seen(void **state)
{
	struct world *w = *state;

	assert_string_equal(w->trace, "s1=on@8 s2=on@1");
	turn(w, 1, 3);		/* renewed again and again, told once */
	assert_string_equal(w->trace, "s1=on@8 s2=on@1");
	assert_int_equal(w->card.port[2].renewals, 0);
}

static void a_lapsed_lease_is_not_renewed_at_its_epoch(void **state)
{
	struct world *w = *state;

	w->trace[0] = '\0';
	w->card.port[0].over = 8;	/* this loop hung */
	turn(w, 1, 1);
	assert_string_equal(w->trace, "s1=off@8 s1=on@9");
}

static void a_line_that_moves_away_is_switched_off(void **state)
{
	struct world *w = *state;
	struct td_site *next = site(
		"  - {name: s1, port: 1, nodes: [n2, n1], group: g}\n"
		"  - {name: s2, port: 2, nodes: [n1], group: g}\n");

	w->trace[0] = '\0';
	td_lines_set_site(w->lines, next);
	assert_string_equal(w->trace, "s1=off@8");
	assert_int_equal(w->card.port[0].over, 8);
	td_site_free(w->site);
	w->site = next;
	turn(w, 2, 2);
	assert_int_equal(w->card.port[0].over, 8);
	assert_int_equal(w->card.port[0].epoch, 8);
}

static void a_card_that_is_gone_takes_its_lines_along(void **state)
{
	struct world *w = *state;

	w->trace[0] = '\0';
	td_lines_set_card(w->lines, NULL);
	assert_string_equal(w->trace, "s1=off@8 s2=off@1");
}

static void the_end_switches_everything_off(void **state)
{
	struct world *w = *state;

	w->trace[0] = '\0';
	td_lines_free(w->lines);
	w->lines = NULL;
	assert_string_equal(w->trace, "s1=off@8 s2=off@1");
	assert_int_equal(w->card.port[0].over, 8);
	assert_int_equal(w->card.port[1].over, 1);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(own_lines_only_and_at_an_epoch_never_seen),
		CASE(a_lapsed_lease_is_not_renewed_at_its_epoch),
		CASE(a_line_that_moves_away_is_switched_off),
		CASE(a_card_that_is_gone_takes_its_lines_along),
		CASE(the_end_switches_everything_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
