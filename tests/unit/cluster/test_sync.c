// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cluster/sync.h"
#include "cluster/view_priv.h"

struct elect_case {
	const char *why;
	uint32_t members;
	struct td_claim claims[4];	/* by id; 0 unused */
	uint32_t mask, winner;
};
#define SAYS(live, lineage, n, together) { true, live, lineage, n, together }
#define SILENT { false }

static const struct elect_case cases[] = {
	{ "alone and empty", 0x2, { { 0 }, SAYS(false, 0, 0, 2) }, 0x2, 1 },
	{ "the lowest founds, alone", 0xe,
	  { { 0 }, SAYS(false, 0, 0, 0xe), SAYS(false, 0, 0, 0xe),
	    SAYS(false, 0, 0, 0xe) }, 0x2, 1 },
	{ "not before all have spoken", 0x6,
	  { { 0 }, SAYS(false, 0, 0, 2), SILENT }, 0, 0 },
	{ "not while somebody's goes on", 0x6,
	  { { 0 }, SAYS(false, 9, 9, 2), SAYS(true, 7, 7, 4) }, 0, 0 },
	{ "any view beats none", 0x6,
	  { { 0 }, SAYS(false, 0, 0, 2), SAYS(false, 5, 1, 4) }, 0x4, 2 },
	{ "a later lineage beats a longer one", 0x6,
	  { { 0 }, SAYS(false, 5, 900, 2), SAYS(false, 6, 10, 4) }, 0x4, 2 },
	{ "the longer of one lineage", 0x6,
	  { { 0 }, SAYS(false, 5, 9, 6), SAYS(false, 5, 10, 6) }, 0x4, 2 },
	{ "who moved together goes on together", 0xe,
	  { { 0 }, SAYS(false, 5, 9, 6), SAYS(false, 5, 9, 6),
	    SAYS(false, 5, 9, 8) }, 0x6, 1 },
	{ "equal numbers after a cut may hide a difference", 0x6,
	  { { 0 }, SAYS(false, 5, 9, 2), SAYS(false, 5, 9, 4) }, 0x2, 1 },
	{ "both must say so", 0x6,
	  { { 0 }, SAYS(false, 5, 9, 6), SAYS(false, 5, 9, 4) }, 0x2, 1 },
	{ "who is no member has no say", 0x6,
	  { { 0 }, SAYS(false, 5, 9, 6), SAYS(false, 5, 9, 6),
	    SAYS(true, 8, 8, 8) }, 0x6, 1 },
};

static void the_newest_view_goes_on(void **state)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct td_claim claims[TD_NODE_MAX_ID + 1] = { 0 };
		uint32_t winner = 0, mask;

		memcpy(claims, cases[i].claims, sizeof(cases[i].claims));
		mask = td_sync_elect(claims, cases[i].members, &winner);
		if (mask != cases[i].mask || winner != cases[i].winner)
			fail_msg("%s: %x by %u", cases[i].why, mask, winner);
	}
}

/* --- by the records; ids 1, 2 are nodes, 3 is the witness --- */

#define REC(e, v, sync, vote) { .epoch = e, .version = v, .in_sync = sync,     \
	.life = { 0, 11, 22 }, .voters = vote }
#define NODE(l, lin, num, ...) { .said = true, .life = l, .lineage = lin,      \
	.n = num, .together = 6, .record = __VA_ARGS__ }
#define WITNESS(...) { .said = true, .witness = true, .life = 33,              \
	.record = __VA_ARGS__ }
#define NONE { 0 }

