// SPDX-License-Identifier: GPL-2.0-or-later
/* tandem-replicate: what replication costs over the corosync that runs here.
 *   tandem-replicate mate     a member that holds what it is given, until it
 *                             is ended
 *   tandem-replicate run      beside it: raw CPG and the cluster, as JSON
 *   tandem-replicate local    without corosync: memory and cost of an op
 * Raw is the transport alone: a message that another member sends back. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cluster/bus.h"
#include "cluster/cluster.h"
#include "proto/base/clock.h"
#include "proto/base/log.h"
#include "tests/bench/replicate.h"

enum { CONTACTS = 20000, SAMPLES = 4000, RAW_OCTETS = 200, MAX_FLIGHT = 64 };

enum phase { WAIT, RAW_1, RAW_64, OPS_1, OPS_64, FLOOD, DONE };

struct bench {
	struct td_loop *loop;
	struct td_cluster *c;
	struct td_bus *raw;
	bool mate;
	enum phase phase;
	uint32_t raw_members;
	struct td_timer timer;
	int64_t samples[SAMPLES];
	unsigned int n, in_flight, flight;
	uint32_t next;
	int64_t began_us;
	double cpu_s;
	uint64_t flooded, applied;
	json_t *out;
};

struct sample {
	struct bench *b;
	int64_t at_us;
};

static int64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000LL + t.tv_nsec / 1000;
}

static int cmp(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

static void begin(struct bench *b, enum phase p);

static json_t *figures(struct bench *b)
{
	double s = (now_us() - b->began_us) / 1e6;

	qsort(b->samples, b->n, sizeof(*b->samples), cmp);
	return json_pack("{sfsIsIsf}", "per_s", b->n / s, "p50_us",
			 (json_int_t)b->samples[b->n / 2], "p99_us",
			 (json_int_t)b->samples[b->n * 99 / 100], "cpu_us",
			 (bench_cpu_s() - b->cpu_s) / b->n * 1e6);
}

static const char *const names[] = {
	[RAW_1] = "raw_1", [RAW_64] = "raw_64",
	[OPS_1] = "ops_1", [OPS_64] = "ops_64",
};

static void took(struct bench *b, int64_t us)
{
	b->samples[b->n++] = us;
	b->in_flight--;
	if (b->n < SAMPLES)
		return;
	json_object_set_new(b->out, names[b->phase], figures(b));
	begin(b, b->phase + 1);
}

/* --- raw --- */

static void raw_send(struct bench *b)
{
	uint8_t buf[RAW_OCTETS] = { 0 };
	int64_t at = now_us();

	memcpy(buf, &at, sizeof(at));
	if (!b->raw->ops->send(b->raw, buf, sizeof(buf)))
		b->in_flight++;
}

static void on_raw(void *arg, uint32_t from, const void *buf, size_t n)
{
	struct bench *b = arg;
	int64_t at;

	if (b->mate) {
		if (from != b->raw->node_id)
			b->raw->ops->send(b->raw, buf, n);
		return;
	}
	if (from == b->raw->node_id || n != RAW_OCTETS ||
	    (b->phase != RAW_1 && b->phase != RAW_64))
		return;
	memcpy(&at, buf, sizeof(at));
	if (at < b->began_us)
		return;
	took(b, now_us() - at);
	while ((b->phase == RAW_1 || b->phase == RAW_64) &&
	       b->in_flight < b->flight)
		raw_send(b);
}

static void on_raw_members(void *arg, uint64_t ring, bool quorate,
			   const struct td_bus_member *m, unsigned int n)
{
	((struct bench *)arg)->raw_members = n;
}

static void on_lost(void *arg)
{
	fprintf(stderr, "corosync is gone\n");
	exit(1);
}

/* --- the cluster --- */

static int submit(struct bench *b, bool refresh)
{
	Td__ContactRefresh r = TD__CONTACT_REFRESH__INIT;
	Td__Op op = TD__OP__INIT;
	struct bench_contact k;
	uint32_t i = b->next;
	int rc;

	bench_contact(&k, i, td_cluster_node_id(b->c),
		      td_view_now_ms(td_cluster_view(b->c)) + 3600000);
	if (refresh) {
		r.user = k.user;
		r.uri = k.uri;
		r.expires_ms = k.c.expires_ms;
		op.what_case = TD__OP__WHAT_CONTACT_REFRESH;
		op.contact_refresh = &r;
		rc = td_cluster_submit(b->c, &op);
	} else {
		rc = td_cluster_submit(b->c, &k.op);
	}
	if (!rc)
		b->next = (i + 1) % CONTACTS;
	return rc;
}

static void on_held(void *arg, int status);

static void op_send(struct bench *b)
{
	struct sample *s = malloc(sizeof(*s));

	*s = (struct sample){ b, now_us() };
	if (submit(b, false) || td_cluster_effect(b->c, on_held, s)) {
		free(s);
		return;
	}
	b->in_flight++;
}

