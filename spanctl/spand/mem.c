// SPDX-License-Identifier: GPL-2.0-or-later
#include "spanctl/spand/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct td_spand_mem {
	int fd, fd_ro;
	unsigned int ports;
	uint64_t length;
	uint8_t *base;
};

enum {
	CELLS = TD_SPAN_RING * TD_SPAN_SLOTS * 8,
	PAGE = 4096,
};

static uint64_t take(uint64_t *at, uint64_t n)
{
	uint64_t here = *at;

	*at += (n + PAGE - 1) / PAGE * PAGE;
	return here;
}

static uint64_t lay_out(struct td_span_card_map *map, unsigned int ports)
{
	uint64_t at = 0;

	take(&at, sizeof(*map));
	for (unsigned int i = 0; i < ports; i++) {
		struct td_span_port_dir *d = &map->dir[i];

		d->size = sizeof(*d);
		d->port = i + 1;
		d->status = take(&at, sizeof(struct td_span_status));
		d->owner = take(&at, sizeof(struct td_span_owner));
		d->rx = take(&at, CELLS);
		d->rx_flags = take(&at, TD_SPAN_RING * sizeof(uint32_t));
		d->tx = take(&at, CELLS);
		d->tx_stamp = take(&at, CELLS);
		d->frames = take(&at, TD_SPAN_FRAMES);
		d->hdlc_tx = take(&at, TD_SPAN_HDLC_TX);
	}
	map->size = sizeof(*map);
	map->abi = TD_SPAN_ABI;
	map->ports = ports;
	map->dir_size = sizeof(map->dir[0]);
	map->length = at;
	return at;
}

static int make_fds(struct td_spand_mem *m)
{
	char path[64];

	m->fd = memfd_create("td-span", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (m->fd < 0)
		return -errno;
	if (ftruncate(m->fd, (off_t)m->length) ||
	    fcntl(m->fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW |
		  F_SEAL_SEAL))
		return -errno;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", m->fd);
	m->fd_ro = open(path, O_RDONLY | O_CLOEXEC);
	return m->fd_ro < 0 ? -errno : 0;
}

int td_spand_mem_new(unsigned int ports, struct td_spand_mem **out)
{
	struct td_spand_mem *m = calloc(1, sizeof(*m));
	struct td_span_card_map map = { 0 };
	void *base;
	int rc;

	if (!m)
		return -ENOMEM;
	m->fd = m->fd_ro = -1;
	m->ports = ports;
	m->length = lay_out(&map, ports);
	rc = make_fds(m);
	if (rc)
		goto fail;
	base = mmap(NULL, m->length, PROT_READ | PROT_WRITE, MAP_SHARED,
		    m->fd, 0);
	if (base == MAP_FAILED) {
		rc = -errno;
		goto fail;
	}
	m->base = base;
	td_spand_mem_describe(m);
	*out = m;
	return 0;
fail:
	td_spand_mem_free(m);
	return rc;
}

void td_spand_mem_describe(struct td_spand_mem *m)
{
	struct td_span_card_map map = { 0 };
	struct td_spand_areas a;

	lay_out(&map, m->ports);
	memcpy(m->base, &map, sizeof(map));
	for (unsigned int i = 0; i < m->ports; i++) {
		td_spand_mem_areas(m, i, &a);
		a.status->size = sizeof(*a.status);
		a.owner->size = sizeof(*a.owner);
	}
}

void td_spand_mem_free(struct td_spand_mem *m)
{
	if (!m)
		return;
	if (m->base)
		munmap(m->base, m->length);
	if (m->fd >= 0)
		close(m->fd);
	if (m->fd_ro >= 0)
		close(m->fd_ro);
	free(m);
}

int td_spand_mem_fd(const struct td_spand_mem *m)
{
	return m->fd;
}

int td_spand_mem_fd_ro(const struct td_spand_mem *m)
{
	return m->fd_ro;
}

void td_spand_mem_areas(struct td_spand_mem *m, unsigned int port,
			struct td_spand_areas *out)
{
	/* offsets are worked out anew: those in the memory are the owner's to
	 * scribble on */
	struct td_span_card_map map = { 0 };
	const struct td_span_port_dir *d = &map.dir[port];

	lay_out(&map, port + 1);
	out->status = (void *)(m->base + d->status);
	out->owner = (void *)(m->base + d->owner);
	out->rx = (void *)(m->base + d->rx);
	out->rx_flags = (void *)(m->base + d->rx_flags);
	out->tx = (void *)(m->base + d->tx);
	out->tx_stamp = (void *)(m->base + d->tx_stamp);
	out->frames = m->base + d->frames;
	out->hdlc_tx = m->base + d->hdlc_tx;
}
