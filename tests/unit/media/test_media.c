// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "node/media/g711.h"
#include "node/media/media_priv.h"
#include "node/media/rtcp.h"
#include "node/media/rtp.h"
#include "proto/base/loop.h"
#include "tests/unit/media/fake_card.h"

/* the room as the call room uses it: real sockets on 127.0.0.1, its own
 * thread; answers are waited for, up to 10 s, before anything else goes on */

struct room {
	struct td_loop *loop;
	struct td_card *card;
	struct td_media *media;
	struct td_voice_ops ops;
};

static int make_room_of(void **state, struct td_card *card)
{
	struct room *r = calloc(1, sizeof(*r));
	struct td_media_cfg cfg = { 0 };

	assert_int_equal(td_loop_new(&r->loop), 0);
	cfg.loop = r->loop;
	cfg.max_streams = 8;
	cfg.card = r->card = card;
	cfg.span = card ? &fake_span : NULL;
	assert_int_equal(td_media_new(&cfg, &r->media), 0);
	td_media_ops(r->media, &r->ops);
	*state = r;
	return 0;
}

static int make_room(void **state)
{
	return make_room_of(state, NULL);
}

static int make_room_with_card(void **state)
{
	return make_room_of(state, fake_new());
}

static int free_room(void **state)
{
	struct room *r = *state;

	td_media_free(r->media);
	td_loop_free(r->loop);
	if (r->card)
		fake_free(r->card);
	free(r);
	return 0;
}

/* until the thread has done all that it was told */
static void settle(struct room *r)
{
	for (int i = 0; i < 10000; i++) {
		json_t *d = td_media_dump(r->media);
		bool done = json_integer_value(json_object_get(d, "commands"))
			== json_integer_value(json_object_get(d,
							"commands_sent"));

		json_decref(d);
		if (done)
			return;
		poll(NULL, 0, 1);
	}
	fail_msg("the media thread hangs");
}

static void join(struct room *r, const struct td_voice_end *a,
		 const struct td_voice_end *b)
{
	assert_int_equal(r->ops.join(r->ops.m, a, b), 0);
	settle(r);
}

/* a phone: its RTP socket and the stream it talks to */
struct phone {
	int fd;
	uint16_t port;
	uint32_t id;
	struct sockaddr_in to;
};

static void make_phone(struct room *r, struct phone *p, uint8_t codec)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	struct timeval patience = { .tv_sec = 10 };
	struct td_voice_rtp set = {
		.codec = codec, .dtmf_payload = 101, .ptime_ms = 20,
		.send = true, .recv = true, .symmetric = true, .dscp = 46,
	};
	socklen_t n = sizeof(a);

	p->fd = socket(AF_INET, SOCK_DGRAM, 0);
	assert_true(p->fd >= 0);
	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(p->fd, (void *)&a, n), 0);
	assert_int_equal(getsockname(p->fd, (void *)&a, &n), 0);
	setsockopt(p->fd, SOL_SOCKET, SO_RCVTIMEO, &patience,
		   sizeof(patience));
	assert_int_equal(r->ops.rtp_open(r->ops.m, "127.0.0.1", &p->id,
					 &p->port), 0);
	assert_int_not_equal(p->id, 0);
	assert_int_equal(p->port % 2, 0);
	strcpy(set.remote, "127.0.0.1");
	set.remote_port = ntohs(a.sin_port);
	assert_int_equal(r->ops.rtp_set(r->ops.m, p->id, &set), 0);
	p->to = a;
	p->to.sin_port = htons(p->port);
}

static void drop_phone(struct room *r, struct phone *p)
{
	r->ops.rtp_close(r->ops.m, p->id);
	close(p->fd);
}

static struct td_voice_end end_of(const struct phone *p)
{
	return (struct td_voice_end){ .kind = TD_VOICE_RTP, .rtp = p->id };
}

