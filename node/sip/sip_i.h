/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_SIP_I_H
#define TD_SIP_I_H

#include "node/sip/check.h"
#include "node/sip/digest.h"
#include "node/sip/nta.h"
#include "node/sip/parse.h"
#include "node/sip/sip.h"
#include "node/sip/stimer.h"
#include "proto/base/map.h"

enum { SIP_MAX_ROUTES = 8, SIP_MAX_INVITE = 16384, SIP_MAX_LISTENERS = 31 };

struct sip_listener {
	uint32_t id;
	char name[TD_NAME_MAX];		/* "a1"; "" the internal one */
	struct td_sip_peer at;
	bool internal, up, wanted;
};

struct sip_stats {
	uint64_t requests, responses, registers, invites, challenges,
		forbidden, refused, legs_in, legs_out, checkpoints_refused,
		effects_cancelled, stray, refreshes, expired,
		not_running, congested;
};

struct td_sip {
	struct td_sip_cfg cfg;
	const struct td_site *site;
	struct td_nta *nta;
	struct td_digest *digest;
	struct sip_listener l[SIP_MAX_LISTENERS];
	unsigned int n_listeners;
	struct td_map *dialogs;		/* Call-ID \n local tag -> sip_leg */
	struct td_map *trs;		/* transaction -> sip_leg */
	struct td_map *legs;		/* id -> sip_leg */
	uint64_t next_id, next_tr;
	uint32_t next_listener;
	struct sip_stats st;
	/* effects that wait in the cluster hold it, too */
	unsigned int effects;
	bool closed;
};

enum sip_state {
	SIP_NULL = 1,
	SIP_IN,			/* INVITE taken, no final answer yet */
	SIP_IN_ACK,		/* 2xx is out, its ACK is not in */
	SIP_OUT,		/* INVITE is out, no final answer yet */
	SIP_OUT_OFFERED,	/* 2xx with an offer: our ACK shall answer */
	SIP_UP,
	SIP_CLEARING,		/* our BYE or CANCEL is out */
	SIP_OVER,		/* CLEARED was raised or is about to be */
};

/** A dialog: plain values only, so that a checkpoint holds all of it. */
struct sip_leg {
	struct td_leg leg;
	struct td_sip *sip;
	uint64_t id;
	enum sip_state st;
	bool internal, uac;
	bool flow;		/* requests go where it came from */
	uint32_t listener;
	char unit[TD_NAME_MAX], peer[128];
	char call_id[256], local[1024], remote[1024], target[1024];
	char local_tag[64], remote_tag[256], contact[256];
	char route[SIP_MAX_ROUTES][256];
	unsigned int n_routes;
	uint32_t local_cseq, remote_cseq;
	struct td_sip_peer to;		/* next hop without a route set */
	struct td_sip_peer other;	/* tried when a flow is gone */
	char received[64];		/* source of the INVITE taken */
	char branch[40];
	uint64_t tr;			/* of the INVITE that set it up */
	uint32_t invite_cseq;
	char *headers;			/* of ours, for a second try */
	bool tried_longer;		/* RFC 4028 7.3 */
	char *invite;			/* it, while it is pending */
	size_t n_invite;
	char *sdp_local, *sdp_remote;	/* last of each, NULL none */
	bool offered;			/* the last local one was an offer */
	bool early_sdp;			/* remote one came in a 18x */
	/* re-INVITE, UPDATE: one each way */
	uint64_t re_in, re_out;
	bool re_update;			/* re_in is an UPDATE */
	char *re_raw;			/* re_in as it came */
	size_t n_re_raw;
	char re_branch[40];
	uint32_t re_cseq;
	bool refreshing;		/* re_out offers nothing new */
	struct td_session *pending;	/* offer that waits for its turn */
	/* session timer */
	struct td_stimer timer;		/* agreed */
	struct td_stimer timer_next;	/* by our 2xx to tr or re_in */
	int64_t refresh_at_ms, end_at_ms;	/* agreed time; 0: none */
	struct td_timer refresh, expiry;
	bool update;			/* the far end takes UPDATE */
	uint64_t ping;			/* UPDATE or OPTIONS without a body */
	bool ping_update, probing;
	uint64_t bye_tr;
	char bye_branch[40];
	uint32_t bye_cseq;
	bool must_bye;			/* clear() came before the ACK */
	int clear_cause, clear_status;
	bool proceeding;		/* told */
	bool ringing;			/* a 18x was sent, or came */
	struct td_timer no_answer, later, glare, tidy;
	/* room for the checkpoint that was asked for last */
	struct sip_checkpoint {
		Td__SipDialog dialog;
		Td__SipRequest theirs, ours;
		Td__SipTimer timer;
		char *route[SIP_MAX_ROUTES];
		char other[64];
	} cp[1];
};

