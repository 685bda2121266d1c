/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SIM_WORLD_H
#define SIM_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cluster/cluster_priv.h"
#include "ha/lease.h"
#include "tests/sim/cover.h"
#include "tests/sim/events.h"
#include "tests/sim/rng.h"

/** One world: machines with their clocks, disks, networks, corosync and
 *  lines, and on each the real daemon's cluster and lease machine. All time is
 *  virtual, in µs; a world is driven by its seed alone. */

enum {
	SIM_MACHINES = 6,	/* five nodes and a witness */
	SIM_UNITS = 5,
	SIM_NETS = 2,
	SIM_BOTH = -1,
	SIM_HANG_MS = 200,	/* the guard's patience with its daemon */
	SIM_MAX_PENDING = 1024,
	SIM_SOCKET = 64,	/* datagrams that wait in a socket */
	SIM_MS = 1000,
};

struct sim_machine;
struct sim_daemon;

/* --- corosync --- */

enum sim_kind { SIM_DATA, SIM_JOIN, SIM_LEAVE };

/** What has its place in a ring's order. */
struct sim_msg {
	uint32_t refs;
	enum sim_kind kind;
	uint32_t from;		/* machine */
	uint32_t pid;		/* of the daemon; SIM_JOIN, SIM_LEAVE */
	size_t n;
	uint8_t buf[];
};
struct sim_ring {
	struct sim_ring *next;		/* all that ever were */
	uint64_t seq, number;		/* number: as bus.h wants it */
	uint32_t members;		/* bit machine */
	struct sim_msg **log;
	uint32_t n, size;
	bool broken;			/* whole once all have installed it */
	uint32_t holder, quota;	/* broken: who still gets words out */
	int64_t last_us[SIM_MACHINES];	/* of what is on its way to each */
	uint32_t pos[SIM_MACHINES];	/* delivered to each */
	struct sim_ring *was[SIM_MACHINES];	/* where each comes from */
	uint32_t group[SIM_MACHINES];	/* pids at its start */
};

/** What corosync has for the daemon. */
struct sim_word {
	struct sim_word *next;
	int64_t ready_us;	/* a ring's quorum comes late */
	struct sim_msg *msg;	/* NULL: members */
	struct sim_ring *in;	/* the message's, and its place there */
	uint32_t q, moved;	/* bit machine: came along */
	uint64_t ring;
	bool quorate, ring_change;
	unsigned int n_members;
	struct td_bus_member m[SIM_MACHINES];
};

/* --- a daemon --- */

/** What waits for the disk before it may leave. */
struct sim_held {
	struct sim_held *next;
	uint64_t save;		/* to be on disk first */
	int to;			/* machine; -1: all, in the one order */
	size_t n;
	uint8_t buf[];
};
struct sim_dgram {
	struct sim_dgram *next;
	size_t n;
	uint8_t buf[];
};

struct sim_bus {
	struct td_bus bus;	/* first */
	struct sim_machine *on;
	uint32_t pid;
};

struct sim_daemon {
	struct sim_machine *m;
	uint32_t pid;
	uint64_t incarnation;
	struct td_cluster *c;
	struct td_lease *l;
	int64_t stopped_us;	/* SIGSTOP since; 0: runs */
	bool tick_late;		/* its timer ran out while it stood still */
	bool saved_late;
	bool full;		/* the transport was */
	bool dying, told;
	bool authority_changed;
	uint32_t in_ring;	/* bit id */
	unsigned int ticks;
	struct sim_word *words, **words_tail;
	struct sim_dgram *dgrams, **dgrams_tail;
	unsigned int n_dgrams;
	struct sim_held *held, **held_tail;
	uint64_t saves, saved;
	uint8_t *save_buf;	/* the newest state */
	size_t save_n;
	int64_t due_us;		/* of the event asked for td_lease_due_ms */
	enum td_cluster_state state;	/* seen last */
	uint64_t lineage;
	uint64_t snapshots;
	struct sim_doubt *doubts, **doubts_tail;
	uint64_t seen_n, now_lineage;
	int64_t now_ms, now_us;
	uint64_t unit_told[SIM_UNITS];	/* epoch in the unit op */
	uint64_t took[SIM_UNITS];	/* epoch held last */
};