struct decide_case {
	const char *why;
	uint32_t members, silent;
	bool quorate;
	struct td_claim claims[4];
	struct td_verdict want;
};
static const struct decide_case decides[] = {
	{ "a plain death: the survivor and the witness", 0xa, 0, true,
	  { NONE, NODE(11, 5, 9, REC(3, 4, 6, 0xe)), NONE,
	    WITNESS(REC(3, 4, 6, 0xe)) },
	  { TD_VERDICT_GO, 2, 1, false, 0 } },
	{ "not before all have spoken", 0xe, 0, true,
	  { NONE, NODE(11, 5, 9, REC(3, 4, 6, 0xe)), NONE,
	    WITNESS(REC(3, 4, 6, 0xe)) },
	  { TD_VERDICT_WAIT } },
	{ "but for those agreed to be silent", 0xe, 4, true,
	  { NONE, NODE(11, 5, 9, REC(3, 4, 6, 0xe)), NONE,
	    WITNESS(REC(3, 4, 6, 0xe)) },
	  { TD_VERDICT_GO, 2, 1, false, 0 } },
	{ "corosync's word is nothing once there is a record", 2, 0, true,
	  { NONE, NODE(11, 5, 9, REC(3, 4, 6, 0xe)) },
	  { TD_VERDICT_MINORITY } },
	{ "nor against it", 0xa, 0, false,
	  { NONE, NODE(11, 5, 9, REC(3, 4, 6, 0xe)), NONE,
	    WITNESS(REC(3, 4, 6, 0xe)) },
	  { TD_VERDICT_GO, 2, 1, false, 0 } },
	{ "the newest record counts, whoever brings it", 0xa, 0, true,
	  { NONE, NODE(11, 5, 9, REC(3, 4, 6, 0xe)), NONE,
	    WITNESS(REC(3, 5, 4, 0xe)) },
	  { TD_VERDICT_NOBODY, 0, 0, false, 4 } },
	{ "a removal that no majority holds may not have bound", 0xc, 0, true,
	  { NONE, NONE, NODE(23, 0, 0, REC(3, 5, 4, 0xe)),
	    WITNESS(REC(3, 4, 6, 0xe)) },
	  { TD_VERDICT_NOBODY, 0, 0, false, 2 } },
	{ "then who was to be removed has all that is left", 0xe, 0, true,
	  { NONE, NODE(11, 5, 9, REC(3, 4, 6, 0xe)),
	    NODE(23, 0, 0, REC(3, 5, 4, 0xe)), WITNESS(REC(3, 4, 6, 0xe)) },
	  { TD_VERDICT_GO, 2, 1, true, 0 } },
	{ "an addition that only its writer held, who is over", 0xe, 0, true,
	  { NONE, NODE(12, 0, 0, REC(3, 5, 6, 0xe)),
	    { .said = true, .life = 22, .lineage = 5, .n = 9, .together = 6,
	      .lacks = true, .record = REC(3, 4, 2, 0xe) },
	    WITNESS(REC(3, 4, 2, 0xe)) },
	  { TD_VERDICT_GO, 4, 2, true, 0 } },
	{ "left out: the newer view does not help", 0xe, 0, true,
	  { NONE, NODE(11, 9, 99, REC(3, 4, 6, 0xe)),
	    NODE(22, 5, 9, REC(3, 5, 4, 0xe)), WITNESS(REC(3, 5, 4, 0xe)) },
	  { TD_VERDICT_GO, 4, 2, false, 0 } },
	{ "another life is not meant", 0xa, 0, true,
	  { NONE, NODE(12, 0, 0, REC(3, 4, 6, 0xe)), NONE,
	    WITNESS(REC(3, 4, 6, 0xe)) },
	  { TD_VERDICT_NOBODY, 0, 0, false, 4 } },
	{ "all are other lives: cold, the newest view there is", 0xe, 0, true,
	  { NONE, NODE(12, 0, 0, REC(3, 4, 6, 0xe)),
	    NODE(23, 4, 1, REC(3, 4, 6, 0xe)), WITNESS(REC(3, 4, 6, 0xe)) },
	  { TD_VERDICT_GO, 4, 2, true, 0 } },
	{ "cold, but somebody silent may have a newer one", 0x1e, 0x10, true,
	  { NONE, NODE(12, 0, 0, REC(3, 4, 6, 0xe)),
	    NODE(23, 4, 1, REC(3, 4, 6, 0xe)), WITNESS(REC(3, 4, 6, 0xe)) },
	  { TD_VERDICT_WAIT } },
	{ "cold and empty: the lowest founds", 0xe, 0, true,
	  { NONE, NODE(12, 0, 0, REC(3, 4, 6, 0xe)),
	    NODE(23, 0, 0, REC(3, 4, 6, 0xe)), WITNESS(REC(3, 4, 6, 0xe)) },
	  { TD_VERDICT_GO, 2, 1, true, 0 } },
	{ "forced: who is missing is lost", 0xa, 0, true,
	  { NONE, { .said = true, .life = 12, .forced = true,
		    .record = REC(3, 4, 6, 0xe) }, NONE,
	    WITNESS(REC(3, 4, 6, 0xe)) },
	  { TD_VERDICT_GO, 2, 1, true, 4 } },
	{ "force makes no majority", 2, 0, true,
	  { NONE, { .said = true, .life = 12, .forced = true,
		    .record = REC(3, 4, 6, 0xe) } },
	  { TD_VERDICT_MINORITY } },
	{ "the witness alone founds nothing", 8, 0, true,
	  { NONE, NONE, NONE, WITNESS(REC(3, 4, 6, 8)) },
	  { TD_VERDICT_NOBODY, 0, 0, false, 6 } },
	{ "the longer view of those named", 0xe, 0, true,
	  { NONE, NODE(11, 5, 8, REC(3, 4, 6, 0xe)),
	    NODE(22, 5, 9, REC(3, 4, 6, 0xe)), WITNESS(REC(3, 4, 6, 0xe)) },
	  { TD_VERDICT_GO, 4, 2, false, 0 } },
	{ "who moved together goes on together", 0xe, 0, true,
	  { NONE, NODE(11, 5, 9, REC(3, 4, 6, 0xe)),
	    NODE(22, 5, 9, REC(3, 4, 6, 0xe)), WITNESS(REC(3, 4, 6, 0xe)) },
	  { TD_VERDICT_GO, 6, 1, false, 0 } },
	{ "a change of voters needs both: the old say no", 6, 0, true,
	  { NONE, NODE(11, 5, 9, { .epoch = 3, .version = 4, .in_sync = 2,
		.life = { 0, 11 }, .voters = 0x1e, .voters_next = 2 }),
	    NODE(22, 5, 9, REC(3, 4, 6, 0xe)) },
	  { TD_VERDICT_MINORITY } },
	{ "and the new say no", 0xa, 0, true,
	  { NONE, NODE(11, 5, 9, { .epoch = 3, .version = 4, .in_sync = 2,
		.life = { 0, 11 }, .voters = 0xe, .voters_next = 4 }), NONE,
	    WITNESS(REC(3, 4, 6, 0xe)) },
	  { TD_VERDICT_MINORITY } },
	{ "a voter that has forgotten all does not count", 0xc, 0, true,
	  { NONE, NONE, NODE(22, 5, 9, REC(3, 4, 6, 0xe)),
	    WITNESS({ 0 }) },
	  { TD_VERDICT_MINORITY } },
	{ "but beside a founding record, that it may not have heard", 0xa, 0,
	  true,
	  { NONE, NODE(11, 5, 9, REC(1, 1, 2, 0xe)), NONE, WITNESS({ 0 }) },
	  { TD_VERDICT_GO, 2, 1, false, 0 } },
	{ "no record: corosync's word", 0xa, 0, true,
	  { NONE, NODE(11, 0, 0, { 0 }), NONE, WITNESS({ 0 }) },
	  { TD_VERDICT_GO, 2, 1, false, 0 } },
	{ "no record, no quorum", 0xa, 0, false,
	  { NONE, NODE(11, 0, 0, { 0 }), NONE, WITNESS({ 0 }) },
	  { TD_VERDICT_MINORITY } },
	{ "a founding waits for the silent too", 0xe, 4, true,
	  { NONE, NODE(11, 0, 0, { 0 }), NONE, WITNESS({ 0 }) },
	  { TD_VERDICT_WAIT } },
	{ "named, but it has missed something: it waits for who has not", 0xc,
	  0, true,
	  { NONE, NONE, { .said = true, .life = 22, .lineage = 5, .n = 9,
			  .lacks = true, .record = REC(3, 4, 6, 0xe) },
	    WITNESS(REC(3, 4, 6, 0xe)) },
	  { TD_VERDICT_NOBODY, 0, 0, false, 2 } },
	{ "named since a record that it does not know: likewise", 0xc, 0, true,
	  { NONE, NONE, NODE(22, 5, 9, REC(3, 3, 2, 0xe)),
	    WITNESS({ .epoch = 3, .version = 4, .in_sync = 6, .voters = 0xe,
		      .life = { 0, 11, 22 }, .since = { [2] = { 3, 4 } } }) },
	  { TD_VERDICT_NOBODY, 0, 0, false, 2 } },
	{ "named since a record that it knows", 0xc, 0, true,
	  { NONE, NONE, NODE(22, 5, 9, REC(3, 3, 6, 0xe)),
	    WITNESS({ .epoch = 3, .version = 4, .in_sync = 6, .voters = 0xe,
		      .life = { 0, 11, 22 }, .since = { [2] = { 3, 3 } } }) },
	  { TD_VERDICT_GO, 4, 2, false, 0 } },
	{ "who is here lacks something, the other is another life: cold", 0xe,
	  0, true,
	  { NONE, NODE(12, 0, 0, { 0 }),
	    { .said = true, .life = 22, .lineage = 5, .n = 9, .together = 6,
	      .lacks = true, .record = REC(3, 4, 6, 0xe) },
	    WITNESS(REC(3, 4, 6, 0xe)) },
	  { TD_VERDICT_GO, 4, 2, true, 0 } },
	{ "somebody's view goes on", 0xe, 0, true,
	  { NONE, { .said = true, .live = true, .life = 11,
		    .record = REC(3, 4, 2, 0xe) }, NODE(22, 5, 9, { 0 }) },
	  { TD_VERDICT_LIVE } },
};

