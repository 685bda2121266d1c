// SPDX-License-Identifier: GPL-2.0-or-later
#include "isdn/rig.h"

/* Random and mutated frames, seeded: TD_SEED=n TD_ROUNDS=n repeat or prolong
 * a run. libpri itself is not instrumented; what is looked for is a crash, a
 * broken promise of leg.h, a call or leg that stays. */

static uint64_t rng;

static uint32_t rnd(uint32_t n)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return (uint32_t)(rng >> 11) % n;
}

static unsigned long env_or(const char *name, unsigned long other)
{
	const char *s = getenv(name);

	return s ? strtoul(s, NULL, 0) : other;
}

/* Q.931 messages with every element the exchange may send. */
static const struct {
	uint8_t n, b[64];
} corpus[] = {
	/* SETUP with channel, numbers, display, user-user, complete */
	{ 58, { 8, 2, 0, 9, 5, 0xa1, 4, 3, 0x80, 0x90, 0xa3, 0x18, 3, 0xa9,
		0x83, 0x85, 0x1e, 2, 0x82, 0x83, 0x28, 3, 'b', 'o', 'b', 0x6c,
		6, 0x21, 0x83, '2', '0', '1', '2', 0x70, 8, 0xc1, '5', '5',
		'5', '1', '0', '0', '0', 0x74, 4, 0x21, 0x83, 0x8f, '9', 0x7d,
		2, 0x91, 0x81, 0x7e, 3, 4, 'h', 'i' } },
	/* SETUP with a FACILITY */
	{ 43, { 8, 2, 0, 10, 5, 4, 3, 0x80, 0x90, 0xa3, 0x18, 3, 0xa1, 0x83,
		0x86, 0x1c, 14, 0x9f, 0xaa, 6, 0x80, 1, 0, 0x82, 1, 0, 0xa1, 2,
		2, 0, 1, 0x70, 8, 0xc1, '5', '5', '5', '1', '0', '0', '0', 0xa1,
		0x96 } },
	{ 9, { 8, 2, 0x80, 1, 2, 0x18, 1, 0xa9, 0x83 } },
	{ 9, { 8, 2, 0x80, 1, 1, 0x1e, 2, 0x82, 0x88 } },
	{ 9, { 8, 2, 0x80, 1, 3, 0x1e, 2, 0x82, 0x88 } },
	{ 5, { 8, 2, 0x80, 1, 7 } },
	{ 5, { 8, 2, 0, 9, 0x0f } },
	{ 9, { 8, 2, 0x80, 1, 0x45, 8, 2, 0x82, 0x90 } },
	{ 9, { 8, 2, 0, 9, 0x45, 8, 2, 0x82, 0x90 } },
	{ 9, { 8, 2, 0x80, 1, 0x4d, 8, 2, 0x82, 0x90 } },
	{ 9, { 8, 2, 0, 9, 0x5a, 8, 2, 0x82, 0x90 } },
	{ 12, { 8, 2, 0x80, 1, 0x7d, 8, 2, 0x82, 0xde, 0x14, 1, 0 } },
	{ 5, { 8, 2, 0x80, 1, 0x75 } },
	{ 13, { 8, 2, 0, 0, 0x46, 0x18, 3, 0xa9, 0x83, 0x81, 0x79, 1, 0x80 } },
	{ 8, { 8, 2, 0, 0, 0x46, 0x79, 1, 0x87 } },
	{ 9, { 8, 2, 0, 9, 0x7b, 0x70, 2, 0xc1, '7' } },
	{ 8, { 8, 2, 0, 9, 0x7b, 0x2c, 1, '7' } },
	{ 8, { 8, 2, 0, 9, 0x6e, 0x27, 1, 0xf9 } },
	{ 8, { 8, 2, 0, 9, 0x62, 0x1c, 1, 0x91 } },
	{ 10, { 3, 2, 0, 0, 0x0f, 1, 1, 0xc0, 0x18, 0 } },
};
enum { CORPUS = sizeof(corpus) / sizeof(corpus[0]) };