/* --- a machine --- */

struct sim_driver {
	uint64_t epoch, dead;
	int64_t until_ms;	/* by its machine's clock */
	uint32_t pid;		/* who holds its descriptor */
	bool was_on;		/* when it froze */
	int64_t late_us;	/* a deliberate bug: goes on until then */
};

struct sim_disk {
	uint8_t *buf;		/* a packed LeaseState; NULL: blank */
	size_t n;
	Td__LeaseState *state;	/* the same */
	bool writing, stuck;
	uint64_t save;		/* being written, of the daemon of pid */
	uint32_t pid;
	uint8_t *next;
	size_t next_n;
	int64_t latency_us;
};

struct sim_machine {
	struct sim *s;
	uint32_t i, id;
	bool witness;
	char name[8];
	double rate;
	int64_t off_us, wall_us;
	bool up, corosync;
	int64_t frozen_us;		/* since; 0: runs */
	struct sim_ring *ring, *forming;
	uint32_t top;			/* of the old ring, when it is left */
	bool holes;
	uint64_t ring_seq;		/* newest; corosync keeps it on disk */
	struct sim_msg **outq;
	uint32_t n_out, out_size;
	uint32_t attached;		/* pid whose JOIN was sent */
	uint32_t group[SIM_MACHINES];	/* pids, as this corosync knows */
	struct sim_daemon *d;		/* NULL: does not run */
	uint64_t last_incarnation;
	struct sim_disk disk;
	struct sim_driver driver[SIM_UNITS];
};

/* --- the world --- */

/** How hostile a seed is. */
struct sim_climate {
	unsigned int nodes;
	bool witness;
	uint32_t loss, far;		/* permille of datagrams */
	int64_t disk_us, skew_us, quorum_us, turn_us;
	int64_t form_us;		/* 0: any */
	uint32_t out_limit;
	int64_t pace_us;		/* between two acts of the load */
	uint32_t weight[32];		/* of each fault */
	unsigned int faults;
	bool under_fire;		/* from the founding on */
	uint32_t compare;		/* one view of so many */
	size_t big_octets;		/* of a configuration; 0: small */
	bool calm;
};

struct sim_oracle;
struct sim_views;
struct sim_load;
struct sim_doubt;

struct sim {
	uint64_t seed;
	struct sim_rng rng;
	struct sim_events events;
	int64_t now_us;
	struct sim_climate k;
	unsigned int n;			/* machines */
	struct sim_machine m[SIM_MACHINES];
	struct sim_ring *rings;
	bool forming;
	uint32_t pids;
	uint64_t incarnations;
	/* by network, the last: heartbeats */
	int cut[SIM_NETS + 1][SIM_MACHINES][SIM_MACHINES];
	uint32_t drained;		/* bit machine */
	uint32_t want_voters;		/* bit id; 0: as it is */
	bool load_off, judging;
	bool founded_again, ending;
	uint64_t cuts_made, cuts_mended;
	struct sim_oracle *oracle;
	struct sim_views *views;
	struct sim_load *load;
	struct sim_cover cover;
	uint64_t bugs[3];		/* deliberate ones that are on: of the
					 * simulator, ha/, cluster/ */
	uint64_t digest;
	bool trace;
	bool failed;
	char why[256];
};

static inline int64_t sim_clock_us(const struct sim_machine *m)
{
	return m->off_us + (int64_t)(m->rate * (double)m->s->now_us);
}
static inline int64_t sim_clock_ms(const struct sim_machine *m)
{
	return sim_clock_us(m) / SIM_MS;
}
/** Its corosync moves. */
static inline bool sim_runs(const struct sim_machine *m)
{
	return m->up && !m->frozen_us && m->corosync;
}
/** Its daemon moves. */
static inline bool sim_awake(const struct sim_machine *m)
{
	return m->up && !m->frozen_us && m->d && !m->d->stopped_us;
}

