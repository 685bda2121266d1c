/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SIM_COVER_H
#define SIM_COVER_H

#include <stdint.h>

/** What a run has exercised. All that is marked must be met with in a run of
 *  some length, or the run proves less than it seems to. */
#define SIM_COVER(X)                                                           \
	X(seeds, 1)                                                            \
	X(events, 1)                                                           \
	X(virtual_s, 1)                                                        \
	X(rings, 1)                                                            \
	X(messages, 1)                                                         \
	X(datagrams, 1)                                                        \
	X(lost_datagrams, 1)                                                   \
	X(late_datagrams, 1)                                                   \
	X(holes, 1)                                                            \
	X(rings_given_up, 1)                                                   \
	X(cuts, 1)                                                             \
	X(one_way_cuts, 1)                                                     \
	X(heartbeat_cuts, 1)                                                   \
	X(power_offs, 1)                                                       \
	X(new_disks, 1)                                                        \
	X(freezes, 1)                                                          \
	X(stops, 1)                                                            \
	X(kills, 1)                                                            \
	X(hangs, 1)                                                            \
	X(regroups, 1)                                                         \
	X(drains, 1)                                                           \
	X(maintenances, 1)                                                     \
	X(clock_jumps, 1)                                                      \
	X(slow_disks, 1)                                                       \
	X(stuck_disks, 1)                                                      \
	X(full_transports, 1)                                                  \
	X(takes, 1)                                                            \
	X(takes_of_lead, 1)                                                    \
	X(released_words, 1)                                                   \
	X(records, 1)                                                          \
	X(removals, 1)                                                         \
	X(additions, 1)                                                        \
	X(voter_changes, 1)                                                    \
	X(snapshots, 1)                                                        \
	X(minorities, 1)                                                       \
	X(cold_starts, 1)                                                      \
	X(lineages, 1)                                                         \
	X(effects, 1)                                                          \
	X(cancelled, 1)                                                        \
	X(registrations, 1)                                                    \
	X(refreshes, 1)                                                        \
	X(deletions, 1)                                                        \
	X(expiries, 1)                                                         \
	X(calls, 1)                                                            \
	X(hang_ups, 1)                                                         \
	X(generations, 1)                                                      \
	X(big_ops, 1)                                                          \
	X(refused_full, 0)                                                     \
	X(views_compared, 1)                                                   \
	X(healed, 1)                                                           \
	X(heal_ms, 0)

struct sim_cover {
#define X(name, must) uint64_t name;
	SIM_COVER(X)
#undef X
};

enum {
	SIM_COVERS = sizeof(struct sim_cover) / sizeof(uint64_t),
};
void sim_cover_add(struct sim_cover *to, const struct sim_cover *c);
/** @return how many that must be covered are not */
unsigned int sim_cover_print(const struct sim_cover *c);

#endif