static void send_rtp(const struct phone *p, uint8_t type, uint16_t seq,
		     uint32_t ts, const uint8_t *payload, size_t n)
{
	struct td_rtp_packet h = {
		.payload_type = type, .seq = seq, .ts = ts, .ssrc = 0x1234,
	};
	uint8_t buf[2048];

	td_rtp_header(buf, &h);
	memcpy(buf + TD_RTP_HEADER, payload, n);
	assert_int_equal(sendto(p->fd, buf, TD_RTP_HEADER + n, 0,
				(void *)&p->to, sizeof(p->to)),
			 TD_RTP_HEADER + n);
}

static void recv_rtp(const struct phone *p, uint8_t buf[2048],
		     struct td_rtp_packet *out)
{
	ssize_t n = recv(p->fd, buf, 2048, 0);

	assert_true(n > 0);
	assert_int_equal(td_rtp_parse(buf, n, out), 0);
}

static void random_octets(uint8_t *p, size_t n, unsigned int *seed)
{
	while (n--)
		*p++ = rand_r(seed);
}

static void an_echo_gives_back_every_octet_in_order(void **state)
{
	static const struct td_voice_end echo = { .kind = TD_VOICE_ECHO };
	struct room *r = *state;
	uint16_t first_in = 65500, first_out = 0;
	uint32_t ts_in = 4294960000u, ts_out = 0, ssrc = 0;
	struct td_voice_end e;
	struct phone p;
	unsigned int seed = 1;

	make_phone(r, &p, 8);
	e = end_of(&p);
	join(r, &e, &echo);
	for (unsigned int i = 0; i < 200; i++) {
		uint8_t in[160], buf[2048];
		struct td_rtp_packet got;

		if (i % 10 == 3)	/* lost on the way to us */
			continue;
		random_octets(in, sizeof(in), &seed);
		send_rtp(&p, 8, first_in + i, ts_in + 160 * i, in, 160);
		recv_rtp(&p, buf, &got);
		if (!i) {
			first_out = got.seq;
			ts_out = got.ts;
			ssrc = got.ssrc;
			assert_int_not_equal(ssrc, 0x1234);
		}
		assert_int_equal(got.marker, i == 0);
		assert_int_equal(got.ssrc, ssrc);
		assert_int_equal(got.seq, (uint16_t)(first_out + i));
		assert_int_equal(got.ts, (uint32_t)(ts_out + 160 * i));
		assert_int_equal(got.payload_type, 8);
		assert_int_equal(got.n, 160);
		assert_memory_equal(got.payload, in, 160);
	}
	drop_phone(r, &p);
}

static void two_phones_hear_each_other_in_their_own_codec(void **state)
{
	struct room *r = *state;
	struct td_voice_end ea, eb;
	struct td_rtp_packet got;
	struct phone a, b;
	uint8_t in[160], law[160], buf[2048];
	unsigned int seed = 2;

	make_phone(r, &a, 8);
	make_phone(r, &b, 0);
	ea = end_of(&a);
	eb = end_of(&b);
	join(r, &ea, &eb);
	for (unsigned int i = 0; i < 50; i++) {
		random_octets(in, sizeof(in), &seed);
		send_rtp(&a, 8, i, 160 * i, in, 160);
		recv_rtp(&b, buf, &got);
		assert_int_equal(got.payload_type, 0);
		td_alaw_to_ulaw(law, in, 160);
		assert_memory_equal(got.payload, law, 160);
		send_rtp(&b, 0, 900 + i, 160 * i, in, 160);
		recv_rtp(&a, buf, &got);
		assert_int_equal(got.payload_type, 8);
		td_ulaw_to_alaw(law, in, 160);
		assert_memory_equal(got.payload, law, 160);
	}
	/* a digit (RFC 4733) goes through as it is */
	send_rtp(&a, 101, 50, 8000, (const uint8_t *)"\x05\x8a\x03\x20", 4);
	recv_rtp(&b, buf, &got);
	assert_int_equal(got.payload_type, 101);
	assert_memory_equal(got.payload, "\x05\x8a\x03\x20", 4);
	drop_phone(r, &a);
	drop_phone(r, &b);
}