/* sip.c */
struct sip_listener *sip_listener(struct td_sip *s, uint32_t id);
struct sip_listener *sip_listener_by_name(struct td_sip *s, const char *name);
/** Takes d, always. @return 0 or -EAGAIN */
int sip_put(struct td_sip *s, struct td_sip_down *d);
/** Answers a server transaction at once, without a call: header lines each
 *  with its CRLF, or NULL. */
void sip_answer(struct td_sip *s, const struct td_sip_up *u, int status,
		const char *headers);
/** Its record instead, for effects. NULL: no memory */
struct td_sip_down *sip_reply_record(uint64_t tr, int status, const char *tag,
				     const char *headers, const char *body);
/** An effect of ours came back. @return false: the room is gone (or just
 *  went), only the effect's own memory is left to free */
bool sip_effect_done(struct td_sip *s);
/** Is the peer the cluster address of a node of the site? */
bool sip_is_node(const struct td_sip *s, const char *host);

/* busy.c */
enum { SIP_RETRY_S = 3 };	/* and up to 5 more */
/** A Retry-After line of at least so much. */
void sip_retry_after(unsigned int least_s, char *out, size_t size);
/** 503 with Retry-After: the record, or given at once (counted). */
struct td_sip_down *sip_busy_record(uint64_t tr, const char *tag);
void sip_answer_busy(struct td_sip *s, const struct td_sip_up *u);
/** May something new begin? @return false: it was answered */
bool sip_admit(struct td_sip *s, const struct td_sip_up *u);

/* auth.c */
/** @param[out] user the extension, written on success
 *  @return true; false: a challenge or a refusal was sent */
bool sip_authenticate(struct td_sip *s, const struct td_sip_up *u,
		      const struct td_sip_msg *m, char user[TD_NUMBER_MAX]);

/* register.c */
void sip_on_register(struct td_sip *s, const struct td_sip_up *u,
		     const struct td_sip_msg *m);

/* uas.c: requests */
void sip_on_request(struct td_sip *s, const struct td_sip_up *u,
		    const struct td_sip_msg *m);
/* invite.c */
void sip_on_invite(struct td_sip *s, const struct td_sip_up *u,
		   const struct td_sip_msg *m);
/* within.c: requests within a dialog */
void sip_on_within(struct td_sip *s, const struct td_sip_up *u,
		   const struct td_sip_msg *m);
void sip_on_ack(struct sip_leg *l, const struct td_sip_msg *m);
void sip_on_no_ack(struct sip_leg *l);
void sip_on_cancel(struct sip_leg *l, const struct td_sip_msg *m);
int sip_offer_reply(struct sip_leg *l, int cause, const struct td_session *s);

/* uac.c */
/** m's session; *same: no other than it said before. NULL: none */
struct td_session *sip_response_session(struct sip_leg *l,
					const struct td_sip_msg *m,
					bool *same);
int sip_ack(struct sip_leg *l, uint32_t cseq, const char *branch,
	    const char *sdp);
int sip_setup(struct td_leg *leg, const struct td_setup *s);
/** m NULL: the stack's own 408 or 503 */
void sip_on_response(struct sip_leg *l, uint64_t tr, int status,
		     const struct td_sip_msg *m);
int sip_ack_offer(struct sip_leg *l, int cause, const struct td_session *s);

