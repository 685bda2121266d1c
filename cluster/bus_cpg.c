// SPDX-License-Identifier: GPL-2.0-or-later
#include "cluster/bus.h"

#include <corosync/corotypes.h>
#include <corosync/cpg.h>
#include <corosync/quorum.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "proto/base/log.h"

/* corosync tells a change of its ring in pieces: CPG's changes of the group
 * (left, then joined), CPG's new ring, and on another descriptor the quorum
 * of that ring some milliseconds later. They become one event, at its place
 * among the messages: CPG's descriptor rests until the quorum of the ring is
 * known. A daemon that comes or goes changes the group and not the ring. */

enum {
	MAX_MEMBERS = 32,
	N_QUORUM = 16,		/* notifications remembered */
	BURST = 256,		/* messages in one turn of the loop */
	JOIN_RETRY_MS = 20,
	/* Own messages that have not come round. While corosync hangs, libqb's
	 * socket takes about 277 of its one-octet notes, and then
	 * cpg_mcast_joined() spins in send() until corosync is back */
	MAX_IN_FLIGHT = 128,
};

struct quorum_word {
	uint64_t ring;
	bool quorate;
};

struct cpg_bus {
	struct td_bus bus;	/* first */
	struct td_loop *loop;
	struct cpg_name group;
	cpg_handle_t cpg;
	quorum_handle_t quorum;
	bool have_cpg, have_quorum;
	int cpg_fd, quorum_fd;	/* -1: not watched */
	bool joined;
	bool dead, freed;	/* freed: while its own event runs */
	unsigned int busy;
	unsigned int in_flight;	/* own messages */
	struct td_timer timer;	/* join again, or tell that it is lost */

	struct td_bus_member members[MAX_MEMBERS];
	unsigned int n_members;
	uint32_t fresh;		/* bit id: since the last event */
	uint64_t ring;		/* newest that CPG has told */
	bool moving;		/* the group has changed, its ring is to come */
	bool waiting;		/* the ring has, its quorum is to come */
	uint64_t told_ring;	/* of the last event; 0: none yet */
	bool told_quorate;
	struct quorum_word words[N_QUORUM];
	unsigned int n_words;	/* ever */
};

/* A part of a split may have the same sequence number, but another leader. */
static uint64_t ring_of(uint32_t nodeid, uint64_t seq)
{
	return seq << 5 | (nodeid & 31);
}

static void on_timer(void *arg);

static void fail(struct cpg_bus *b)
{
	b->dead = true;
	td_timer_start(b->loop, &b->timer, 0, on_timer, b);
}

static void unwatch(struct cpg_bus *b, int *fd)
{
	if (*fd >= 0)
		td_loop_fd_del(b->loop, *fd);
	*fd = -1;
}

/* --- one event out of corosync's pieces --- */

static void tell(struct cpg_bus *b, bool quorate)
{
	struct td_bus_member m[MAX_MEMBERS];

	for (unsigned int i = 0; i < b->n_members; i++) {
		m[i] = b->members[i];
		m[i].fresh = !b->told_ring || b->fresh >> m[i].node_id & 1;
	}
	b->fresh = 0;
	b->moving = b->waiting = false;
	b->told_ring = b->ring;
	b->told_quorate = quorate;
	b->bus.ev.members(b->bus.ev_arg, b->ring, quorate, m, b->n_members);
}

static const struct quorum_word *word_for(const struct cpg_bus *b,
					  uint64_t ring)
{
	unsigned int n = b->n_words < N_QUORUM ? b->n_words : N_QUORUM;

	for (unsigned int i = 1; i <= n; i++) {
		const struct quorum_word *w =
			&b->words[(b->n_words - i) % N_QUORUM];

		if (w->ring == ring)
			return w;
	}
	return NULL;
}

/* Tells the change if all its pieces are here. */
static void settle(struct cpg_bus *b)
{
	const struct quorum_word *w;

	if (!b->waiting)
		return;
	w = word_for(b, b->ring);
	if (w)
		tell(b, w->quorate);
	else if (b->n_words &&
		 b->words[(b->n_words - 1) % N_QUORUM].ring >> 5 >
			 b->ring >> 5)
		/* corosync gave this ring up before it was whole: nothing was
		 * sent in it, and the next ring's pieces follow */
		b->waiting = false;
}

/* --- corosync's callbacks --- */

static struct cpg_bus *of_cpg(cpg_handle_t h)
{
	void *arg = NULL;

	cpg_context_get(h, &arg);
	return arg;
}

