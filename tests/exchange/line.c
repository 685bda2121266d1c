// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/exchange/line.h"

#include <errno.h>
#include <string.h>

#include "proto/base/str.h"

enum { MS_NS = 1000000 };

static const char *const mode_names[TD_XLINE_MODES] = {
	[TD_XLINE_UP] = "up", [TD_XLINE_DOWN] = "down",
	[TD_XLINE_NOISE] = "noise", [TD_XLINE_AIS] = "ais",
	[TD_XLINE_RAI] = "rai",
};

const char *td_xline_mode_name(enum td_xline_mode m)
{
	return mode_names[m];
}

int td_xline_mode_parse(const char *name, enum td_xline_mode *m)
{
	for (int i = 0; i < TD_XLINE_MODES; i++)
		if (!strcmp(name, mode_names[i])) {
			*m = i;
			return 0;
		}
	return -EINVAL;
}

static void on_frame(void *arg, const uint8_t *o, size_t n)
{
	struct td_xline *l = arg;
	uint32_t i = l->f_tail % TD_XLINE_FRAMES;

	if (l->f_tail - l->f_head >= TD_XLINE_FRAMES) {
		l->f_refused++;
		return;
	}
	memcpy(l->frame[i].o, o, n);
	l->frame[i].len = n;
	l->f_tail++;
}

void td_xline_init(struct td_xline *l, const char *name, uint16_t port,
		   int n_nodes)
{
	memset(l, 0, sizeof(*l));
	td_str_cut(l->name, sizeof(l->name), name);
	l->port = port;
	l->n_nodes = n_nodes;
	l->heard = l->last = -1;
	l->random = 2463534242u ^ port;
	td_xhdlc_tx_init(&l->d_tx);
	td_xhdlc_rx_init(&l->d_rx, on_frame, l);
}

static struct td_xline_block *block_of(struct td_xline *l, uint64_t turn)
{
	struct td_xline_block *b = &l->block[turn % TD_XLINE_WINDOW];

	return b->turn == turn && b->from ? b : NULL;
}

void td_xline_receive(struct td_xline *l, int node, const uint8_t *p, size_t n)
{
	struct td_xline_node *nd = &l->node[node];
	struct td_xline_block *b;
	const uint8_t *payload;
	struct td_xces_word w;
	uint64_t turn;
	int16_t ago;

	if (td_xces_parse(p, n, &w, &payload)) {
		nd->malformed++;
		return;
	}
	nd->received++;
	nd->l_bits += w.l;
	nd->r_bits += w.r;
	/* l->turn - 1 is the newest that we sent */
	ago = (int16_t)((uint16_t)(l->turn - 1) - w.seq);
	if (!l->started || ago < 0) {
		nd->strange++;
		return;
	}
	if (ago >= TD_XLINE_PLAY_MS) {
		nd->late++;
		return;
	}
	turn = l->turn - 1 - ago;
	b = &l->block[turn % TD_XLINE_WINDOW];
	if (b->turn != turn) {
		b->turn = turn;
		b->from = 0;
	}
	if (b->from & 1 << node) {
		nd->duplicate++;
		return;
	}
	b->from |= 1 << node;
	b->l = w.l || !payload;
	if (payload)
		memcpy(b->o, payload, TD_XCES_PAYLOAD);
}

/* more than one node: on copper neither would be heard */
static bool collided(const struct td_xline_block *b)
{
	return b->from & (b->from - 1);
}

static void read_dchan(struct td_xline *l)
{
	static const uint8_t ones[8] = { 255, 255, 255, 255,
					 255, 255, 255, 255 };
	uint8_t o[8];

	while (l->d_turn < l->turn) {
		struct td_xline_block *b = block_of(l, l->d_turn);

		if (!b && l->turn - l->d_turn < TD_XLINE_PLAY_MS)
			return;		/* it may still come */
		if (b && !b->l && !collided(b)) {
			td_xces_get_slot(b->o, TD_XLINE_DCHAN, o);
			td_xhdlc_rx_feed(&l->d_rx, o, 8);
		} else {
			td_xhdlc_rx_feed(&l->d_rx, ones, 8);
		}
		l->d_turn++;
	}
}

static void end_collision(struct td_xline *l, uint64_t turn)
{
	uint32_t ms = l->colliding;

	if (!ms)
		return;
	l->collisions[l->n_collisions++ % TD_XLINE_KEPT] =
		(struct td_xline_collision){ turn - ms, ms };
	if (ms > l->collision_ms_max)
		l->collision_ms_max = ms;
	l->colliding = 0;
}

