/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_SIP_NTA_I_H
#define TD_SIP_NTA_I_H

#include <pthread.h>
#include <stdbool.h>

#include "node/sip/conn.h"
#include "node/sip/nta.h"
#include "proto/base/map.h"
#include "proto/base/queue.h"

#define NTA_AGENT_MAGIC_T struct nta_listener
#define NTA_INCOMING_MAGIC_T struct nta_tr
#define NTA_OUTGOING_MAGIC_T struct nta_tr
#define SU_ROOT_MAGIC_T struct td_nta
#define SU_TIMER_ARG_T struct td_nta
#define SU_WAKEUP_ARG_T struct td_nta
#include <sofia-sip/su_wait.h>

#include <sofia-sip/msg_header.h>
#include <sofia-sip/nta.h>
#include <sofia-sip/nta_stateless.h>
#include <sofia-sip/nta_tport.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_status.h>
#include <sofia-sip/sip_tag.h>
#include <sofia-sip/sip_util.h>
#include <sofia-sip/su_log.h>
#include <sofia-sip/tport.h>
#include <sofia-sip/tport_tag.h>

enum {
	NTA_MAX_LISTENERS = 32,
	NTA_RETRY_MS = 1000,
	/* A server transaction whose answer never comes: the control loop
	 * gives each one in time, but the queue to us may have been full. */
	NTA_LOOK_MS = 500,
	NTA_SWEEP_MS = 5000,
	NTA_OTHER_MS = 40000,
	NTA_INVITE_MS = 600000,
	/* TCP connections of others */
	NTA_TCP_ALL = 4096,
	NTA_TCP_SOURCE = 256,
	NTA_TCP_FIRST_MS = 30000,
	NTA_TCP_FRAME_MS = 20000,
	NTA_TCP_IDLE_MS = 7500000,	/* beyond TD_REG_MAX_S */
};

/** One address with UDP and TCP: an agent of its own, so that it can go
 *  away alone and so that what leaves through it has its address. */
struct nta_listener {
	struct td_nta *nta;
	uint32_t id;		/* 0: free */
	struct td_sip_peer at;
	nta_agent_t *agent;	/* NULL: could not be bound yet */
	uint32_t n_requests;
	usize_t kept;		/* server transactions, a while ago */
};

struct nta_tr {
	uint64_t id;
	struct nta_listener *l;
	nta_incoming_t *irq;	/* server */
	nta_outgoing_t *orq;	/* client */
	bool invite;
	int64_t since_ms;
};

struct td_nta {
	struct td_nta_cfg cfg;
	pthread_t thread;
	struct td_queue *up, *down;
	uint32_t n_up;		/* atomic: records in up */
	struct td_nta_stats st;	/* written by the thread, read atomically */
	/* the thread's: */
	su_root_t *root;
	su_timer_t *retry, *sweep;
	int64_t swept_ms;
	struct nta_listener listeners[NTA_MAX_LISTENERS];
	struct td_map *trs;	/* id -> nta_tr */
	struct td_conns *conns;
	uint64_t next_id;
	bool stop;
};

#define NTA_COUNT(n, field)                                                    \
	__atomic_fetch_add(&(n)->st.field, 1, __ATOMIC_RELAXED)
#define NTA_GAUGE(n, field, d)                                                 \
	__atomic_fetch_add(&(n)->st.field, (d), __ATOMIC_RELAXED)

/* nta.c */
size_t nta_text(const sip_t *sip, char *out, size_t size);
/** sip NULL: no text. Counts what does not fit. */
int nta_up(struct td_nta *n, const struct td_sip_up *head, const sip_t *sip);
struct nta_tr *nta_tr_new(struct nta_listener *l, uint64_t id);
void nta_tr_free(struct nta_tr *t);
struct nta_listener *nta_listener(struct td_nta *n, uint32_t id);

/* nta_in.c */
int nta_on_message(struct nta_listener *l, nta_agent_t *a, msg_t *msg,
		   sip_t *sip);
void nta_reply(struct td_nta *n, const struct td_sip_down *d);
void nta_forget(struct td_nta *n, uint64_t tr);
/** Ends server transactions that nobody answers. */
void nta_sweep(struct td_nta *n, int64_t now_ms);

/* nta_out.c */
void nta_request(struct td_nta *n, const struct td_sip_down *d);
void nta_ack(struct td_nta *n, const struct td_sip_down *d);
void nta_cancel(struct td_nta *n, const struct td_sip_down *d);

/* nta_hook.c */
/** Binds this thread's raw receive path to n's counters. */
void nta_hook_thread(struct td_nta *n);
/** Shuts connections that are slow or idle. */
void nta_hook_sweep(struct td_nta *n, int64_t now_ms);

#endif
