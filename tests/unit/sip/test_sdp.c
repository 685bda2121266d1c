// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "node/sip/sdp.h"

#define HEAD "v=0\r\no=- 1 1 IN IP4 10.0.0.1\r\ns=-\r\n" \
	     "c=IN IP4 10.0.0.1\r\nt=0 0\r\n"

static const struct {
	const char *name, *text;
	int rc;
	/* what it says, when rc is 0 */
	const char *address;
	uint16_t port;
	const char *codecs;	/* "8,0" */
	uint8_t dtmf, ptime;
	enum td_direction dir;
} table[] = {
	{ "plain", HEAD "m=audio 4000 RTP/AVP 8 0 101\r\n"
	  "a=rtpmap:101 telephone-event/8000\r\na=ptime:30\r\n", 0,
	  "10.0.0.1", 4000, "8,0", 101, 30, TD_DIR_SENDRECV },
	{ "bare newlines", "v=0\no=- 1 1 IN IP4 10.0.0.1\ns=-\n"
	  "c=IN IP4 10.0.0.2\nt=0 0\nm=audio 4000 RTP/AVP 0\n", 0,
	  "10.0.0.2", 4000, "0", 0, 0, TD_DIR_SENDRECV },
	{ "the media's address counts", HEAD "m=audio 4000 RTP/AVP 0\r\n"
	  "c=IN IP4 10.0.0.9\r\n", 0, "10.0.0.9", 4000, "0", 0, 0, 0 },
	{ "IPv6", "v=0\r\no=- 1 1 IN IP6 ::1\r\ns=-\r\nt=0 0\r\n"
	  "m=audio 4000 RTP/AVP 8\r\nc=IN IP6 2001:db8::1\r\n", 0,
	  "2001:db8::1", 4000, "8", 0, 0, 0 },
	{ "direction of the session", HEAD "a=sendonly\r\n"
	  "m=audio 4000 RTP/AVP 8\r\n", 0, "10.0.0.1", 4000, "8", 0, 0,
	  TD_DIR_SENDONLY },
	{ "direction of the stream overrides it", HEAD "a=inactive\r\n"
	  "m=audio 4000 RTP/AVP 8\r\na=recvonly\r\n", 0, "10.0.0.1", 4000,
	  "8", 0, 0, TD_DIR_RECVONLY },
	{ "hold by address", "v=0\r\no=- 1 1 IN IP4 10.0.0.1\r\ns=-\r\n"
	  "c=IN IP4 0.0.0.0\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8\r\n", 0,
	  "0.0.0.0", 4000, "8", 0, 0, TD_DIR_SENDONLY },
	{ "video first", HEAD "m=video 3000 RTP/AVP 31\r\na=recvonly\r\n"
	  "m=audio 4000 RTP/AVP 8\r\n", 0, "10.0.0.1", 4000, "8", 0, 0, 0 },
	{ "refused audio, then one that is not",
	  HEAD "m=audio 0 RTP/AVP 8\r\nm=audio 4002 RTP/AVP 0\r\n", 0,
	  "10.0.0.1", 4002, "0", 0, 0, 0 },
	{ "numbers given away by rtpmap", HEAD "m=audio 4000 RTP/AVP 8 0\r\n"
	  "a=rtpmap:8 G729/8000\r\n", 0, "10.0.0.1", 4000, "0", 0, 0, 0 },
	{ "no codec of ours", HEAD "m=audio 4000 RTP/AVP 18\r\n", 0,
	  "10.0.0.1", 4000, "", 0, 0, 0 },
	{ "rtpmap of a payload that is not offered",
	  HEAD "m=audio 4000 RTP/AVP 8\r\n"
	  "a=rtpmap:101 telephone-event/8000\r\n", 0, "10.0.0.1", 4000, "8",
	  0, 0, 0 },
	{ "the trap: a format that never ends",
	  HEAD "m=image 5000 udptl (\r\n", -ENOPROTOOPT },
	{ "no audio", HEAD "m=video 3000 RTP/AVP 31\r\n", -ENOPROTOOPT },
	{ "SRTP only", HEAD "m=audio 4000 RTP/SAVP 8\r\n", -ENOPROTOOPT },
	{ "a host name", "v=0\r\no=- 1 1 IN IP4 x\r\ns=-\r\n"
	  "c=IN IP4 phone.example.com\r\nt=0 0\r\n"
	  "m=audio 4000 RTP/AVP 8\r\n", -ENOPROTOOPT },
	{ "nothing", "", -EBADMSG },
	{ "no version", "o=- 1 1 IN IP4 10.0.0.1\r\ns=-\r\n", -EBADMSG },
	{ "another version", "v=1\r\n", -EBADMSG },
	{ "no origin", "v=0\r\ns=-\r\nc=IN IP4 10.0.0.1\r\nt=0 0\r\n"
	  "m=audio 4000 RTP/AVP 8\r\n", -EBADMSG },
	{ "no address", "v=0\r\no=- 1 1 IN IP4 10.0.0.1\r\ns=-\r\nt=0 0\r\n"
	  "m=audio 4000 RTP/AVP 8\r\n", -EBADMSG },
	{ "a port too large", HEAD "m=audio 70000 RTP/AVP 8\r\n", -EBADMSG },
	{ "a port that is none", HEAD "m=audio x RTP/AVP 8\r\n", -EBADMSG },
	{ "no formats", HEAD "m=audio 4000 RTP/AVP\r\n", -EBADMSG },
	{ "a line that is none", HEAD "m=audio 4000 RTP/AVP 8\r\nhello\r\n",
	  -EBADMSG },
	{ "a blank before the equals sign (RFC 4475 dblreq)",
	  HEAD "m =video 3227 RTP/AVP 31\r\n", -EBADMSG },
	{ "origin with letters for numbers",
	  "v=0\r\no=- a b IN IP4 10.0.0.1\r\n", -EBADMSG },
};

