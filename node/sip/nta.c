// SPDX-License-Identifier: GPL-2.0-or-later
#include "node/sip/nta.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "node/sip/nta_i.h"
#include "node/sip/parse.h"
#include "proto/base/clock.h"
#include "proto/base/log.h"

/* ---- records up ---- */

/** Octets of a message as it came; parts that the library changed, such as
 *  the top Via, are written anew. @return octets, or needed size */
size_t nta_text(const sip_t *sip, char *out, size_t size)
{
	const msg_header_t *h = (const msg_header_t *)
		(sip->sip_request ? (void *)sip->sip_request :
				    (void *)sip->sip_status);
	size_t n = 0;

	for (; h; h = h->sh_succ) {
		char buf[8192];
		const char *p = h->sh_data;
		size_t len = h->sh_len;

		if (p && !len)
			continue;	/* a further element of a list line */
		if (!p) {
			issize_t rc = msg_header_e(buf, sizeof(buf), h, 0);

			if (rc <= 0 || (size_t)rc >= sizeof(buf))
				continue;
			p = buf;
			len = rc;
		}
		if (n + len < size)
			memcpy(out + n, p, len);
		n += len;
	}
	if (n < size)
		out[n] = '\0';
	return n;
}

int nta_up(struct td_nta *n, const struct td_sip_up *head, const sip_t *sip)
{
	size_t len = sip ? nta_text(sip, NULL, 0) : 0;
	struct td_sip_up *u = malloc(sizeof(*u) + len + 1);

	if (!u) {
		NTA_COUNT(n, lost_up);
		return -ENOMEM;
	}
	*u = *head;
	u->n = sip ? nta_text(sip, u->text, len + 1) : 0;
	u->text[u->n] = '\0';
	__atomic_fetch_add(&n->n_up, 1, __ATOMIC_RELAXED);
	if (td_queue_put(n->up, u)) {
		__atomic_fetch_sub(&n->n_up, 1, __ATOMIC_RELAXED);
		NTA_COUNT(n, lost_up);
		free(u);
		return -ENOSPC;
	}
	return 0;
}

/* ---- transactions ---- */

struct nta_tr *nta_tr_new(struct nta_listener *l, uint64_t id)
{
	struct nta_tr *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->l = l;
	t->since_ms = td_clock_boot_ms();
	t->id = id ? id : TD_SIP_TR_SERVER | ++l->nta->next_id;
	if (td_map_set(l->nta->trs, &t->id, sizeof(t->id), t, NULL)) {
		free(t);
		return NULL;
	}
	if (t->id & TD_SIP_TR_SERVER)
		NTA_GAUGE(l->nta, server, 1);
	else
		NTA_GAUGE(l->nta, client, 1);
	return t;
}

void nta_tr_free(struct nta_tr *t)
{
	struct td_nta *n = t->l->nta;

	td_map_del(n->trs, &t->id, sizeof(t->id));
	if (t->id & TD_SIP_TR_SERVER)
		NTA_GAUGE(n, server, -1);
	else
		NTA_GAUGE(n, client, -1);
	free(t);
}

/* ---- listeners ---- */

struct nta_listener *nta_listener(struct td_nta *n, uint32_t id)
{
	for (int i = 0; i < NTA_MAX_LISTENERS; i++)
		if (id && n->listeners[i].id == id)
			return &n->listeners[i];
	return NULL;
}

static nta_agent_t *make_agent(struct nta_listener *l)
{
	uint32_t t1x64 = l->nta->cfg.t1x64_ms;
	char url[80];
	nta_agent_t *a;

	snprintf(url, sizeof(url), strchr(l->at.host, ':') ?
		 "sip:[%s]:%u;transport=udp" : "sip:%s:%u;transport=udp",
		 l->at.host, l->at.port);
	a = nta_agent_create(l->nta->root, (url_string_t *)url,
		nta_on_message, l, NTATAG_UA(1), NTATAG_SERVER_RPORT(1),
		NTATAG_CLIENT_RPORT(1),
		/* nothing is refused for its headers: td_sip_check does it */
		NTATAG_BAD_REQ_MASK(0),
		NTATAG_SIPFLAGS(MSG_DO_EXTRACT_COPY),
		/* the call decides what a cancelled INVITE gets, and when */
		NTATAG_CANCEL_487(0),
		NTATAG_PASS_100(1), NTATAG_MERGE_482(1),
		NTATAG_USE_NAPTR(0), NTATAG_USE_SRV(0),
		NTATAG_MAXSIZE(TD_SIP_MAX_OCTETS),
		NTATAG_SIP_T1X64(t1x64 ? t1x64 : 32000),
		TPTAG_TOS(40 << 2),		/* CS5 */
		TPTAG_IDLE(NTA_TCP_IDLE_MS), TAG_END());
	if (!a)
		return NULL;
	strcpy(strstr(url, "=udp"), "=tcp");
	if (nta_agent_add_tport(a, (url_string_t *)url, TPTAG_TOS(40 << 2),
				TPTAG_IDLE(NTA_TCP_IDLE_MS), TAG_END()) < 0) {
		nta_agent_destroy(a);
		return NULL;
	}
	return a;
}

