/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One node's cluster and configuration, for tests of the rooms above. */
#ifndef TD_TEST_SOLO_H
#define TD_TEST_SOLO_H

#include <string.h>

#include "cluster/cluster.h"
#include "cluster/store/site.h"

struct solo {
	struct td_loop *loop;
	struct td_cluster *cluster;
	struct td_site *site;
};

static inline void solo_on_stop(void *arg)
{
	td_loop_stop(arg);
}

/** Lets what is due happen: deliveries, timers of 0 ms; waits for as long as
 *  something is on its way, however slow the machine. */
static inline void solo_settle(struct solo *s)
{
	struct td_cluster_stats st;
	struct td_timer t = { 0 };
	int quiet = 0;

	while (quiet < 3) {
		td_timer_start(s->loop, &t, 1, solo_on_stop, s->loop);
		td_loop_run(s->loop);
		td_cluster_stats(s->cluster, &st);
		quiet = !st.pending_ops && !st.pending_effects &&
			td_cluster_state(s->cluster) == TD_CLUSTER_RUNNING ?
			quiet + 1 : 0;
	}
}

static inline void solo_submit(struct solo *s, Td__Op *op)
{
	assert_int_equal(td_cluster_submit(s->cluster, op), 0);
	solo_settle(s);
}

/** Node 1 runs alone with this configuration. */
static inline void solo_start(struct solo *s, const char *site_text)
{
	struct td_problems problems = { 0 };
	struct td_cluster_cfg cfg = { .node_id = 1, .name = "n1",
				      .version = "test", .incarnation = 1 };

	assert_int_equal(td_loop_new(&s->loop), 0);
	assert_int_equal(td_bus_local_new(s->loop, 1, &cfg.bus), 0);
	assert_int_equal(td_cluster_new(s->loop, &cfg, &s->cluster), 0);
	solo_settle(s);
	if (td_site_parse("t.yaml", site_text, strlen(site_text), &s->site,
			  &problems))
		fail_msg("%s: %s", problems.p[0].where, problems.p[0].what);
}

static inline void solo_end(struct solo *s)
{
	td_cluster_free(s->cluster);
	td_site_free(s->site);
	td_loop_free(s->loop);
}

static inline void solo_put_contact(struct solo *s, const char *user,
				    const char *uri, const char *received,
				    const char *address)
{
	Td__Contact c = TD__CONTACT__INIT;
	Td__Op op = TD__OP__INIT;

	c.user = (char *)user;
	c.uri = (char *)uri;
	c.expires_ms = ~0ULL >> 1;
	c.received = (char *)received;
	c.transport = "udp";
	c.address = (char *)address;
	c.node = 1;
	op.what_case = TD__OP__WHAT_CONTACT_PUT;
	op.contact_put = &c;
	solo_submit(s, &op);
}

/** A node speaks for itself only, so the row says node 1 whoever owns the
 *  line by the configuration. */
static inline void solo_put_span(struct solo *s, const char *name, bool up)
{
	Td__Span row = TD__SPAN__INIT;
	Td__Op op = TD__OP__INIT;

	row.span = (char *)name;
	row.node = 1;
	row.owner = true;
	row.layer1_up = row.dchannel_up = up;
	op.what_case = TD__OP__WHAT_SPAN;
	op.span = &row;
	solo_submit(s, &op);
}

#endif