static void on_held(void *arg, int status)
{
	struct sample *s = arg;
	struct bench *b = s->b;
	int64_t us = now_us() - s->at_us;

	free(s);
	if (status) {
		fprintf(stderr, "an effect ended with %d\n", status);
		exit(1);
	}
	if (b->phase != OPS_1 && b->phase != OPS_64)
		return;
	took(b, us);
	while ((b->phase == OPS_1 || b->phase == OPS_64) &&
	       b->in_flight < b->flight)
		op_send(b);
}

static void on_flooded(void *arg, int status)
{
	struct bench *b = arg;
	double s = (now_us() - b->began_us) / 1e6;

	/* all of them are held by the mate now */
	json_object_set_new(b->out, "refreshes", json_pack("{sfsf}", "per_s",
		b->flooded / s, "cpu_us",
		(bench_cpu_s() - b->cpu_s) / b->flooded * 1e6));
	begin(b, DONE);
}

static void flood(struct bench *b)
{
	if (!b->flooded) {
		b->began_us = now_us();
		b->cpu_s = bench_cpu_s();
	}
	while (b->flooded < 300000) {
		if (submit(b, true)) {
			/* full: go on when there is room */
			td_timer_start(b->loop, &b->timer, 1,
				       (void (*)(void *))flood, b);
			return;
		}
		b->flooded++;
	}
	if (td_cluster_effect(b->c, on_flooded, b))
		exit(1);
}

static void fill(struct bench *b)
{
	while (b->next || !b->applied) {
		if (submit(b, false)) {
			td_timer_start(b->loop, &b->timer, 1,
				       (void (*)(void *))fill, b);
			return;
		}
		b->applied++;
	}
	flood(b);
}

static void begin(struct bench *b, enum phase p)
{
	b->phase = p;
	b->n = b->in_flight = 0;
	b->flight = p == RAW_64 || p == OPS_64 ? MAX_FLIGHT : 1;
	b->began_us = now_us();
	b->cpu_s = bench_cpu_s();
	if (p == RAW_1 || p == RAW_64) {
		raw_send(b);
	} else if (p == OPS_1 || p == OPS_64) {
		op_send(b);
	} else if (p == FLOOD) {
		b->next = 0;
		fill(b);
	} else {
		json_dumpf(b->out, stdout, JSON_INDENT(1) |
					   JSON_REAL_PRECISION(4));
		putchar('\n');
		td_loop_stop(b->loop);
	}
	while (p == b->phase && b->in_flight && b->in_flight < b->flight)
		p == RAW_64 ? raw_send(b) : op_send(b);
}

static void look(void *arg)
{
	struct bench *b = arg;

	if (b->phase == WAIT && b->raw_members == 2 &&
	    td_cluster_state(b->c) == TD_CLUSTER_RUNNING &&
	    td_cluster_in_sync(b->c) &&
	    td_view_feature_level(td_cluster_view(b->c)) >= 2)
		begin(b, RAW_1);
	else
		td_timer_start(b->loop, &b->timer, 50, look, b);
}

static int over_corosync(struct bench *b)
{
	struct td_cluster_cfg cfg = {
		.name = b->mate ? "mate" : "run", .version = "bench",
		.incarnation = (uint64_t)td_clock_wall_ms() << 8 |
			       (getpid() & 255),
	};

	if (td_loop_new(&b->loop) ||
	    td_bus_cpg_new(b->loop, "bench-raw", &b->raw) ||
	    td_bus_cpg_new(b->loop, "bench", &cfg.bus)) {
		fprintf(stderr, "no corosync here\n");
		return 1;
	}
	b->raw->ev = (struct td_bus_events){ on_raw, on_raw_members, on_lost };
	b->raw->ev_arg = b;
	cfg.node_id = cfg.bus->node_id;
	if (td_cluster_new(b->loop, &cfg, &b->c))
		return 1;
	if (!b->mate)
		look(b);
	td_loop_run(b->loop);
	td_cluster_free(b->c);
	b->raw->ops->free(b->raw);
	td_loop_free(b->loop);
	return 0;
}

int main(int argc, char **argv)
{
	struct bench b = { 0 };

	td_log_level_set(TD_LOG_WARN);
	if (argc == 2 && !strcmp(argv[1], "local")) {
		b.out = bench_local(100000);
		json_dumpf(b.out, stdout, JSON_INDENT(1) |
					  JSON_REAL_PRECISION(4));
		putchar('\n');
		json_decref(b.out);
		return 0;
	}
	if (argc != 2 || (strcmp(argv[1], "mate") && strcmp(argv[1], "run"))) {
		fprintf(stderr, "usage: tandem-replicate mate|run|local\n");
		return 2;
	}
	b.mate = !strcmp(argv[1], "mate");
	b.out = json_object();
	argc = over_corosync(&b);
	json_decref(b.out);
	return argc;
}