static void arm_retry(struct td_nta *n);

static void try_bind(struct nta_listener *l)
{
	struct td_sip_up u = { .type = TD_SIP_UP_LISTENER, .listener = l->id,
			       .status = 1 };

	l->agent = make_agent(l);
	if (l->agent)
		nta_up(l->nta, &u, NULL);
	else
		arm_retry(l->nta);
}

static void on_retry(struct td_nta *magic, su_timer_t *t, struct td_nta *n)
{
	for (int i = 0; i < NTA_MAX_LISTENERS; i++)
		if (n->listeners[i].id && !n->listeners[i].agent)
			try_bind(&n->listeners[i]);
}

static void on_sweep(struct td_nta *magic, su_timer_t *t, struct td_nta *n)
{
	int64_t now_ms = td_clock_boot_ms();

	nta_hook_sweep(n, now_ms);
	if (now_ms - n->swept_ms >= NTA_SWEEP_MS) {
		n->swept_ms = now_ms;
		nta_sweep(n, now_ms);
	}
	su_timer_set_interval(t, on_sweep, n, NTA_LOOK_MS);
}

/** An address may come to this node later. */
static void arm_retry(struct td_nta *n)
{
	su_timer_set_interval(n->retry, on_retry, n, NTA_RETRY_MS);
}

static void listen_on(struct td_nta *n, const struct td_sip_down *d)
{
	for (int i = 0; i < NTA_MAX_LISTENERS; i++) {
		struct nta_listener *l = &n->listeners[i];

		if (l->id)
			continue;
		*l = (struct nta_listener){ .nta = n, .id = d->listener,
					    .at = d->to };
		try_bind(l);
		return;
	}
	td_err("sip", "SIP-LISTENERS", "address=%s more than %d addresses",
	       d->to.host, NTA_MAX_LISTENERS);
}

/** Its transactions end with it; the control loop hears of the client's. */
static void unlisten(struct td_nta *n, uint32_t id)
{
	struct nta_listener *l = nta_listener(n, id);
	struct nta_tr *t;
	size_t pos = 0;

	if (!l)
		return;
	while ((t = td_map_next(n->trs, &pos))) {
		struct td_sip_up u = { .type = TD_SIP_UP_RESPONSE,
				       .listener = id, .tr = t->id,
				       .status = 503 };

		if (t->l != l)
			continue;
		if (t->irq)
			nta_incoming_bind(t->irq, NULL, NULL);
		if (t->orq) {
			nta_outgoing_bind(t->orq, NULL, NULL);
			nta_up(n, &u, NULL);
		}
		nta_tr_free(t);
	}
	nta_agent_destroy(l->agent);
	memset(l, 0, sizeof(*l));
}

/* ---- records down ---- */

static void handle(struct td_nta *n, const struct td_sip_down *d)
{
	switch (d->type) {
	case TD_SIP_DOWN_LISTEN:
		listen_on(n, d);
		break;
	case TD_SIP_DOWN_UNLISTEN:
		unlisten(n, d->listener);
		break;
	case TD_SIP_DOWN_REPLY:
		nta_reply(n, d);
		break;
	case TD_SIP_DOWN_REQUEST:
		nta_request(n, d);
		break;
	case TD_SIP_DOWN_ACK:
		nta_ack(n, d);
		break;
	case TD_SIP_DOWN_CANCEL:
		nta_cancel(n, d);
		break;
	case TD_SIP_DOWN_FORGET:
		nta_forget(n, d->tr);
		break;
	case TD_SIP_DOWN_STOP:
		n->stop = true;
		su_root_break(n->root);
		break;
	}
}

static int on_down(struct td_nta *magic, su_wait_t *w, struct td_nta *n)
{
	struct td_sip_down *d;

	while (!n->stop && (d = td_queue_get(n->down))) {
		handle(n, d);
		free(d);
	}
	return 0;
}

