// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/sim/bugs.h"

#include "cluster/bug.h"
#include "ha/lease_bug.h"

/* seeds: ten times what it took when it was last measured, at least 2000. 0:
 * in the whole system other rules stand before this one (the cluster's word
 * about a minority before the lease machine's, virtual synchrony before an
 * election), and it was not met with in 3000 seeds; it is hunted all the same,
 * and found or not is said. */

static const struct sim_bug_row rows[] = {
#define SIM(name, bit, seeds, quick, what)                                     \
	{ name, SIM_BUGS_SIM, SIM_BUG_##bit, seeds, quick, what }
	SIM("guard", GUARD, 2000, true,
	    "the guard says RELEASED without having switched off"),
	SIM("timer_only", TIMER_ONLY, 2000, false,
	    "after a thaw the driver stops by its timer, 10 ms late"),
	SIM("boottime", MONOTONIC, 2000, false,
	    "the lease's clock stands still while the machine is frozen"),
	SIM("save_later", SAVE_LATER, 2000, false,
	    "promises leave before they are on disk"),
	SIM("disk_forgets", DISK_FORGETS, 2000, true,
	    "a restarted voter finds nothing on its disk"),
#undef SIM
#define HA(name, bit, seeds, quick, what)                                      \
	{ name, SIM_BUGS_HA, TD_BUG_##bit, seeds, quick, what }
	HA("hb_lease", HB_LEASE, 2000, true,
	   "corosync's word renews the lease"),
	HA("from_send", FROM_SEND, 2000, true,
	   "the lease counts from the acknowledgement"),
	HA("wait", WAIT, 2000, true, "the taker does not wait"),
	HA("fresh_set", FRESH_SET, 2000, false,
	   "the taker believes its own record"),
	HA("epoch_acks", EPOCH_ACKS, 2000, true,
	   "any claim is acknowledged"),
	HA("take_promised", TAKE_PROMISED, 2000, true,
	   "ages are reported before the Take"),
	HA("no_revive", NO_REVIVE, 2000, true,
	   "the machine renews a lapsed lease"),
	HA("revoke", REVOKE, 2000, true,
	   "RELEASED without having switched off"),
	HA("maj_set", MAJ_SET, 2000, true,
	   "a removal counts at own delivery"),
	HA("own_epoch", OWN_EPOCH, 0, false,
	   "holders of another epoch's record count"),
	HA("owner_adds", OWNER_ADDS, 2000, false,
	   "all add a joiner when they hear of it"),
	HA("w_holds", W_HOLDS, 4400, false,
	   "the witness reports no record"),
	HA("durable", DURABLE, 2000, false,
	   "a restarted member has forgotten"),
	HA("start_is_ack", START_IS_ACK, 0, false,
	   "a restarted member reports that it acknowledged nothing"),
	HA("all_claims", ALL_CLAIMS, 2000, false,
	   "RELEASED ends the wait for all claims"),
	HA("joint", JOINT, 8040, false, "new voters count alone at once"),
	HA("voters", VOTERS, 2000, true,
	   "voters are a number in each one's head"),
	HA("newer_record", NEWER_RECORD, 20320, false,
	   "who knows a newer record grants all the same"),
	HA("stand_by", STAND_BY, 11040, false,
	   "a record counts as held while older leases run"),
	HA("floor", FLOOR, 0, false,
	   "epochs do not rise when the voters change"),
	HA("base", BASE, 0, false,
	   "after a merge nobody waits for the lead's word"),
	HA("out_stops", OUT_STOPS, 0, false,
	   "who is out of the set keeps its units"),
	HA("since", SINCE, 0, false,
	   "a newer record that names us is enough"),
#undef HA
#define CLUSTER(name, bit, seeds, quick, what)                                 \
	{ name, SIM_BUGS_CLUSTER, TD_CBUG_##bit, seeds, quick, what }
	CLUSTER("own_apply", OWN_APPLY, 2000, true,
		"an effect waits for its own apply only"),
	CLUSTER("any_ack", ANY_ACK, 2000, true,
		"any one member's acknowledgement releases an effect"),
	CLUSTER("any_life", ANY_LIFE, 3040, false,
		"an earlier life's acknowledgement counts"),
	CLUSTER("ack_ahead", ACK_AHEAD, 2000, true,
		"acknowledges one op more than is applied"),
	CLUSTER("minority", MINORITY, 2000, true,
		"a minority releases what it should cancel"),
	CLUSTER("stale_lineage", STALE_LINEAGE, 0, false,
		"ops of another lineage are applied"),
	CLUSTER("same_lineage", SAME_LINEAGE, 2000, true,
		"a part that goes on keeps the lineage"),
	CLUSTER("off_by_one", OFF_BY_ONE, 2000, true,
		"a snapshot is off by one op"),
	CLUSTER("twice", TWICE, 2000, true,
		"what came during a snapshot is applied twice"),
	CLUSTER("early", EARLY, 0, false,
		"a joiner is in sync before its replay is done"),
	CLUSTER("keeps_rows", KEEPS_ROWS, 2000, true,
		"a joiner keeps rows that the snapshot does not have"),
	CLUSTER("local_time", LOCAL_TIME, 2000, true,
		"rows expire by the local clock"),
	CLUSTER("no_resend", NO_RESEND, 2000, true,
		"what was under way at a change is not sent again"),
	CLUSTER("any_view", ANY_VIEW, 0, false,
		"who moved along goes on whatever it holds"),
	CLUSTER("no_record", NO_RECORD, 2000, false,
		"anybody's view may go on"),
	CLUSTER("unheard", UNHEARD, 2000, true,
		"a view goes on before the others were heard"),
	CLUSTER("not_overruled", NOT_OVERRULED, 0, false,
		"a view goes on in spite of a newer record"),
#undef CLUSTER
};

const struct sim_bug_row *sim_bug_row(unsigned int i)
{
	return i < sizeof(rows) / sizeof(*rows) ? &rows[i] : 0;
}