static void the_newest_record_says_who_goes_on(void **state)
{
	for (size_t i = 0; i < sizeof(decides) / sizeof(*decides); i++) {
		const struct decide_case *d = &decides[i];
		struct td_claim claims[TD_NODE_MAX_ID + 1] = { 0 };
		struct td_verdict v;

		memcpy(claims, d->claims, sizeof(d->claims));
		td_sync_decide(claims, d->members, d->silent, d->quorate, &v);
		if (v.what != d->want.what || v.mask != d->want.mask ||
		    v.winner != d->want.winner || v.cold != d->want.cold ||
		    v.missing != d->want.missing)
			fail_msg("%s: what=%d mask=%x winner=%u cold=%d "
				 "missing=%x", d->why, v.what, v.mask, v.winner,
				 v.cold, v.missing);
	}
}

static void each_attempt_asks_the_next_giver(void **state)
{
	assert_int_equal(td_sync_donor(0, 3), 0);
	assert_int_equal(td_sync_donor(1U << 16, 7), 16);
	for (uint32_t i = 0; i < 6; i++)
		assert_int_equal(td_sync_donor(0x16, i),
				 i % 3 == 0 ? 1 : i % 3 == 1 ? 2 : 4);
}

static struct td_view *view_of(unsigned int contacts)
{
	struct td_view *v;

