// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/sim/bugs.h"

#include "cluster/bug.h"
#include "ha/lease_bug.h"

/* What each costs, in seeds, stands in the README; the limit is several times
 * that. */
static const struct sim_bug_row rows[] = {
#define SIM(name, bit, seeds, quick, what)                                     \
	{ name, SIM_BUGS_SIM, SIM_BUG_##bit, seeds, quick, what }
	SIM("guard", GUARD, 20000, false,
	    "the guard says RELEASED without having switched off"),
	SIM("timer_only", TIMER_ONLY, 20000, false,
	    "after a thaw the driver stops by its timer, 10 ms late"),
	SIM("boottime", MONOTONIC, 20000, false,
	    "the lease's clock stands still while the machine is frozen"),
	SIM("save_later", SAVE_LATER, 20000, false,
	    "promises leave before they are on disk"),
	SIM("disk_forgets", DISK_FORGETS, 20000, false,
	    "a restarted voter finds nothing on its disk"),
#undef SIM
#define HA(name, bit, seeds, quick, what)                                      \
	{ name, SIM_BUGS_HA, TD_BUG_##bit, seeds, quick, what }
	HA("hb_lease", HB_LEASE, 20000, false,
	   "corosync's word renews the lease"),
	HA("from_send", FROM_SEND, 20000, false,
	   "the lease counts from the acknowledgement"),
	HA("wait", WAIT, 20000, false, "the taker does not wait"),
	HA("fresh_set", FRESH_SET, 20000, false,
	   "the taker believes its own record"),
	HA("epoch_acks", EPOCH_ACKS, 20000, false,
	   "any claim is acknowledged"),
	HA("take_promised", TAKE_PROMISED, 20000, false,
	   "ages are reported before the Take"),
	HA("no_revive", NO_REVIVE, 20000, false,
	   "the machine renews a lapsed lease"),
	HA("revoke", REVOKE, 20000, false,
	   "RELEASED without having switched off"),
	HA("maj_set", MAJ_SET, 20000, false,
	   "a removal counts at own delivery"),
	HA("own_epoch", OWN_EPOCH, 20000, false,
	   "holders of another epoch's record count"),
	HA("owner_adds", OWNER_ADDS, 20000, false,
	   "all add a joiner when they hear of it"),
	HA("w_holds", W_HOLDS, 20000, false,
	   "the witness reports no record"),
	HA("durable", DURABLE, 20000, false,
	   "a restarted member has forgotten"),
	HA("start_is_ack", START_IS_ACK, 20000, false,
	   "a restarted member reports that it acknowledged nothing"),
	HA("all_claims", ALL_CLAIMS, 20000, false,
	   "RELEASED ends the wait for all claims"),
	HA("joint", JOINT, 20000, false, "new voters count alone at once"),
	HA("voters", VOTERS, 20000, false,
	   "voters are a number in each one's head"),
	HA("newer_record", NEWER_RECORD, 20000, false,
	   "who knows a newer record grants all the same"),
	HA("stand_by", STAND_BY, 20000, false,
	   "a record counts as held while older leases run"),
	HA("floor", FLOOR, 20000, false,
	   "epochs do not rise when the voters change"),
	HA("base", BASE, 20000, false,
	   "after a merge nobody waits for the lead's word"),
	HA("out_stops", OUT_STOPS, 20000, false,
	   "who is out of the set keeps its units"),
	HA("since", SINCE, 20000, false,
	   "a newer record that names us is enough"),
#undef HA
#define CLUSTER(name, bit, seeds, quick, what)                                 \
	{ name, SIM_BUGS_CLUSTER, TD_CBUG_##bit, seeds, quick, what }
	CLUSTER("own_apply", OWN_APPLY, 2000, true,
		"an effect waits for its own apply only"),
	CLUSTER("any_ack", ANY_ACK, 20000, false,
		"any one member's acknowledgement releases an effect"),
	CLUSTER("any_life", ANY_LIFE, 20000, false,
		"an earlier life's acknowledgement counts"),
	CLUSTER("ack_ahead", ACK_AHEAD, 2000, true,
		"acknowledges one op more than is applied"),
	CLUSTER("minority", MINORITY, 20000, false,
		"a minority releases what it should cancel"),
	CLUSTER("stale_lineage", STALE_LINEAGE, 20000, false,
		"ops of another lineage are applied"),
	CLUSTER("same_lineage", SAME_LINEAGE, 20000, false,
		"a part that goes on keeps the lineage"),
	CLUSTER("off_by_one", OFF_BY_ONE, 2000, true,
		"a snapshot is off by one op"),
	CLUSTER("twice", TWICE, 2000, true,
		"what came during a snapshot is applied twice"),
	CLUSTER("early", EARLY, 20000, false,
		"a joiner is in sync before its replay is done"),
	CLUSTER("keeps_rows", KEEPS_ROWS, 2000, true,
		"a joiner keeps rows that the snapshot does not have"),
	CLUSTER("local_time", LOCAL_TIME, 2000, true,
		"rows expire by the local clock"),
	CLUSTER("no_resend", NO_RESEND, 20000, false,
		"what was under way at a change is not sent again"),
	CLUSTER("any_view", ANY_VIEW, 20000, false,
		"who moved along goes on whatever it holds"),
	CLUSTER("no_record", NO_RECORD, 20000, false,
		"anybody's view may go on"),
	CLUSTER("unheard", UNHEARD, 20000, false,
		"a view goes on before the others were heard"),
	CLUSTER("not_overruled", NOT_OVERRULED, 20000, false,
		"a view goes on in spite of a newer record"),
#undef CLUSTER
};

const struct sim_bug_row *sim_bug_row(unsigned int i)
{
	return i < sizeof(rows) / sizeof(*rows) ? &rows[i] : 0;
}