/* reinvite.c */
void sip_on_reinvite(struct sip_leg *l, int status, const struct td_sip_msg *m);
int sip_reinvite(struct sip_leg *l, const char *sdp);
int sip_offer(struct sip_leg *l, const struct td_session *s);
void sip_send_pending(struct sip_leg *l);

/* timer.c */
struct td_text;
/** What our 2xx to m would agree on, from *t. @return 0, or 400, 422 */
int sip_timer_ask(struct td_sip *s, const struct td_sip_msg *m,
		  struct td_stimer *t);
/** Header lines of such a 2xx, and of a request of ours. */
void sip_timer_answer(const struct td_stimer *t, char *out, size_t size);
void sip_timer_request(const struct sip_leg *l, struct td_text *h);
/** A 422 came. @return false: nothing to be gained by asking again */
bool sip_timer_422(struct sip_leg *l, const struct td_sip_msg *m);
/** A 2xx came to an INVITE or UPDATE of ours. */
void sip_timer_2xx(struct sip_leg *l, const struct td_sip_msg *m);
/** The session is agreed or refreshed as of now. */
void sip_timer_start(struct sip_leg *l, const struct td_stimer *t);
void sip_timer_stop(struct sip_leg *l);
/** A refresh of ours was refused. */
void sip_timer_retry(struct sip_leg *l, bool now);
int sip_probe(struct td_leg *leg);
void sip_on_ping(struct sip_leg *l, int status, const struct td_sip_msg *m);

/* leg.c */
int sip_leg_make(struct td_sip *s, struct sip_leg **out);
extern const struct td_leg_ops sip_leg_ops;
void sip_leg_free(struct td_leg *leg);
int sip_leg_index(struct sip_leg *l);	/* enters it in sip->dialogs */
/** Checkpoint first, then d when the mate holds it. Takes d, always.
 *  @return 0 or what refused it */
int sip_leg_send(struct sip_leg *l, struct td_sip_down *d);
int sip_leg_reply(struct sip_leg *l, uint64_t tr, int status,
		  const char *headers, const char *body);
/** CLEARED in a later turn; once. */
void sip_leg_over(struct sip_leg *l, int cause);
void sip_leg_event(struct sip_leg *l, enum td_leg_event_type type, int cause,
		   int status, const struct td_session *s);
uint64_t sip_tr_new(struct sip_leg *l);
void sip_tr_done(struct td_sip *s, uint64_t *tr);
int sip_leg_bye(struct sip_leg *l, int cause);
/** The far end is gone: a BYE none the less, whose answer is not waited for. */
void sip_leg_dead(struct sip_leg *l, int cause);
/** What has changed without anything leaving is checkpointed soon. */
void sip_leg_tidy(struct sip_leg *l);

/* checkpoint.c: all of a leg that another node needs; strings live in it */
void sip_dialog_checkpoint(struct td_leg *leg, Td__CallLeg *out);

/* dialog.c: texts of a dialog */
/** A request within the dialog, or the INVITE that begins it.
 *  NULL: no memory or it does not fit */
struct td_sip_down *sip_dialog_request(struct sip_leg *l, const char *method,
				       uint32_t cseq, const char *headers,
				       const char *type, const char *body);
/** The SDP for a session: as it came when that fits, else written.
 *  @param offer what it answers, NULL: it offers
 *  @param[out] out malloc'ed, NULL when the session has no RTP */
int sip_dialog_sdp(struct sip_leg *l, const struct td_session *s,
		   const char *offer, char **out);
int sip_dialog_target(struct sip_leg *l, const struct td_sip_msg *m);
/** Body's session; *out is malloc'ed. @return 0, -ENODATA no body,
 *  -EPROTO not SDP (415), td_sdp_parse's errors */
int sip_body_session(const struct td_sip_msg *m, const char *from,
		     struct td_session **out);
/** Status and header lines for an error of sip_body_session. */
int sip_body_status(int err, const char **headers);
void sip_set_text(char **p, const char *text);
void sip_random_hex(char *out, size_t digits);

#endif