	assert_int_equal(td_view_new(&v), 0);
	td_view_found(v, 9, 1000);
	for (unsigned int i = 0; i < contacts; i++) {
		Td__Contact c = TD__CONTACT__INIT, *copy;
		char user[16];
		uint8_t *buf;
		size_t n;

		snprintf(user, sizeof(user), "%u", i);
		c.user = user;
		c.uri = "sip:somebody@10.77.0.101:5060;transport=udp";
		assert_int_equal(td_contact_pack(&c, &buf, &n), 0);
		assert_int_equal(td_contact_unpack(buf, n, &copy), 0);
		free(buf);
		assert_int_equal(td_view_put_contact(v, copy), 0);
	}
	return v;
}

static void give_of(struct td_view *v, struct td_sync_give *g)
{
	*g = (struct td_sync_give){ .to_node = 3, .request = 5, .lineage = 9 };
	assert_int_equal(td_view_cut_new(v, &g->cut), 0);
}

static void parts_make_the_whole_and_strangers_are_dropped(void **state)
{
	struct td_view *v = view_of(4000);
	Td__SyncChunk s = TD__SYNC_CHUNK__INIT, other;
	struct td_sync_take t = { 0 };
	struct td_sync_give g;
	unsigned int n = 0;
	uint8_t *a, *b;
	size_t na, nb;
	int rc = 0;

	give_of(v, &g);
	td_sync_take_start(&t, 5);
	while (!rc) {
		assert_int_equal(td_sync_give_next(&g, &s), 1);
		/* a later one first, or of another view, or twice */
		other = s;
		other.offset += 1;
		assert_int_equal(td_sync_take_part(&t, &other), 0);
		other = s;
		other.lineage++;
		if (n++)
			assert_int_equal(td_sync_take_part(&t, &other), 0);
		rc = td_sync_take_part(&t, &s);
		assert_true(rc >= 0);
		if (!rc)
			assert_int_equal(td_sync_take_part(&t, &s), 0);
		assert_int_equal(td_sync_give_sent(&g), rc);
		g.acked = t.got;
	}
	assert_true(n > 4 && t.whole);
	assert_int_equal(td_view_pack(v, &a, &na), 0);
	assert_int_equal(td_view_pack(t.view, &b, &nb), 0);
	assert_int_equal(na, nb);
	assert_memory_equal(a, b, na);
	free(a);
	free(b);
	td_sync_take_stop(&t);
	td_sync_give_stop(&g);
	td_view_free(v);
}

