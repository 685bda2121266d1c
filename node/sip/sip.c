// SPDX-License-Identifier: GPL-2.0-or-later
#include "node/sip/sip.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/sip/cause.h"
#include "node/sip/sip_i.h"
#include "proto/base/clock.h"
#include "proto/base/log.h"
#include "proto/base/str.h"

enum { MAX_UP = 16384, MAX_DOWN = 16384, MAX_SERVER = 16384, MAX_KEPT = 50000,
       MAX_NONCES = 65536, MAX_A_TURN = 64 };

/* ---- listeners ---- */

struct sip_listener *sip_listener(struct td_sip *s, uint32_t id)
{
	for (unsigned int i = 0; i < s->n_listeners; i++)
		if (s->l[i].id == id)
			return &s->l[i];
	return NULL;
}

struct sip_listener *sip_listener_by_name(struct td_sip *s, const char *name)
{
	for (unsigned int i = 0; i < s->n_listeners; i++)
		if (!s->l[i].internal && !strcmp(s->l[i].name, name))
			return &s->l[i];
	return NULL;
}

bool sip_is_node(const struct td_sip *s, const char *host)
{
	for (size_t i = 0; s->site && i < s->site->n_nodes; i++)
		if (!strcmp(s->site->nodes[i].cluster_address, host))
			return true;
	return false;
}

static int want(struct td_sip *s, const char *name, const char *address,
		uint16_t port, bool internal)
{
	struct td_sip_down *d;
	struct sip_listener *l;

	for (unsigned int i = 0; i < s->n_listeners; i++) {
		l = &s->l[i];
		if (!strcmp(l->at.host, address) && l->at.port == port) {
			td_str_cut(l->name, sizeof(l->name), name);
			l->wanted = true;
			return 0;
		}
	}
	if (s->n_listeners == SIP_MAX_LISTENERS) {
		td_err("sip", "SIP-LISTENERS", "address=%s more than %d "
		       "addresses", address, SIP_MAX_LISTENERS);
		return 0;
	}
	d = calloc(1, sizeof(*d) + 1);
	if (!d)
		return -ENOMEM;
	l = &s->l[s->n_listeners];
	*l = (struct sip_listener){ .id = ++s->next_listener, .wanted = true,
				    .internal = internal };
	td_str_cut(l->name, sizeof(l->name), name);
	td_str_cut(l->at.host, sizeof(l->at.host), address);
	l->at.port = port;
	d->type = TD_SIP_DOWN_LISTEN;
	d->listener = l->id;
	d->to = l->at;
	s->n_listeners++;
	if (!sip_put(s, d))
		return 0;
	s->n_listeners--;
	return -EAGAIN;
}

static int drop_unwanted(struct td_sip *s)
{
	for (unsigned int i = 0; i < s->n_listeners;) {
		struct td_sip_down *d;

		if (s->l[i].wanted) {
			i++;
			continue;
		}
		d = calloc(1, sizeof(*d) + 1);
		if (!d)
			return -ENOMEM;
		d->type = TD_SIP_DOWN_UNLISTEN;
		d->listener = s->l[i].id;
		if (sip_put(s, d))
			return -EAGAIN;
		s->l[i] = s->l[--s->n_listeners];
	}
	return 0;
}

int td_sip_set_site(struct td_sip *s, const struct td_site *site)
{
	int rc = 0;

	s->site = site;
	for (unsigned int i = 0; i < s->n_listeners; i++)
		s->l[i].wanted = false;
	if (s->cfg.internal_address && *s->cfg.internal_address)
		rc = want(s, "", s->cfg.internal_address,
			  s->cfg.internal_port, true);
	for (size_t i = 0; !rc && i < site->n_addresses; i++) {
		const struct td_site_address *a = &site->addresses[i];

		if (a->n_nodes && a->nodes[0] == s->cfg.node_id)
			rc = want(s, a->name, a->address, s->cfg.port, false);
	}
	return rc ? rc : drop_unwanted(s);
}

int td_sip_set_key(struct td_sip *s, const uint8_t key[32])
{
	return td_digest_set_key(s->digest, key, td_clock_wall_ms());
}

bool td_sip_listening(const struct td_sip *s)
{
	for (unsigned int i = 0; i < s->n_listeners; i++)
		if (!s->l[i].up)
			return false;
	return s->site != NULL;
}

/* ---- records ---- */

int sip_put(struct td_sip *s, struct td_sip_down *d)
{
	int rc;

	if (!d)
		return -EAGAIN;
	rc = td_nta_put(s->nta, d);
	if (rc)
		free(d);
	return rc;
}

