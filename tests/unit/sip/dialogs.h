/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TEST_SIP_DIALOGS_H
#define TEST_SIP_DIALOGS_H

#include "rig.h"

/* Calls from the phone and to it, as far as several tests begin with them. */

#define USER_URI "sip:1001@tandem.lab"

/** INVITE with digest; @return the leg, *q as it was sent. */
RIG_FN struct td_leg *invite_with(struct rig *r, struct rig_req *q,
				  const char *body, const char *more)
{
	static unsigned int n;
	static char id[32];
	struct td_sip_msg *m;
	char ack[600];

	snprintf(id, sizeof(id), "call%u@rig", ++n);
	*q = (struct rig_req){ .method = "INVITE", .uri = USER_URI,
			       .user = "1000", .call_id = id, .cseq = 1,
			       .body = body, .branch = "z9hG4bKfirst" };
	snprintf(ack, sizeof(ack), "Contact: <sip:1000@127.0.0.1:%u%s>\r\n%s",
		 r->phone_port, r->tcp ? ";transport=tcp" : "",
		 more ? more : "");
	q->headers = strdup(ack);
	rig_request(r, q);
	m = rig_expect(r, 407);
	/* the ACK of a failure has the INVITE's branch */
	{
		struct rig_req a = *q;
		char tag[64];

		rig_tag(m, tag, sizeof(tag));
		a.method = "ACK";
		a.to_tag = tag;
		a.body = NULL;
		rig_request(r, &a);
	}
	q->branch = NULL;
	rig_again(r, q, m, "pw1000");
	td_sip_msg_free(m);
	return rig_call(r);
}

RIG_FN struct td_leg *invite(struct rig *r, struct rig_req *q,
			     const char *body)
{
	return invite_with(r, q, body, NULL);
}

RIG_FN void request(struct rig *r, const struct rig_req *base,
		    const char *method, const char *tag, unsigned int cseq,
		    const char *body)
{
	struct rig_req q = *base;

	q.method = method;
	q.to_tag = tag;
	q.cseq = cseq;
	q.body = body;
	rig_request(r, &q);
}

RIG_FN struct td_session answer_session(void)
{
	return (struct td_session){ .kind = TD_MEDIA_RTP,
		.address = "127.0.0.1", .port = 20000, .codecs = { 8 },
		.n_codecs = 1, .dtmf_payload = 101 };
}

/** An incoming call, answered; *tag is ours. */
RIG_FN struct td_leg *answered(struct rig *r, struct rig_req *q, char *tag,
			       size_t size)
{
	struct td_leg *l = invite(r, q, RIG_SDP);
	struct td_session s = answer_session();
	struct td_sip_msg *m;

	assert_int_equal(l->ops->answer(l, &s), 0);
	m = rig_expect(r, 200);
	rig_tag(m, tag, size);
	assert_non_null(memmem(m->body, m->n_body, "m=audio 20000 RTP/AVP 8 "
			       "101\r\n", 27));
	assert_non_null(strstr(td_sip_value(m, TD_SIP_H_CONTACT, 0),
			       "127.0.0.1"));
	td_sip_msg_free(m);
	request(r, q, "ACK", tag, q->cseq, NULL);
	return l;
}

RIG_FN struct td_setup *new_setup(struct rig *r)
{
	struct td_setup *s = calloc(1, sizeof(*s));

	s->complete = true;
	strcpy(s->called, "1001");
	strcpy(s->calling, "1000");
	strcpy(s->calling_name, "Ann \"A\"");
	strcpy(s->address, "a1");
	strcpy(s->transport, r->tcp ? "tcp" : "udp");
	snprintf(s->target, sizeof(s->target), "sip:1001@127.0.0.1:%u;x=y",
		 r->phone_port);
	snprintf(s->received, sizeof(s->received), "127.0.0.1:%u",
		 r->phone_port);
	s->session = (struct td_session){ .kind = TD_MEDIA_RTP,
		.address = "127.0.0.1", .port = 20000, .codecs = { 8, 0 },
		.n_codecs = 2 };
	return s;
}

/** Starts a leg; @return the INVITE the phone got. */
RIG_FN struct td_sip_msg *start(struct rig *r, const struct td_setup *s,
				struct td_leg **leg)
{
	assert_int_equal(td_sip_leg_new(r->sip, leg), 0);
	(*leg)->call = r;
	assert_int_equal((*leg)->ops->setup(*leg, s), 0);
	return rig_expect_request(r, "INVITE");
}

/** A request of the phone within the dialog that our INVITE m began; its own
 *  tag is "ph". */
RIG_FN void within(struct rig *r, const struct td_sip_msg *m,
		   const char *method, unsigned int cseq, const char *headers,
		   const char *body)
{
	char *text = malloc(16384);
	int n;

	n = snprintf(text, 16384, "%s sip:x@127.0.0.1 SIP/2.0\r\n"
		"Via: SIP/2.0/%s 127.0.0.1:%u;branch=z9hG4bKin%u;rport\r\n"
		"Max-Forwards: 70\r\nFrom: <sip:1001@tandem.lab>;tag=ph\r\n"
		"To: %s\r\nCall-ID: %s\r\nCSeq: %u %s\r\n"
		"Contact: <sip:phone@127.0.0.1:%u>\r\n%s%s"
		"Content-Length: %zu\r\n\r\n%s", method,
		r->tcp ? "TCP" : "UDP", r->phone_port, ++r->branch,
		td_sip_value(m, TD_SIP_H_FROM, 0),
		td_sip_value(m, TD_SIP_H_CALL_ID, 0), cseq, method,
		r->phone_port, headers ? headers : "",
		body ? "Content-Type: application/sdp\r\n" : "",
		body ? strlen(body) : 0, body ? body : "");
	rig_send(r, text, n);
	free(text);
}

#endif
