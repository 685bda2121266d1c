// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <string.h>

#include "cluster/cluster_priv.h"
#include "cluster/view_priv.h"
#include "proto/base/log.h"

#define BIT(id) (1U << (id))

/* Hellos: who goes on in this ring, who needs a view. All hear the same
 * Hellos in the same order and decide alike. */

/* --- rounds --- */

void td_cluster_round_start(struct td_cluster *c, uint64_t round)
{
	if (round != c->round)
		memset(c->claims, 0, sizeof(c->claims));
	c->round = round;
	c->request |= 0xff;	/* the next attempt is the first */
	c->silent = c->silent_told = 0;
	c->hello_back_ms = 0;
	c->missing = 0;
	c->ask = false;
}

bool td_cluster_others_live(const struct td_cluster *c)
{
	for (uint32_t i = 1; i <= TD_NODE_MAX_ID; i++)
		if (i != c->id && c->members & BIT(i) && c->claims[i].said &&
		    c->claims[i].live && !c->claims[i].witness)
			return true;
	return false;
}

static uint32_t unheard(const struct td_cluster *c)
{
	uint32_t mask = 0;

	for (uint32_t i = 1; i <= TD_NODE_MAX_ID; i++)
		if (c->members & BIT(i) && !c->claims[i].said)
			mask |= BIT(i);
	return mask;
}

/* A daemon that hangs says no Hello: after a while all agree, by the place of
 * a Hello in the order, to do without it. */
void td_cluster_look_for_silent(struct td_cluster *c, int64_t boot)
{
	bool undecided = !c->live && c->members && (c->quorate || c->has_auth);
	uint32_t silent;

	if (!undecided || c->need_hello || c->witness || c->take.whole)
		return;
	silent = c->has_auth ? unheard(c) & ~c->silent : 0;
	if (silent && c->hello_back_ms &&
	    boot - c->hello_back_ms >= TD_SILENT_MS &&
	    boot - c->hello_ms >= TD_SILENT_MS &&	/* once a while */
	    !td_cluster_others_live(c)) {
		c->silent_told = silent | c->silent;
		c->need_hello = true;
	} else if (boot - c->hello_ms >= TD_HELLO_RETRY_MS) {
		c->need_hello = true;
		c->ask = c->has_auth && !td_cluster_others_live(c);
	}
}

/* --- giving --- */

static void give_start(struct td_cluster *c, uint32_t to, uint64_t incarnation,
		       uint32_t request)
{
	struct td_sync_give *g = &c->give[to];
	struct td_index i = td_view_index(c->view);
	int rc;

	td_sync_give_stop(g);
	rc = td_view_cut_new(c->view, &g->cut);
	if (rc) {
		td_err("cluster", "CLUSTER-SNAPSHOT", "to=%u status=%d", to,
		       rc);
		return;
	}
	g->to_node = to;
	g->to_incarnation = incarnation;
	g->request = request;
	g->lineage = i.lineage;
	g->n = i.n;
	c->stats.snapshots_out++;
	td_cluster_stir(c);
}

static bool names(const struct td_sync_record *r, uint32_t id, uint64_t life)
{
	return r->in_sync & BIT(id) && r->life[id] == life;
}

/* A newer record that has left us out, from before we could hear it: whoever
 * wrote it may have gone on. Everybody speaks again. */
static bool overruled(struct td_cluster *c, const struct td_claim *by)
{
	struct td_sync_record mine;

	if (!c->has_auth || td_cluster_bug(c, TD_CBUG_NOT_OVERRULED))
		return false;
	td_sync_record_read(td_cluster_record(c), &mine);
	if (td_sync_record_cmp(&by->record, &mine) <= 0 ||
	    !names(&mine, c->id, c->incarnation) ||
	    names(&by->record, c->id, c->incarnation))
		return false;
	td_warn("cluster", "CLUSTER-OVERRULED",
		"node=%s record=%llu/%llu leaves it out: who goes on is "
		"decided anew", c->name, (unsigned long long)by->record.epoch,
		(unsigned long long)by->record.version);
	td_cluster_suspend(c);
	c->need_hello = c->ask = true;
	return true;
}

static void split(struct td_cluster *c, uint32_t from, uint64_t lineage)
{
	/* two parts went on, which a quorum should have prevented */
	td_err("cluster", "CLUSTER-SPLIT",
	       "node=%s lineage=%llu against %u's %llu: ours is dropped",
	       c->name, (unsigned long long)td_view_index(c->view).lineage,
	       from, (unsigned long long)lineage);
	td_cluster_demote(c);
	c->need_hello = true;
}

static void live_hears(struct td_cluster *c, uint32_t from, const Td__Hello *h)
{
	uint32_t can = c->synced | BIT(c->id);

	if (from == c->id || overruled(c, &c->claims[from]) || h->witness)
		return;
	td_sync_give_stop(&c->give[from]);	/* it asks anew, or has it */
	if (!h->want_snapshot) {
		if (h->lineage > td_view_index(c->view).lineage)
			split(c, from, h->lineage);
		return;
	}
	for (uint32_t k = 1; k <= TD_NODE_MAX_ID; k++)
		if (k == from || (c->claims[k].said && !c->claims[k].live))
			can &= ~BIT(k);
	if (td_sync_donor(can | BIT(c->id), h->request & 0xff) != c->id)
		return;
	/* an older life of it, or its part that did not go on */
	td_cluster_tell_gone(c, from);
	give_start(c, from, h->node->incarnation, h->request);
}