static void on_deliver(cpg_handle_t h, const struct cpg_name *group,
		       uint32_t nodeid, uint32_t pid, void *msg, size_t n)
{
	struct cpg_bus *b = of_cpg(h);

	if (nodeid == b->bus.node_id && pid == (uint32_t)getpid() &&
	    b->in_flight)
		b->in_flight--;
	b->bus.ev.deliver(b->bus.ev_arg, nodeid, msg, n);
}

static void on_confchg(cpg_handle_t h, const struct cpg_name *group,
		       const struct cpg_address *m, size_t n,
		       const struct cpg_address *left, size_t n_left,
		       const struct cpg_address *joined, size_t n_joined)
{
	struct cpg_bus *b = of_cpg(h);

	b->n_members = 0;
	for (size_t i = 0; i < n && b->n_members < MAX_MEMBERS; i++)
		b->members[b->n_members++] = (struct td_bus_member){
			.node_id = m[i].nodeid, .pid = m[i].pid,
		};
	for (size_t i = 0; i < n_left; i++)
		if (left[i].reason == CPG_REASON_NODEDOWN)
			b->moving = true;
	for (size_t i = 0; i < n_joined; i++) {
		if (joined[i].nodeid < 32)
			b->fresh |= 1U << joined[i].nodeid;
		if (joined[i].reason == CPG_REASON_NODEUP)
			b->moving = true;
	}
	/* a daemon came or went within the ring: that is all */
	if (b->told_ring && !b->moving && !b->waiting)
		tell(b, b->told_quorate);
}

static void on_ring(cpg_handle_t h, struct cpg_ring_id id, uint32_t n,
		    const uint32_t *nodes)
{
	struct cpg_bus *b = of_cpg(h);

	b->ring = ring_of(id.nodeid, id.seq);
	b->waiting = true;
	settle(b);
}

static void on_quorum(quorum_handle_t h, uint32_t quorate,
		      struct quorum_ring_id id, uint32_t n,
		      const uint32_t *nodes)
{
	const void *arg = NULL;
	struct cpg_bus *b;
	uint64_t ring = ring_of(id.nodeid, id.seq);

	quorum_context_get(h, &arg);
	b = (struct cpg_bus *)arg;
	b->words[b->n_words++ % N_QUORUM] =
		(struct quorum_word){ ring, quorate != 0 };
	if (b->waiting)
		settle(b);
	else if (!b->moving && ring == b->told_ring &&
		 (quorate != 0) != b->told_quorate)
		tell(b, quorate != 0);
}

/* --- descriptors --- */

static void on_cpg_fd(void *arg, int fd, int revents);

static int watch_cpg(struct cpg_bus *b)
{
	if (b->cpg_fd >= 0)
		return 0;
	if (cpg_fd_get(b->cpg, &b->cpg_fd) != CS_OK)
		return -ECONNREFUSED;
	return td_loop_fd_add(b->loop, b->cpg_fd, POLLIN, on_cpg_fd, b);
}

/* @return false: the bus was freed by what it delivered */
static bool leave_event(struct cpg_bus *b)
{
	if (--b->busy || !b->freed)
		return true;
	free(b);
	return false;
}

static void on_cpg_fd(void *arg, int fd, int revents)
{
	struct cpg_bus *b = arg;
	cs_error_t rc = CS_OK;

	b->busy++;
	for (unsigned int i = 0; i < BURST && rc == CS_OK && !b->dead &&
	     !b->waiting; i++)
		rc = cpg_dispatch(b->cpg, CS_DISPATCH_ONE_NONBLOCKING);
	if (!leave_event(b))
		return;
	if (rc != CS_OK && rc != CS_ERR_TRY_AGAIN && !b->dead)
		fail(b);
	if (b->dead || b->waiting)
		unwatch(b, &b->cpg_fd);
}

static void join(struct cpg_bus *b)
{
	cs_error_t rc = cpg_join(b->cpg, &b->group);

	if (rc == CS_ERR_TRY_AGAIN) {
		td_timer_start(b->loop, &b->timer, JOIN_RETRY_MS, on_timer, b);
		return;
	}
	b->joined = rc == CS_OK;
	if (!b->joined || watch_cpg(b))
		fail(b);
}