static void a_stream_goes_on_as_itself_when_it_is_joined_anew(void **state)
{
	struct room *r = *state;
	struct td_voice_end ea, eb, ec;
	struct td_rtp_packet before, after;
	struct phone a, b, c;
	uint8_t in[160] = { 0 }, buf[2048];

	make_phone(r, &a, 8);
	make_phone(r, &b, 8);
	make_phone(r, &c, 8);
	ea = end_of(&a);
	eb = end_of(&b);
	ec = end_of(&c);
	join(r, &ea, &eb);
	send_rtp(&b, 8, 7, 7000, in, 160);
	recv_rtp(&a, buf, &before);
	/* moved to another partner: the same SSRC, numbers and times go on */
	join(r, &ec, &ea);
	send_rtp(&c, 8, 5555, 1, in, 160);
	recv_rtp(&a, buf, &after);
	assert_int_equal(after.ssrc, before.ssrc);
	assert_int_equal(after.seq, (uint16_t)(before.seq + 1));
	assert_true((int32_t)(after.ts - before.ts) >= 160);
	assert_true(after.marker);
	/* parted: nothing passes; joined again: what comes then does */
	r->ops.part(r->ops.m, &ea);
	r->ops.part(r->ops.m, &ea);
	join(r, &eb, &ea);
	send_rtp(&b, 8, 8, 7160, in, 160);
	recv_rtp(&a, buf, &after);
	assert_int_equal(after.seq, (uint16_t)(before.seq + 2));
	drop_phone(r, &a);
	drop_phone(r, &b);
	drop_phone(r, &c);
}

struct silences {
	uint32_t rtp, ms;
	unsigned int n;
};

static void on_silent(void *arg, uint32_t rtp, uint32_t silent_ms)
{
	struct silences *s = arg;

	*s = (struct silences){ rtp, silent_ms, s->n + 1 };
}

static void rtp_silence(struct room *r, const struct phone *p, uint32_t s)
{
	struct td_voice_rtp set = {
		.codec = 8, .ptime_ms = 20, .send = true, .recv = true,
		.symmetric = true, .silence_s = s, .remote = "127.0.0.1",
		.remote_port = 4000,
	};

	assert_int_equal(r->ops.rtp_set(r->ops.m, p->id, &set), 0);
}

/* what the media thread has published of when it last heard this one */
static int64_t heard_ms(struct room *r, const struct phone *p)
{
	return __atomic_load_n(&td_media_stream(r->media, p->id)->pub_heard_ms,
			       __ATOMIC_RELAXED);
}

static void silence_is_told_each_time_it_lasts_so_long(void **state)
{
	struct room *r = *state;
	struct silences s = { 0 };
	uint8_t voice[160] = { 0 };
	struct phone p, q;
	int64_t t;

	make_phone(r, &p, 8);
	make_phone(r, &q, 8);		/* nobody is told of this one */
	td_silence_watch(r->media, on_silent, &s);
	rtp_silence(r, &p, 60);
	t = td_media_stream(r->media, p.id)->ctl.quiet_ms;
	assert_true(t > 0);
	td_silence_run(r->media, t + 59999);
	assert_int_equal(s.n, 0);
	td_silence_run(r->media, t + 60000);
	assert_int_equal(s.n, 1);
	assert_int_equal(s.rtp, p.id);
	assert_int_equal(s.ms, 60000);
	td_silence_run(r->media, t + 119999);
	assert_int_equal(s.n, 1);
	td_silence_run(r->media, t + 120000);
	assert_int_equal(s.n, 2);
	/* hold and resume: counts anew */
	rtp_silence(r, &p, 0);
	td_silence_run(r->media, t + 999999);
	assert_int_equal(s.n, 2);
	rtp_silence(r, &p, 60);
	t = td_media_stream(r->media, p.id)->ctl.quiet_ms;
	for (int i = 0; i < 10000 && !heard_ms(r, &p); i++) {
		send_rtp(&p, 8, i, 160 * i, voice, sizeof(voice));
		poll(NULL, 0, 1);
	}
	assert_true(heard_ms(r, &p) >= t);
	t = heard_ms(r, &p);
	td_silence_run(r->media, t + 59999);
	assert_int_equal(s.n, 2);
	td_silence_watch(r->media, NULL, NULL);
	drop_phone(r, &p);
	drop_phone(r, &q);
}

