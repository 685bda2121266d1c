// SPDX-License-Identifier: GPL-2.0-or-later
#include "node/isdn/channel.h"

#include "node/isdn/cause.h"

uint32_t td_isdn_channel_hunt(uint32_t free, bool network)
{
	free &= ~1u;		/* timeslot 0 carries the frame alignment */
	if (!free)
		return 0;
	if (network)
		return (uint32_t)__builtin_ctz(free);
	return 31 - (uint32_t)__builtin_clz(free);
}

int td_isdn_channel_incoming(const struct td_isdn_channel_ask *ask,
			     struct td_isdn_channel *out)
{
	uint32_t free = ask->configured & ~ask->busy & ~ask->offered;
	uint32_t bit = 0, other;

	if (ask->channel && ask->channel < 32)
		bit = 1u << ask->channel;
	if (ask->channel && !(bit & ask->configured)) {
		if (ask->exclusive)
			return TD_CAUSE_NO_SUCH_CHANNEL;
	} else if (bit & free) {
		*out = (struct td_isdn_channel){ ask->channel, false };
		return 0;
	} else if (bit && !(bit & ask->busy) && !ask->network) {
		/* Q.931 5.7: the network's call has priority */
		*out = (struct td_isdn_channel){ ask->channel, true };
		return 0;
	} else if (bit && ask->exclusive) {
		return TD_CAUSE_CHANNEL_UNAVAILABLE;
	}
	other = td_isdn_channel_hunt(free, ask->network);
	if (!other)
		return TD_CAUSE_NO_CHANNEL;
	*out = (struct td_isdn_channel){ other, false };
	return 0;
}

enum td_isdn_channel_reply td_isdn_channel_answer(uint32_t held,
						  uint32_t free,
						  uint32_t channel)
{
	if (held && (!channel || channel == held))
		return TD_CHANNEL_KEEP;
	if (channel && channel < 32 && free & 1u << channel)
		return TD_CHANNEL_MOVE;
	return TD_CHANNEL_CONFLICT;
}