static void on_quorum_fd(void *arg, int fd, int revents)
{
	struct cpg_bus *b = arg;
	cs_error_t rc;

	b->busy++;
	rc = quorum_dispatch(b->quorum, CS_DISPATCH_ALL);
	if (!leave_event(b))
		return;
	if (rc != CS_OK && rc != CS_ERR_TRY_AGAIN && !b->dead)
		fail(b);
	if (b->dead) {
		unwatch(b, &b->quorum_fd);
		return;
	}
	/* the first word of the quorum comes before we join, so that no ring
	 * of ours is without */
	if (b->n_words && !b->joined && !td_timer_running(&b->timer))
		join(b);
	else if (b->joined && !b->waiting && watch_cpg(b))
		fail(b);
}

static void on_timer(void *arg)
{
	struct cpg_bus *b = arg;

	if (!b->dead) {
		join(b);
		return;
	}
	unwatch(b, &b->cpg_fd);
	unwatch(b, &b->quorum_fd);
	b->bus.ev.lost(b->bus.ev_arg);
}

/* --- the bus --- */

static int cpg_send(struct td_bus *bus, const void *buf, size_t n)
{
	struct cpg_bus *b = (struct cpg_bus *)bus;
	struct iovec iov = { (void *)buf, n };
	cs_error_t rc;

	if (b->dead)
		return -ENOTCONN;
	if (b->in_flight >= MAX_IN_FLIGHT)
		return -EAGAIN;
	rc = cpg_mcast_joined(b->cpg, CPG_TYPE_AGREED, &iov, 1);
	if (rc == CS_OK) {
		b->in_flight++;
		return 0;
	}
	if (rc == CS_ERR_TRY_AGAIN)
		return -EAGAIN;
	if (rc == CS_ERR_TOO_BIG)
		return -EMSGSIZE;
	fail(b);
	return -ENOTCONN;
}

static void cpg_free(struct td_bus *bus)
{
	struct cpg_bus *b = (struct cpg_bus *)bus;

	td_timer_stop(&b->timer);
	unwatch(b, &b->cpg_fd);
	unwatch(b, &b->quorum_fd);
	if (b->have_cpg)
		cpg_finalize(b->cpg);
	if (b->have_quorum)
		quorum_finalize(b->quorum);
	b->dead = b->freed = true;
	if (!b->busy)
		free(b);
}

static const struct td_bus_ops cpg_ops = { cpg_send, cpg_free };

static int connect_to(struct cpg_bus *b)
{
	quorum_model_v1_data_t qm = { .model = QUORUM_MODEL_V1,
				      .quorum_notify_fn = on_quorum };
	cpg_model_v1_data_t cm = {
		.model = CPG_MODEL_V1,
		.cpg_deliver_fn = on_deliver,
		.cpg_confchg_fn = on_confchg,
		.cpg_totem_confchg_fn = on_ring,
		.flags = CPG_MODEL_V1_DELIVER_INITIAL_TOTEM_CONF,
	};
	uint32_t type;
	int fd;

	if (quorum_model_initialize(&b->quorum, QUORUM_MODEL_V1,
				    (quorum_model_data_t *)&qm, &type, b) !=
	    CS_OK)
		return -ECONNREFUSED;
	b->have_quorum = true;
	if (type != QUORUM_SET) {
		td_err("cluster", "CLUSTER-QUORUM",
		       "corosync.conf names no quorum provider");
		return -ECONNREFUSED;
	}
	if (cpg_model_initialize(&b->cpg, CPG_MODEL_V1,
				 (cpg_model_data_t *)&cm, b) != CS_OK)
		return -ECONNREFUSED;
	b->have_cpg = true;
	if (cpg_local_get(b->cpg, &b->bus.node_id) != CS_OK ||
	    quorum_fd_get(b->quorum, &fd) != CS_OK ||
	    quorum_trackstart(b->quorum, CS_TRACK_CURRENT |
					 CS_TRACK_CHANGES) != CS_OK ||
	    td_loop_fd_add(b->loop, fd, POLLIN, on_quorum_fd, b))
		return -ECONNREFUSED;
	b->quorum_fd = fd;
	return 0;
}

int td_bus_cpg_new(struct td_loop *loop, const char *group,
		   struct td_bus **out)
{
	size_t n = strlen(group);
	struct cpg_bus *b;
	int rc;

	if (!n || n >= CPG_MAX_NAME_LENGTH)
		return -EINVAL;
	b = calloc(1, sizeof(*b));
	if (!b)
		return -ENOMEM;
	b->bus.ops = &cpg_ops;
	b->loop = loop;
	b->cpg_fd = b->quorum_fd = -1;
	b->group.length = n;
	memcpy(b->group.value, group, n);
	rc = connect_to(b);
	if (rc) {
		cpg_free(&b->bus);
		return rc;
	}
	*out = &b->bus;
	return 0;
}