struct td_sip_down *sip_reply_record(uint64_t tr, int status, const char *tag,
				     const char *headers, const char *body)
{
	size_t n = headers ? strlen(headers) : 0;
	size_t n_body = body ? strlen(body) : 0;
	struct td_sip_down *d = calloc(1, sizeof(*d) + n + n_body + 2);

	if (!d)
		return NULL;
	d->type = TD_SIP_DOWN_REPLY;
	d->tr = tr;
	d->status = status;
	td_str_cut(d->tag, sizeof(d->tag), tag ? tag : "");
	d->n = n;
	d->n_body = n_body;
	memcpy(d->text, headers ? headers : "", n);
	memcpy(d->text + n + 1, body ? body : "", n_body);
	return d;
}

void sip_answer(struct td_sip *s, const struct td_sip_up *u, int status,
		const char *headers)
{
	if (u->tr)
		sip_put(s, sip_reply_record(u->tr, status, u->tag, headers,
					    NULL));
}

static void on_listener(struct td_sip *s, const struct td_sip_up *u)
{
	struct sip_listener *l = sip_listener(s, u->listener);

	if (!l)
		return;
	l->up = u->status != 0;
	td_info("sip", "address=%s:%u name=%s listening", l->at.host,
		l->at.port, l->internal ? "internal" : l->name);
}

static void on_response(struct td_sip *s, const struct td_sip_up *u)
{
	struct sip_leg *l = td_map_get_u64(s->trs, u->tr);
	struct td_sip_msg *m = NULL;
	int rc;

	s->st.responses++;
	if (!l) {		/* its leg is gone, or it is an INFO's */
		s->st.stray++;
		return;
	}
	if (u->n) {
		rc = td_sip_parse(u->text, u->n, &m);
		if (rc && u->status < 200)
			return;
	}
	sip_on_response(l, u->tr, u->status, m);
	td_sip_msg_free(m);
}

static void on_request(struct td_sip *s, const struct td_sip_up *u)
{
	struct td_sip_msg *m;

	s->st.requests++;
	if (td_sip_parse(u->text, u->n, &m)) {
		sip_answer(s, u, 400, NULL);
		return;
	}
	sip_on_request(s, u, m);
	td_sip_msg_free(m);
}

static void on_transaction(struct td_sip *s, const struct td_sip_up *u)
{
	struct sip_leg *l = td_map_get_u64(s->trs, u->tr);
	struct td_sip_msg *m = NULL;

	if (!l || (u->n && td_sip_parse(u->text, u->n, &m)))
		return;
	if (u->type == TD_SIP_UP_ACK && m)
		sip_on_ack(l, m);
	else if (u->type == TD_SIP_UP_NO_ACK)
		sip_on_no_ack(l);
	else if (m)
		sip_on_cancel(l, m);
	td_sip_msg_free(m);
}

static void on_up(void *arg, int fd, int revents)
{
	struct td_sip *s = arg;
	struct td_sip_up *u;

	/* bounded, so that a flood leaves turns for the others */
	for (int i = 0; i < MAX_A_TURN && (u = td_nta_get(s->nta)); i++) {
		switch (u->type) {
		case TD_SIP_UP_REQUEST:
			on_request(s, u);
			break;
		case TD_SIP_UP_RESPONSE:
			on_response(s, u);
			break;
		case TD_SIP_UP_ACK:
		case TD_SIP_UP_NO_ACK:
		case TD_SIP_UP_CANCEL:
			on_transaction(s, u);
			break;
		case TD_SIP_UP_LISTENER:
			on_listener(s, u);
			break;
		}
		free(u);
	}
}

/* ---- the object ---- */

int td_sip_new(const struct td_sip_cfg *cfg, struct td_sip **out)
{
	struct td_sip *s = calloc(1, sizeof(*s));
	struct td_nta_cfg nc = { .max_up = MAX_UP, .max_down = MAX_DOWN,
				 .max_server = MAX_SERVER,
				 .max_kept = cfg->max_kept ? cfg->max_kept :
							     MAX_KEPT,
				 .t1x64_ms = cfg->t1x64_ms,
				 .max_tcp = cfg->max_tcp,
				 .max_tcp_source = cfg->max_tcp_source,
				 .tcp_first_ms = cfg->tcp_first_ms };
	int rc = -ENOMEM;

	if (!s)
		return rc;
	s->cfg = *cfg;
	if (!s->cfg.port)
		s->cfg.port = 5060;
	if (!s->cfg.internal_port)
		s->cfg.internal_port = 5066;
	if (!s->cfg.no_answer_ms)
		s->cfg.no_answer_ms = 180000;
	if (!s->cfg.second_ms)
		s->cfg.second_ms = 1000;
	if (!s->cfg.max_legs)
		s->cfg.max_legs = 8192;
	if (td_map_new(&s->dialogs) || td_map_new(&s->trs) ||
	    td_map_new(&s->legs) ||
	    td_digest_new(cfg->key, MAX_NONCES, &s->digest))
		goto fail;
	rc = td_nta_new(&nc, &s->nta);
	if (rc)
		goto fail;
	rc = td_loop_fd_add(cfg->loop, td_nta_fd(s->nta), POLLIN, on_up, s);
	if (rc) {
		td_nta_free(s->nta);
		goto fail;
	}
	*out = s;
	return 0;
fail:
	td_digest_free(s->digest);
	td_map_free(s->dialogs, NULL);
	td_map_free(s->trs, NULL);
	td_map_free(s->legs, NULL);
	free(s);
	return rc;
}