static struct td_session *parse(const char *text, int want)
{
	struct td_session *s = malloc(sizeof(*s));

	assert_int_equal(td_sdp_parse(text, strlen(text), s), want);
	return s;
}

static void descriptions_say_what_the_table_says(void **state)
{
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		struct td_session *s = parse(table[i].text, table[i].rc);
		char codecs[32] = "";

		if (!table[i].rc) {
			for (int k = 0; k < s->n_codecs; k++) {
				strcat(codecs, k ? "," : "");
				strcat(codecs, s->codecs[k] ? "8" : "0");
			}
			assert_string_equal(s->address, table[i].address);
			assert_int_equal(s->port, table[i].port);
			assert_string_equal(codecs, table[i].codecs);
			assert_int_equal(s->dtmf_payload, table[i].dtmf);
			assert_int_equal(s->ptime_ms, table[i].ptime);
			assert_int_equal(s->dir, table[i].dir);
			assert_string_equal(s->raw, table[i].text);
		}
		free(s);
	}
}

static void what_is_too_large_is_refused(void **state)
{
	char *big = malloc(TD_SDP_MAX + 100);
	struct td_session *s = malloc(sizeof(*s));

	memset(big, 'a', TD_SDP_MAX + 100);
	assert_int_equal(td_sdp_parse(big, TD_SDP_MAX, s), -EMSGSIZE);
	strcpy(big, HEAD);
	for (int i = 0; i < TD_SDP_MAX_MEDIA + 1; i++)
		strcat(big, "m=audio 0 RTP/AVP 8\r\n");
	assert_int_equal(td_sdp_parse(big, strlen(big), s), -EMSGSIZE);
	assert_int_equal(td_sdp_parse("v=0\0", 4, s), -EBADMSG);
	free(big);
	free(s);
}

static void latin_1_does_not_reach_an_op(void **state)
{
	struct td_session *s = parse("v=0\r\no=- 1 1 IN IP4 10.0.0.1\r\n"
		"s=M\xfcller \xc3\xbc\r\nc=IN IP4 10.0.0.1\r\nt=0 0\r\n"
		"m=audio 4000 RTP/AVP 8\r\n", 0);

	assert_non_null(strstr(s->raw, "s=M?ller \xc3\xbc\r\n"));
	free(s);
}

static void what_is_written_reads_back(void **state)
{
	struct td_session s = { .kind = TD_MEDIA_RTP,
		.address = "10.77.0.11", .port = 20002, .codecs = { 8, 0 },
		.n_codecs = 2, .dtmf_payload = 101, .dir = TD_DIR_SENDONLY };
	struct td_session *r;
	char out[TD_SDP_MAX];

	assert_int_equal(td_sdp_write(&s, NULL, 7, out, sizeof(out)), 0);
	r = parse(out, 0);
	assert_string_equal(r->address, s.address);
	assert_int_equal(r->port, s.port);
	assert_int_equal(r->n_codecs, 2);
	assert_int_equal(r->codecs[0], 8);
	assert_int_equal(r->dtmf_payload, 101);
	assert_int_equal(r->dir, TD_DIR_SENDONLY);
	assert_int_equal(r->ptime_ms, 20);
	assert_int_equal(td_sdp_write(&s, NULL, 7, out, 60), -EMSGSIZE);
	s.n_codecs = 0;
	assert_int_equal(td_sdp_write(&s, NULL, 7, out, sizeof(out)),
			 -EINVAL);
	free(r);
}

