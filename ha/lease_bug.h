/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_LEASE_BUG_H
#define TD_LEASE_BUG_H

/** Deliberate bugs, one per rule of the protocol, for the simulator to find:
 *  they exist only where TD_SIM is defined, and there only where the machine's
 *  configuration asks for them (struct td_lease_cfg, bugs). The first ones
 *  have the names of design/proofs/lease_model.py. */
enum td_lease_bug {
	TD_BUG_HB_LEASE,	/* corosync's word renews the lease */
	TD_BUG_FROM_SEND,	/* it counts from the acknowledgement */
	TD_BUG_WAIT,		/* the taker does not wait */
	TD_BUG_FRESH_SET,	/* the taker believes its own record */
	TD_BUG_EPOCH_ACKS,	/* any claim is acknowledged */
	TD_BUG_TAKE_PROMISED,	/* ages are reported before the Take */
	TD_BUG_NO_REVIVE,	/* a lapsed lease is renewed */
	TD_BUG_REVOKE,		/* Released without switching off */
	TD_BUG_MAJ_SET,		/* a removal counts at own delivery */
	TD_BUG_OWN_EPOCH,	/* holders of another epoch's record count */
	TD_BUG_OWNER_ADDS,	/* all add a joiner when they hear of it */
	TD_BUG_W_HOLDS,		/* the witness reports no record */
	TD_BUG_DURABLE,		/* a restarted member has forgotten */
	TD_BUG_START_IS_ACK,	/* and reports that it acknowledged nothing */
	TD_BUG_ALL_CLAIMS,	/* Released ends the wait for all claims */
	TD_BUG_JOINT,		/* new voters count alone at once */
	TD_BUG_VOTERS,		/* voters are a number in each one's head */
	/* of more than one unit */
	TD_BUG_NEWER_RECORD,	/* who has a newer record grants even so */
	TD_BUG_STAND_BY,	/* a record counts while older leases run */
	TD_BUG_FLOOR,		/* epochs do not rise when the voters change */
	TD_BUG_BASE,		/* after a merge nobody waits for the lead */
	TD_BUG_OUT_STOPS,	/* who is out of the set keeps its units */
	TD_BUG_SINCE,		/* a newer record that names us is enough */
	TD_LEASE_BUGS
};

#ifdef TD_SIM
#define td_lease_bug(l, bug) ((l)->cfg.bugs >> (bug) & 1)
#else
#define td_lease_bug(l, bug) 0
#endif

#endif