static void mistakes_are_answered(void **state)
{
	struct room *r = *state;
	struct td_voice_rtp set = { .codec = 18, .ptime_ms = 20 };
	struct td_voice_end none = { 0 }, echo = { .kind = TD_VOICE_ECHO },
			    slot = { .kind = TD_VOICE_SLOT, .port = 1,
				     .timeslot = 1 }, e;
	struct td_voice_stats st;
	uint32_t id[9];
	uint16_t port;
	void *m = r->ops.m;

	assert_int_equal(r->ops.rtp_open(m, "nowhere", id, &port),
			 -EADDRNOTAVAIL);
	for (int i = 0; i < 8; i++)
		assert_int_equal(r->ops.rtp_open(m, "127.0.0.1", &id[i],
						 &port), 0);
	assert_int_equal(r->ops.rtp_open(m, "127.0.0.1", &id[8], &port),
			 -ENOSPC);
	assert_int_equal(r->ops.rtp_set(m, id[0], &set), -EINVAL);
	set.codec = 0;
	strcpy(set.remote, "224.0.0.5");
	set.remote_port = 5000;
	assert_int_equal(r->ops.rtp_set(m, id[0], &set), -EINVAL);
	strcpy(set.remote, "phone.example");
	assert_int_equal(r->ops.rtp_set(m, id[0], &set), -EINVAL);
	strcpy(set.remote, "0.0.0.0");
	assert_int_equal(r->ops.rtp_set(m, id[0], &set), 0);
	assert_int_equal(r->ops.rtp_set(m, 12345678, &set), -ENOENT);
	e = (struct td_voice_end){ .kind = TD_VOICE_RTP, .rtp = id[0] };
	assert_int_equal(r->ops.join(m, &e, &slot), -ENODEV);
	assert_int_equal(r->ops.join(m, &e, &none), -EINVAL);
	assert_int_equal(r->ops.join(m, &echo, &echo), -EINVAL);
	assert_int_equal(r->ops.join(m, &e, &e), -EINVAL);
	assert_int_equal(r->ops.stats(m, &slot, &st), -ENODEV);
	assert_int_equal(r->ops.stats(m, &e, &st), 0);
	r->ops.rtp_close(m, id[0]);
	r->ops.rtp_close(m, id[0]);
	assert_int_equal(r->ops.stats(m, &e, &st), -ENOENT);
}

static void the_dump_names_what_is_there(void **state)
{
	struct room *r = *state;
	struct td_voice_end e, echo = { .kind = TD_VOICE_ECHO };
	struct phone p;
	json_t *d, *s;

	make_phone(r, &p, 8);
	e = end_of(&p);
	join(r, &e, &echo);
	d = td_media_dump(r->media);
	assert_non_null(d);
	s = json_array_get(json_object_get(d, "streams"), 0);
	assert_int_equal(json_integer_value(json_object_get(s, "id")), p.id);
	assert_string_equal(json_string_value(json_object_get(
		json_object_get(s, "joined"), "kind")), "echo");
	json_decref(d);
	drop_phone(r, &p);
}

static struct td_voice_end slot_end(uint32_t port, uint32_t timeslot)
{
	return (struct td_voice_end){ .kind = TD_VOICE_SLOT, .port = port,
				      .timeslot = timeslot };
}