extern const char *const sim_units[SIM_UNITS];
int sim_unit(const char *name);		/* -1: none of ours */

/* world.c */
struct sim *sim_new(void);
void sim_free(struct sim *s);
/** A world from its seed, from its first start to the proof that it is
 *  well again. @return false: s->why */
bool sim_run(struct sim *s, uint64_t seed);
void sim_after(struct sim *s, int64_t us, sim_fn fn, struct sim_arg a);
void sim_fail(struct sim *s, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void sim_story(struct sim *s, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* story.c */
void sim_story_message(struct sim_machine *m, const struct sim_msg *msg);
#define sim_tell(s, ...)                                                       \
	do {                                                                   \
		if ((s)->trace)                                                \
			sim_story(s, __VA_ARGS__);                             \
	} while (0)
/** Something happened that makes one run differ from another. */
static inline void sim_note(struct sim *s, uint64_t what)
{
	s->digest = sim_mix(s->digest, what + (uint64_t)s->now_us);
}

/* net.c */
void sim_udp(struct sim *s, uint32_t from, uint32_t to, const void *buf,
	     size_t n);
bool sim_linked(const struct sim *s, uint32_t a, uint32_t b);

/* ring.c, form.c */
struct sim_msg *sim_msg_new(enum sim_kind kind, uint32_t from, uint32_t pid,
			    const void *buf, size_t n);
void sim_msg_unref(struct sim_msg *m);
struct sim_ring *sim_ring_new(struct sim *s, uint32_t members);
void sim_rings_clear(struct sim *s);
void sim_mcast(struct sim_machine *m, struct sim_msg *msg);	/* takes it */
void sim_carry(struct sim *s, struct sim_ring *r, uint32_t to, uint32_t q);
void sim_handle(struct sim_machine *m, struct sim_ring *r, uint32_t q);
void sim_tell_members(struct sim_machine *m, bool ring_change,
		      uint32_t fresh);
/** After every change: who is whole, broken, to be formed? */
void sim_topo(struct sim *s);
/** A membership change out of nothing: these groups, disjoint. */
void sim_regroup(struct sim *s, const uint32_t *groups, unsigned int n);

/* machine.c */
void sim_power_off(struct sim_machine *m);
void sim_power_on(struct sim_machine *m, bool new_disk);
void sim_freeze(struct sim_machine *m);
void sim_thaw(struct sim_machine *m);
void sim_kill(struct sim_machine *m, int64_t away_us);
void sim_disk_write(struct sim_machine *m);
void sim_disk_clear(struct sim_disk *k);
bool sim_tx(const struct sim_machine *m, unsigned int unit);
void sim_drive(struct sim_machine *m, unsigned int unit, uint64_t epoch,
	       int64_t until_ms);
void sim_revoke(struct sim_machine *m, unsigned int unit, uint64_t epoch);
void sim_guard(struct sim_machine *m, const uint64_t *epochs);

/* faults.c */
void sim_climate(struct sim *s);
void sim_fault(struct sim *s);
void sim_mend_all(struct sim *s);
uint32_t sim_voters(const struct sim *s, uint32_t without);

/* daemon.c, glue.c */
void sim_daemon_start(struct sim_machine *m);
void sim_daemon_kill(struct sim_machine *m);
void sim_daemon_stop(struct sim_machine *m);
void sim_daemon_cont(struct sim_machine *m);
void sim_daemon_catch_up(struct sim_daemon *d);
void sim_daemon_word(struct sim_daemon *d, struct sim_word *w);
void sim_daemon_dgram(struct sim_daemon *d, const void *buf, size_t n);
void sim_daemon_stir(struct sim_daemon *d);
/** Everything that is ready, then the turn's end. */
void sim_daemon_run(struct sim_daemon *d);
void sim_daemon_saved(struct sim_daemon *d, uint64_t save);
void sim_glue_new(struct sim_daemon *d);
void sim_glue_plan(struct sim_daemon *d);
void sim_glue_flush(struct sim_daemon *d);

#endif