/* --- deciding --- */

static void elected(struct td_cluster *c, uint32_t mask, uint32_t winner)
{
	const struct td_claim *best = &c->claims[winner];
	uint64_t lineage = td_cluster_next_lineage(c, best->lineage, winner);

	for (uint32_t i = 1; i <= TD_NODE_MAX_ID; i++)
		if (mask & BIT(i))
			c->claims[i].live = true;
	if (!(mask & BIT(c->id))) {
		td_cluster_demote(c);
		/* the winner's view is of this place */
		if (!c->witness)
			td_sync_take_start(&c->take, 0);
		return;
	}
	if (best->lineage && td_cluster_bug(c, TD_CBUG_SAME_LINEAGE))
		lineage = best->lineage;
	if (best->lineage)
		td_view_lineage_set(c->view, lineage);
	else
		td_view_found(c->view, lineage, c->env.wall_ms(c->env.arg));
	if (!td_cluster_bug(c, TD_CBUG_NO_RESEND))
		td_cluster_send_again(c);
	td_cluster_go_live(c);
	if (winner != c->id || !(c->members & ~mask))
		return;
	for (uint32_t i = 1; i <= TD_NODE_MAX_ID; i++) {
		if (!(c->members & ~mask & BIT(i)))
			continue;
		td_cluster_tell_gone(c, i);
		if (c->claims[i].said && !c->claims[i].witness)
			give_start(c, i, c->claims[i].life, 0);
	}
}

static void nobody(struct td_cluster *c, const struct td_verdict *v)
{
	td_cluster_demote(c);
	c->missing = v->missing;
	if (c->missing == c->missing_warned)
		return;
	c->missing_warned = c->missing;
	td_warn("cluster", "CLUSTER-WAITS",
		"node=%s nodes=%x: they may hold what nobody here does; start "
		"them, or say `tandem cluster force' if they are lost",
		c->name, v->missing);
}

static void decide_by_record(struct td_cluster *c)
{
	struct td_verdict v;

	td_sync_decide(c->claims, c->members, c->silent, c->bus_quorate, &v);
	if (v.what == TD_VERDICT_WAIT)
		return;
	c->quorate = v.what != TD_VERDICT_MINORITY;
	c->missing = 0;
	c->state_changed = true;
	switch (v.what) {
	case TD_VERDICT_GO:
		if (v.cold)
			td_warn("cluster", "CLUSTER-COLD",
				"node=%s: all who held what was released are "
				"lost, the newest view there is goes on",
				c->name);
		elected(c, v.mask, v.winner);
		break;
	case TD_VERDICT_NOBODY:
		nobody(c, &v);
		break;
	case TD_VERDICT_LIVE:		/* others went on without us */
		if (c->waiting)
			td_cluster_drop_waiting(c);
		c->waiting = false;
		break;
	default:
		td_cluster_demote(c);
	}
}

static void decide(struct td_cluster *c, const Td__Hello *h)
{
	uint32_t able = c->members, mask, winner;

	if (c->has_auth) {
		decide_by_record(c);
		return;
	}
	for (uint32_t i = 1; i <= TD_NODE_MAX_ID; i++)
		if (c->claims[i].witness)
			able &= ~BIT(i);
	mask = td_sync_elect(c->claims, able, &winner);
	if (mask) {
		elected(c, mask, winner);
	} else if (!h->want_snapshot) {
		c->waiting = false;
		td_cluster_drop_waiting(c);	/* others went on without us */
	}
}

static void claim(struct td_cluster *c, uint32_t from, const Td__Hello *h)
{
	struct td_claim *to = &c->claims[from];

	if (h->ask) {
		memset(c->claims, 0, sizeof(c->claims));
		c->hello_back_ms = 0;
		if (from != c->id)
			c->need_hello = true;
	}
	*to = (struct td_claim){
		.said = true, .live = !h->want_snapshot && !h->witness,
		.lineage = h->lineage, .n = h->index, .together = h->together,
		.witness = h->witness, .forced = h->forced,
		.lacks = h->lacks,
		.life = h->node->incarnation,
	};
	td_sync_record_read(h->record, &to->record);
	if (td_cluster_bug(c, TD_CBUG_ANY_VIEW))
		to->n = 0;
	if (td_cluster_bug(c, TD_CBUG_NO_RECORD))
		to->record = (struct td_sync_record){ 0 };
	c->silent |= h->silent & unheard(c);
}

void td_cluster_on_hello(struct td_cluster *c, uint32_t from,
			 const Td__Hello *h)
{
	if (h->round != c->round || !(c->members & BIT(from)) || !h->node ||
	    h->node->id != from)
		return;
	claim(c, from, h);
	if (from == c->id && !c->live &&
	    h->node->incarnation == c->incarnation) {
		c->hello_back_ms = td_cluster_boot_ms(c);
		if (!c->witness)
			td_sync_take_start(&c->take, h->request);
	}
	if (c->live)
		live_hears(c, from, h);
	else if (c->has_auth || c->quorate)
		decide(c, h);
}