static int make_conns(struct td_nta *n)
{
	const struct td_nta_cfg *c = &n->cfg;
	struct td_conns_cfg cfg = {
		.max_all = c->max_tcp ? c->max_tcp : NTA_TCP_ALL,
		.max_source = c->max_tcp_source ? c->max_tcp_source :
						  NTA_TCP_SOURCE,
		.first_ms = c->tcp_first_ms ? c->tcp_first_ms :
					      NTA_TCP_FIRST_MS,
		.frame_ms = NTA_TCP_FRAME_MS,
		.idle_ms = NTA_TCP_IDLE_MS,
	};
	struct rlimit lim;

	/* descriptors are needed for other things too */
	if (!getrlimit(RLIMIT_NOFILE, &lim) && lim.rlim_cur / 2 < cfg.max_all)
		cfg.max_all = lim.rlim_cur / 2;
	return td_conns_new(&cfg, &n->conns);
}

static void *run(void *arg)
{
	struct td_nta *n = arg;
	su_wait_t wait = SU_WAIT_INIT;
	int idx = -1;

	nta_hook_thread(n);
	n->root = su_root_create(n);
	if (!n->root || !(n->retry = su_timer_create(su_root_task(n->root),
						     NTA_RETRY_MS)) ||
	    !(n->sweep = su_timer_create(su_root_task(n->root),
					 NTA_LOOK_MS)) ||
	    su_wait_create(&wait, td_queue_fd(n->down), SU_WAIT_IN) < 0 ||
	    (idx = su_root_register(n->root, &wait, on_down, n, 0)) < 0) {
		td_err("sip", "SIP-STACK", "the SIP stack could not start");
		return NULL;
	}
	su_timer_set_interval(n->sweep, on_sweep, n, NTA_LOOK_MS);
	while (!n->stop)
		su_root_run(n->root);
	for (int i = 0; i < NTA_MAX_LISTENERS; i++)
		unlisten(n, n->listeners[i].id);
	su_timer_destroy(n->retry);
	su_timer_destroy(n->sweep);
	su_root_deregister(n->root, idx);
	su_wait_destroy(&wait);
	su_root_destroy(n->root);
	return NULL;
}

/* ---- the object ---- */

static void on_log(void *stream, char const *fmt, va_list ap)
{
	char line[512];

	if (td_log_level_get() < TD_LOG_DEBUG)
		return;
	vsnprintf(line, sizeof(line), fmt, ap);
	line[strcspn(line, "\n")] = '\0';
	td_debug("sip", "stack: %s", line);
}

int td_nta_new(const struct td_nta_cfg *cfg, struct td_nta **out)
{
	struct td_nta *n = calloc(1, sizeof(*n));
	int rc = -ENOMEM;

	if (!n)
		return rc;
	n->cfg = *cfg;
	if (td_queue_new(cfg->max_up, &n->up) ||
	    td_queue_new(cfg->max_down, &n->down) || td_map_new(&n->trs) ||
	    make_conns(n))
		goto fail;
	su_init();
	su_log_redirect(NULL, on_log, NULL);
	rc = -pthread_create(&n->thread, NULL, run, n);
	if (rc)
		goto fail;
	*out = n;
	return 0;
fail:
	td_queue_free(n->up);
	td_queue_free(n->down);
	td_map_free(n->trs, NULL);
	td_conns_free(n->conns);
	free(n);
	return rc;
}

void td_nta_free(struct td_nta *n)
{
	struct td_sip_down *d;
	struct td_sip_up *u;

	if (!n)
		return;
	/* a full queue cannot keep us from stopping: make room */
	d = calloc(1, sizeof(*d));
	if (d) {
		d->type = TD_SIP_DOWN_STOP;
		while (td_queue_put(n->down, d))
			free(td_queue_get(n->down));
		pthread_join(n->thread, NULL);
	}
	while ((d = td_queue_get(n->down)))
		free(d);
	while ((u = td_queue_get(n->up)))
		free(u);
	td_queue_free(n->up);
	td_queue_free(n->down);
	td_map_free(n->trs, NULL);
	td_conns_free(n->conns);
	free(n);
	su_deinit();
}

int td_nta_fd(const struct td_nta *n)
{
	return td_queue_fd(n->up);
}

struct td_sip_up *td_nta_get(struct td_nta *n)
{
	struct td_sip_up *u = td_queue_get(n->up);

	if (u)
		__atomic_fetch_sub(&n->n_up, 1, __ATOMIC_RELAXED);
	return u;
}

int td_nta_put(struct td_nta *n, struct td_sip_down *d)
{
	if (!td_queue_put(n->down, d))
		return 0;
	NTA_COUNT(n, lost_down);
	return -EAGAIN;
}

void td_nta_stats(const struct td_nta *n, struct td_nta_stats *out)
{
	const uint64_t *from = (const uint64_t *)&n->st;
	uint64_t *to = (uint64_t *)out;

	for (size_t i = 0; i < sizeof(*out) / sizeof(*to); i++)
		to[i] = __atomic_load_n(&from[i], __ATOMIC_RELAXED);
}