static void who_gives_runs_a_little_ahead_of_the_takers_word(void **state)
{
	struct td_view *v = view_of(20000);
	Td__SyncChunk s = TD__SYNC_CHUNK__INIT;
	struct td_sync_give g;

	give_of(v, &g);
	while (td_sync_give_next(&g, &s) == 1)
		assert_false(td_sync_give_sent(&g));
	assert_in_range(g.offset, TD_SYNC_WINDOW_OCTETS,
			TD_SYNC_WINDOW_OCTETS + 2 * TD_SYNC_PART_OCTETS);
	g.acked = TD_SYNC_PART_OCTETS * 2;
	assert_int_equal(td_sync_give_next(&g, &s), 1);
	td_sync_give_stop(&g);
	assert_null(v->cuts);
	td_view_free(v);
}

static void a_damaged_part_ends_it(void **state)
{
	struct td_view *v = view_of(10);
	Td__SyncChunk s = TD__SYNC_CHUNK__INIT;
	struct td_sync_take t = { 0 };
	struct td_sync_give g;

	/* nobody waits */
	give_of(v, &g);
	assert_int_equal(td_sync_give_next(&g, &s), 1);
	assert_int_equal(td_sync_take_part(&t, &s), 0);
	td_sync_take_start(&t, 5);
	s.total_octets = s.data.len;	/* says that it ends, and does not */
	assert_int_equal(td_sync_take_part(&t, &s), -EBADMSG);
	td_sync_take_start(&t, 5);
	s.total_octets = 0;
	s.data.len--;
	assert_int_equal(td_sync_take_part(&t, &s), -EBADMSG);
	td_sync_take_stop(&t);
	td_sync_give_stop(&g);
	td_view_free(v);
}

static void what_is_kept_meanwhile_is_bounded(void **state)
{
	enum { N = 1024 * 1024 };
	struct td_sync_take t = { 0 };
	uint8_t *big = calloc(1, N);
	int n = 0, rc;

	assert_int_equal(td_sync_take_keep(&t, 1, big, N), 0);
	assert_null(t.head);
	td_sync_take_start(&t, 1);
	while (!(rc = td_sync_take_keep(&t, 1, big, N)))
		n++;
	assert_int_equal(rc, -EOVERFLOW);
	assert_true(n >= 60 && n <= 64);
	assert_true(t.overrun);
	/* said once */
	assert_int_equal(td_sync_take_keep(&t, 1, big, N), 0);
	td_sync_take_start(&t, 2);
	assert_false(t.overrun);
	td_sync_take_stop(&t);
	free(big);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_newest_view_goes_on),
		cmocka_unit_test(the_newest_record_says_who_goes_on),
		cmocka_unit_test(each_attempt_asks_the_next_giver),
		cmocka_unit_test(
			parts_make_the_whole_and_strangers_are_dropped),
		cmocka_unit_test(
			who_gives_runs_a_little_ahead_of_the_takers_word),
		cmocka_unit_test(a_damaged_part_ends_it),
		cmocka_unit_test(what_is_kept_meanwhile_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
