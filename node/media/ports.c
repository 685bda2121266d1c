// SPDX-License-Identifier: GPL-2.0-or-later
#include "node/media/ports.h"

#include <errno.h>
#include <string.h>

void td_ports_init(struct td_ports *p, uint32_t seed)
{
	memset(p, 0, sizeof(*p));
	p->next = seed % TD_PORTS_COUNT;
	for (uint32_t i = 0; i < TD_PORTS_COUNT; i++)
		p->free_at_ms[i] = INT64_MIN;
}

int td_ports_take(struct td_ports *p, int64_t now_ms, uint16_t *port)
{
	for (uint32_t k = 0; k < TD_PORTS_COUNT; k++) {
		uint32_t i = (p->next + k) % TD_PORTS_COUNT;

		if (p->free_at_ms[i] > now_ms)
			continue;
		p->free_at_ms[i] = INT64_MAX;
		p->next = (i + 1) % TD_PORTS_COUNT;
		p->used++;
		*port = TD_PORTS_FIRST + 2 * i;
		return 0;
	}
	return -ENOSPC;
}

void td_ports_give(struct td_ports *p, int64_t now_ms, uint16_t port)
{
	uint32_t i = (port - TD_PORTS_FIRST) / 2;

	if (i >= TD_PORTS_COUNT || p->free_at_ms[i] != INT64_MAX)
		return;
	p->free_at_ms[i] = now_ms + TD_PORTS_REST_MS;
	p->used--;
}