/* who transmits: counted at play-out, when all that could come has come */
static void note_heard(struct td_xline *l, uint64_t turn,
		       const struct td_xline_block *b)
{
	int8_t node;

	if (!b) {
		end_collision(l, turn);
		l->silent_blocks++;
		if (++l->silent_ms >= TD_XLINE_LOPS_MS)
			l->heard = -1;
		return;
	}
	l->heard_blocks++;
	if (collided(b)) {
		l->colliding++;
		l->collision_ms++;
		l->silent_ms = 0;
		return;
	}
	end_collision(l, turn);
	node = __builtin_ctz(b->from);
	if (node == l->last && l->silent_ms)
		l->lost += l->silent_ms;
	if (node != l->last || l->silent_ms)
		l->breaks[l->n_breaks++ % TD_XLINE_KEPT] =
			(struct td_xline_break){ turn, l->silent_ms, l->last,
						 node };
	l->heard = l->last = node;
	l->silent_ms = 0;
}

static void play(struct td_xline *l, uint64_t turn)
{
	struct td_xline_block *b = block_of(l, turn);
	bool good = b && !b->l && !collided(b);
	int64_t t_ns = (int64_t)l->turn * MS_NS;
	uint8_t o[8];

	note_heard(l, turn, b);
	for (int ts = 1; ts < 32; ts++) {
		if (!l->chan[ts].open)
			continue;
		if (good)
			td_xces_get_slot(b->o, ts, o);
		td_xchan_hear(&l->chan[ts], o, good ? 0xff : 0, t_ns);
	}
}

static void make_packet(struct td_xline *l, uint64_t turn)
{
	struct td_xces_word w = {
		.r = l->silent_ms >= TD_XLINE_LOPS_MS, .seq = turn & 0xffff,
	};
	uint8_t o[8];

	td_xces_put_word(l->packet, &w);
	memset(l->packet + 4, TD_XCES_IDLE, TD_XCES_PAYLOAD);
	td_xhdlc_tx_fill(&l->d_tx, o, 8);
	td_xces_put_slot(l->packet + 4, TD_XLINE_DCHAN, o);
	for (int ts = 1; ts < 32; ts++) {
		if (!l->chan[ts].open)
			continue;
		td_xchan_say(&l->chan[ts], o);
		td_xces_put_slot(l->packet + 4, ts, o);
	}
}

void td_xline_turn(struct td_xline *l, uint64_t turn)
{
	if (!l->started) {
		l->started = true;
		l->d_turn = turn;
	}
	l->turn = turn;
	read_dchan(l);
	play(l, turn - TD_XLINE_PLAY_MS);
	make_packet(l, turn);
	l->turn = turn + 1;
}

static uint32_t draw(struct td_xline *l)
{
	l->random ^= l->random << 13;
	l->random ^= l->random >> 17;
	l->random ^= l->random << 5;
	return l->random;
}

/* bit errors: at most one an octet, which is near enough below 1e-2 */
static const uint8_t *with_noise(struct td_xline *l)
{
	uint32_t limit = l->ber * 8 * 4294967295.0;

	memcpy(l->noisy, l->packet, sizeof(l->noisy));
	for (int i = 4; i < TD_XCES_PACKET; i++)
		if (draw(l) < limit)
			l->noisy[i] ^= 1 << (draw(l) >> 7 & 7);
	return l->noisy;
}

const uint8_t *td_xline_packet(struct td_xline *l, int node)
{
	struct td_xline_node *nd = &l->node[node];

	if (nd->mode == TD_XLINE_DOWN)
		return NULL;
	nd->sent++;
	if (nd->mode == TD_XLINE_UP)
		return l->packet;
	if (nd->mode == TD_XLINE_NOISE)
		return with_noise(l);
	memcpy(l->noisy, l->packet, sizeof(l->noisy));
	if (nd->mode == TD_XLINE_AIS) {
		l->noisy[0] |= 8;
		memset(l->noisy + 4, 0xff, TD_XCES_PAYLOAD);
	} else {
		l->noisy[0] |= 2;
	}
	return l->noisy;
}

void td_xline_mode(struct td_xline *l, int node, enum td_xline_mode m,
		   double ber)
{
	for (int i = 0; i < l->n_nodes; i++)
		if (node < 0 || node == i)
			l->node[i].mode = m;
	if (ber > 0)
		l->ber = ber;
}

size_t td_xline_frame(struct td_xline *l, uint8_t o[TD_XHDLC_FRAME])
{
	uint32_t i = l->f_head % TD_XLINE_FRAMES;

	if (l->f_head == l->f_tail)
		return 0;
	memcpy(o, l->frame[i].o, l->frame[i].len);
	l->f_head++;
	return l->frame[i].len;
}

int td_xline_send(struct td_xline *l, const uint8_t *o, size_t n)
{
	return td_xhdlc_tx_put(&l->d_tx, o, n);
}