static void two_slots_are_left_to_the_card(void **state)
{
	struct room *r = *state;
	struct td_voice_end ea = slot_end(1, 7), eb = slot_end(2, 9),
			    ec = slot_end(3, 1);
	struct fake_slot *a = &r->card->port[0].slot[7];
	struct fake_slot *b = &r->card->port[1].slot[9];
	struct fake_slot *c = &r->card->port[2].slot[1];
	void *m = r->ops.m;

	assert_int_equal(r->ops.join(m, &ea, &eb), 0);
	assert_true(a->xconn && b->xconn);
	assert_ptr_equal(a->from, &r->card->port[1]);
	assert_int_equal(a->ts_from, 9);
	assert_ptr_equal(b->from, &r->card->port[0]);
	assert_int_equal(b->ts_from, 7);
	/* moved to a third: the first partner is free */
	assert_int_equal(r->ops.join(m, &ec, &eb), 0);
	assert_true(c->xconn && b->xconn && !a->xconn);
	assert_ptr_equal(b->from, &r->card->port[2]);
	r->ops.part(m, &ec);
	assert_false(b->xconn || c->xconn);
	/* the second direction fails: the first is taken back */
	r->card->port[0].xconn_rc = -EIO;
	assert_int_equal(r->ops.join(m, &ea, &eb), -EIO);
	assert_false(a->xconn || b->xconn);
	r->card->port[0].xconn_rc = 0;
	assert_int_equal(r->ops.join(m, &ea, &eb), 0);
	settle(r);
}

static void cross_connects_go_over_to_the_next_card(void **state)
{
	struct room *r = *state;
	struct td_voice_end ea = slot_end(1, 7), eb = slot_end(2, 9),
			    ec = slot_end(3, 1), ed = slot_end(4, 31);
	struct td_card *old = r->card;

	join(r, &ea, &eb);
	assert_int_equal(td_media_set_card(r->media, NULL), 0);
	fake_free(old);
	join(r, &ec, &ed);
	r->card = fake_new();
	assert_int_equal(td_media_set_card(r->media, r->card), 0);
	assert_true(r->card->port[0].slot[7].xconn);
	assert_true(r->card->port[1].slot[9].xconn);
	assert_true(r->card->port[2].slot[1].xconn);
	assert_true(r->card->port[3].slot[31].xconn);
	r->ops.part(r->ops.m, &ea);
	assert_false(r->card->port[0].slot[7].xconn);
	assert_false(r->card->port[1].slot[9].xconn);
	assert_true(r->card->port[2].slot[1].xconn);
}

static void a_slot_goes_from_the_card_to_a_phone_and_back(void **state)
{
	struct room *r = *state;
	struct td_voice_end ea = slot_end(1, 7), eb = slot_end(2, 9), ep;
	struct fake_slot *a = &r->card->port[0].slot[7];
	struct fake_slot *b = &r->card->port[1].slot[9];
	struct td_voice_end bad = slot_end(5, 1), bad2 = slot_end(1, 32);
	struct phone p;
	void *m = r->ops.m;

	make_phone(r, &p, 8);
	ep = end_of(&p);
	assert_int_equal(r->ops.join(m, &ea, &eb), 0);
	join(r, &ep, &ea);
	assert_false(a->xconn || b->xconn);
	assert_true(a->open);
	assert_int_equal(r->ops.join(m, &eb, &ea), 0);
	settle(r);
	assert_true(a->xconn && b->xconn && !a->open);
	join(r, &ep, &eb);
	drop_phone(r, &p);
	settle(r);
	assert_false(a->xconn || b->xconn || a->open || b->open);
	assert_int_equal(r->ops.join(m, &bad, &ea), -ENODEV);
	assert_int_equal(r->ops.join(m, &bad2, &ea), -ENODEV);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, make_room, free_room)
#define CARD_CASE(f) \
	cmocka_unit_test_setup_teardown(f, make_room_with_card, free_room)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(an_echo_gives_back_every_octet_in_order),
		CASE(two_phones_hear_each_other_in_their_own_codec),
		CASE(a_stream_goes_on_as_itself_when_it_is_joined_anew),
		CASE(silence_is_told_each_time_it_lasts_so_long),
		CASE(mistakes_are_answered),
		CASE(the_dump_names_what_is_there),
		CARD_CASE(two_slots_are_left_to_the_card),
		CARD_CASE(cross_connects_go_over_to_the_next_card),
		CARD_CASE(a_slot_goes_from_the_card_to_a_phone_and_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