/* A frame with the numbers that the node expects, when it is lucky. */
static size_t make(struct rig *r, uint8_t *f, uint8_t *ns, uint8_t nr)
{
	size_t i = rnd(CORPUS), n = corpus[i].n;

	f[0] = 2;
	f[1] = 1;
	f[2] = (uint8_t)(*ns << 1);
	f[3] = (uint8_t)(nr << 1);
	memcpy(f + 4, corpus[i].b, n);
	n += 4;
	*ns = (*ns + 1) & 127;
	if (rnd(3))
		f[7] = (uint8_t)rnd(12);	/* some other call */
	for (uint32_t k = rnd(4); k; k--) {
		size_t at = 4 + rnd((uint32_t)n - 4);

		switch (rnd(4)) {
		case 0:
			f[at] = (uint8_t)rnd(256);
			break;
		case 1:
			f[at] ^= (uint8_t)(1u << rnd(8));
			break;
		case 2:
			n = at > 4 ? at : n;
			break;
		case 3:
			memmove(f + at + 8, f + at, n - at);
			n += 8;
			break;
		}
	}
	return n;
}

static void junk(struct rig *r)
{
	uint8_t f[300];
	size_t n = rnd(280);

	for (size_t i = 0; i < n; i++)
		f[i] = (uint8_t)rnd(256);
	if (rnd(2) && n > 1) {
		f[0] = rnd(2) ? 0 : 2;
		f[1] = 1;
	}
	rig_put(&r->to_node, f, n);
	pump(r, 1);
}

/* Ends whatever the noise began. */
static void tidy(struct rig *r)
{
	for (int i = 0; i < RIG_CALLS; i++)
		if (r->room[i].used && !r->room[i].cleared)
			room_clear(&r->room[i], 16);
	pump(r, 45000);		/* T305, T308 */
	assert_int_equal(room_open(r), 0);
	for (int i = 0; i < RIG_CALLS; i++)
		if (r->room[i].used)
			assert_int_equal(r->room[i].cleared_times, 1);
	memset(r->room, 0, sizeof(r->room));
	memset(r->xc, 0, sizeof(r->xc));
}

/* V(R) of the node, from what it sent last. */
static uint8_t last_vr(const struct rig *r, uint8_t *vs)
{
	for (unsigned int i = r->to_x.tail; i-- > r->to_x.head;) {
		const struct rig_frame *f = &r->to_x.f[i % RIG_FRAMES];

		if ((f->b[2] & 3) == 3)
			continue;
		if (!(f->b[2] & 1))
			*vs = ((f->b[2] >> 1) + 1) & 127;
		return f->b[3] >> 1;
	}
	return 0;
}

static void noise_on_the_line_breaks_nothing(void **state)
{
	struct rig *r = *state;
	unsigned long rounds = env_or("TD_ROUNDS", 40);
	struct room_call *c;

	rng = env_or("TD_SEED", 20260101) | 1;
	for (unsigned long round = 0; round < rounds; round++) {
		uint8_t f[400], ns, vs = 0;

		static const enum room_mode modes[] = { ROOM_ANSWER,
							ROOM_RING, ROOM_ACK,
							ROOM_NOTHING,
							ROOM_FULL };
		r->room_mode = modes[rnd(5)];
		r->x_mode = rnd(2) ? X_RING : X_ANSWER;
		if (td_isdn_idle_channels(r->isdn, "s1"))
			room_dial(r, "5550002", 0);
		pump(r, 50);
		/* the exchange's wire is taken over by the fuzzer */
		r->cut = true;
		r->to_x.head = r->to_x.tail;
		rig_put(&r->to_node, "\x02\x01\x7f", 3);	/* SABME */
		r->cut = false;
		r->fd_fn(r->fd_arg, 7, 0);
		ns = 0;
		for (int k = 0; k < 30; k++) {
			size_t n;

			last_vr(r, &vs);
			n = make(r, f, &ns, vs);
			rig_put(&r->to_node, f, n);
			r->fd_fn(r->fd_arg, 7, 0);
			timers_step(r);
		}
		r->to_x.head = r->to_x.tail;
		for (int k = 0; k < 10; k++)
			junk(r);
		tidy(r);
	}
	/* and the line is as good as ever */
	r->room_mode = ROOM_ANSWER;
	r->x_mode = X_ANSWER;
	pump(r, 120000);
	c = room_dial(r, "5550002", 0);
	pump(r, 1000);
	assert_true(c->answered);
	room_clear(c, 16);
	pump(r, 1000);
	assert_true(c->cleared);
	rig_node_quiet(r);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(noise_on_the_line_breaks_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