void td_sip_free(struct td_sip *s)
{
	if (!s)
		return;
	td_loop_fd_del(s->cfg.loop, td_nta_fd(s->nta));
	td_nta_free(s->nta);
	td_digest_free(s->digest);
	td_map_free(s->dialogs, NULL);
	td_map_free(s->trs, NULL);
	td_map_free(s->legs, NULL);
	s->closed = true;
	if (!s->effects)
		free(s);
}

bool sip_effect_done(struct td_sip *s)
{
	s->effects--;
	if (!s->closed)
		return true;
	if (!s->effects)
		free(s);
	return false;
}

static json_t *counters(const struct td_sip *s)
{
	struct td_nta_stats n;

	td_nta_stats(s->nta, &n);
#define I(x) (json_int_t)(x)
	return json_pack("{sI sI sI sI sI sI sI sI sI sI sI sI sI sI sI sI sI"
			 " sI sI sI sI sI sI sI sI sI sI sI sI sI sI sI}",
		"requests", I(s->st.requests), "responses",
		I(s->st.responses), "registers", I(s->st.registers),
		"invites", I(s->st.invites), "challenges",
		I(s->st.challenges), "forbidden", I(s->st.forbidden),
		"refused", I(s->st.refused), "refreshes",
		I(s->st.refreshes), "not_running", I(s->st.not_running),
		"congested", I(s->st.congested), "sessions_expired", I(s->st.expired),
		"legs_in", I(s->st.legs_in),
		"legs_out", I(s->st.legs_out), "checkpoints_refused",
		I(s->st.checkpoints_refused), "effects_cancelled",
		I(s->st.effects_cancelled), "stray",
		I(s->st.stray + n.stray), "nonces",
		I(td_digest_nonces(s->digest)), "malformed_answered",
		I(n.rejected), "malformed_dropped", I(n.dropped), "overload",
		I(n.overload), "queue_up_refused", I(n.lost_up),
		"queue_down_refused", I(n.lost_down), "timeouts",
		I(n.timeouts), "never_answered", I(n.forgotten),
		"tcp_connections", I(n.tcp), "tcp_refused", I(n.tcp_refused),
		"tcp_slow", I(n.tcp_slow), "tcp_idle", I(n.tcp_idle),
		"server_transactions", I(n.server),
		"client_transactions", I(n.client), "tx_requests",
		I(n.tx_requests), "tx_replies", I(n.tx_replies));
#undef I
}

json_t *td_sip_dump(const struct td_sip *s)
{
	static const char *const names[] = {
		[SIP_NULL] = "null", [SIP_IN] = "in", [SIP_IN_ACK] = "in-ack",
		[SIP_OUT] = "out", [SIP_OUT_OFFERED] = "out-offered",
		[SIP_UP] = "up", [SIP_CLEARING] = "clearing",
		[SIP_OVER] = "over",
	};
	json_t *listeners = json_array(), *legs = json_array();
	struct sip_leg *l;
	size_t pos = 0;

	for (unsigned int i = 0; i < s->n_listeners; i++)
		json_array_append_new(listeners, json_pack(
			"{ss ss si sb sb}", "name", s->l[i].name, "address",
			s->l[i].at.host, "port", s->l[i].at.port, "internal",
			s->l[i].internal, "up", s->l[i].up));
	while ((l = td_map_next(s->legs, &pos)))
		json_array_append_new(legs, json_pack(
			"{ss ss ss sb sb}", "call_id", l->call_id, "peer",
			l->peer, "state", names[l->st], "outgoing", l->uac,
			"internal", l->internal));
	return json_pack("{so so so}", "listeners", listeners, "legs", legs,
			 "counters", counters(s));
}