/* RFC 3264 6: as many streams as the offer has, in its order */
static void an_answer_has_the_offers_streams(void **state)
{
	static const char offer[] = HEAD
		"m=video 3000 RTP/AVP 31 34\r\n"
		"m=audio 0 RTP/AVP 8\r\n"
		"m=audio 4000 RTP/AVP 8 0\r\n"
		"m=audio 4002 RTP/AVP 0\r\n"
		"m=application 5000 UDP/BFCP *\r\n";
	struct td_session s = { .kind = TD_MEDIA_RTP,
		.address = "10.77.0.11", .port = 20002, .codecs = { 8 },
		.n_codecs = 1 };
	char out[TD_SDP_MAX];
	const char *m;

	assert_int_equal(td_sdp_write(&s, offer, 7, out, sizeof(out)), 0);
	assert_int_equal(td_sdp_streams(out), 5);
	m = strstr(out, "m=video 0 RTP/AVP 31\r\n");
	assert_non_null(m);
	m = strstr(m, "m=audio 0 RTP/AVP 8\r\n");
	assert_non_null(m);
	m = strstr(m, "m=audio 20002 RTP/AVP 8\r\n");
	assert_non_null(m);
	m = strstr(m, "m=audio 0 RTP/AVP 0\r\n");
	assert_non_null(m);
	assert_non_null(strstr(m, "m=application 0 UDP/BFCP *\r\n"));
}

static void the_origin_goes_on_and_its_version_goes_up(void **state)
{
	static const char last[] = HEAD "m=audio 4000 RTP/AVP 8\r\n";
	char next[TD_SDP_MAX];

	/* equal: nothing to do */
	strcpy(next, last);
	assert_int_equal(td_sdp_continue(last, next, sizeof(next)), 0);
	assert_string_equal(next, last);
	/* another author's: ours, one further */
	strcpy(next, "v=0\r\no=bob 99 5 IN IP4 10.0.0.7\r\ns=-\r\n"
	       "c=IN IP4 10.0.0.7\r\nt=0 0\r\nm=audio 6000 RTP/AVP 8\r\n");
	assert_int_equal(td_sdp_continue(last, next, sizeof(next)), 0);
	assert_non_null(strstr(next, "\no=- 1 2 IN IP4 10.0.0.1\r\n"));
	assert_non_null(strstr(next, "c=IN IP4 10.0.0.7\r\n"));
	/* the same author without a new version, but changed */
	strcpy(next, HEAD "m=audio 4002 RTP/AVP 8\r\n");
	assert_int_equal(td_sdp_continue(last, next, sizeof(next)), 0);
	assert_non_null(strstr(next, "\no=- 1 2 IN IP4 10.0.0.1\r\n"));
	/* the same author, a version further: as it is */
	strcpy(next, "v=0\r\no=- 1 9 IN IP4 10.0.0.1\r\ns=-\r\n"
	       "c=IN IP4 10.0.0.1\r\nt=0 0\r\nm=audio 4002 RTP/AVP 8\r\n");
	assert_int_equal(td_sdp_continue(last, next, sizeof(next)), 0);
	assert_non_null(strstr(next, "\no=- 1 9 IN IP4 10.0.0.1\r\n"));
	/* no room */
	strcpy(next, "v=0\r\no=b 9 5 IN IP4 1.1.1.1\r\n");
	assert_int_equal(td_sdp_continue(last, next, strlen(next) + 1),
			 -EMSGSIZE);
}

/* seeded: whatever comes, it ends, and what passes can be answered */
static void mutated_descriptions_never_hang_or_crash(void **state)
{
	static const char base[] = HEAD "m=audio 4000 RTP/AVP 8 0 101\r\n"
		"a=rtpmap:101 telephone-event/8000\r\na=ptime:20\r\n"
		"m=video 3000 RTP/AVP 31\r\na=sendrecv\r\n";
	struct td_session *s = malloc(sizeof(*s));
	char buf[1024], out[TD_SDP_MAX];
	unsigned int seed = 4475;

	for (int i = 0; i < 20000; i++) {
		size_t n = sizeof(base) - 1;

		memcpy(buf, base, n);
		for (int k = rand_r(&seed) % 6; k >= 0; k--) {
			size_t at = rand_r(&seed) % n;

			switch (rand_r(&seed) % 3) {
			case 0:
				buf[at] = rand_r(&seed);
				break;
			case 1:
				n -= at < n - 1;
				memmove(buf + at, buf + at + 1, n - at);
				break;
			default:
				buf[at] = "\r\n =:/0"[rand_r(&seed) % 7];
			}
		}
		if (td_sdp_parse(buf, n, s))
			continue;
		if (s->n_codecs && !td_sdp_write(s, s->raw, 1, out,
						 sizeof(out)))
			assert_int_equal(td_sdp_streams(out),
					 td_sdp_streams(s->raw));
	}
	free(s);
}

int main(void)
{
	const struct CMUnitTest t[] = {
		cmocka_unit_test(descriptions_say_what_the_table_says),
		cmocka_unit_test(what_is_too_large_is_refused),
		cmocka_unit_test(latin_1_does_not_reach_an_op),
		cmocka_unit_test(what_is_written_reads_back),
		cmocka_unit_test(an_answer_has_the_offers_streams),
		cmocka_unit_test(the_origin_goes_on_and_its_version_goes_up),
		cmocka_unit_test(mutated_descriptions_never_hang_or_crash),
	};

	return cmocka_run_group_tests(t, NULL, NULL);
}
