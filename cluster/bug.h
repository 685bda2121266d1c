/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_CLUSTER_BUG_H
#define TD_CLUSTER_BUG_H

/** Deliberate bugs, for the simulator to find (tests/sim): they exist only
 *  where TD_SIM is defined, and there only where env.bugs asks for them. */
enum td_cluster_bug {
	TD_CBUG_OWN_APPLY,	/* an effect waits for its own apply only */
	TD_CBUG_ANY_ACK,	/* any one member's word releases it */
	TD_CBUG_ANY_LIFE,	/* an earlier life's word counts */
	TD_CBUG_ACK_AHEAD,	/* acknowledges one op more than applied */
	TD_CBUG_MINORITY,	/* releases what it should cancel */
	TD_CBUG_STALE_LINEAGE,	/* applies ops of another lineage */
	TD_CBUG_SAME_LINEAGE,	/* goes on without a new name */
	TD_CBUG_OFF_BY_ONE,	/* forgets the first op after a snapshot */
	TD_CBUG_TWICE,		/* replays what it kept twice */
	TD_CBUG_EARLY,		/* says that it has caught up too soon */
	TD_CBUG_KEEPS_ROWS,	/* keeps what a snapshot does not have */
	TD_CBUG_LOCAL_TIME,	/* lets its own clock expire rows */
	TD_CBUG_NO_RESEND,	/* does not send again what was under way */
	TD_CBUG_ANY_VIEW,	/* who moved along goes on, whatever it holds */
	TD_CBUG_NO_RECORD,	/* anybody's view may go on */
	TD_CBUG_UNHEARD,	/* goes on before it has heard the others */
	TD_CBUG_NOT_OVERRULED,	/* goes on in spite of a newer record */
	TD_CLUSTER_BUGS
};

#ifdef TD_SIM
#define td_cluster_bug(c, bug) ((c)->env.bugs >> (bug) & 1)
#else
#define td_cluster_bug(c, bug) 0
#endif

struct td_cluster;
struct td_view;
/* Only called where a bug is on. */
unsigned long long td_cluster_bug_floor(const struct td_cluster *c);
void td_cluster_bug_keep_rows(const struct td_view *from, struct td_view *to);

#endif
