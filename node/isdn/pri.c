// SPDX-License-Identifier: GPL-2.0-or-later
#include "node/isdn/pri.h"

#include <errno.h>
#include <libpri.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include "proto/base/log.h"
#include "proto/base/str.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define TD_LSAN 1
#endif
#endif
#if defined(TD_LSAN) || defined(__SANITIZE_ADDRESS__)
#include <sanitizer/lsan_interface.h>
#define no_leak(p) __lsan_ignore_object(p)
#else
#define no_leak(p) ((void)(p))
#endif

enum { FCS = 2, FRAME_MAX = 1024, CHANNEL_MASK = 0xff };

_Static_assert(TD_BEARER_AUDIO == PRI_TRANS_CAP_3_1K_AUDIO, "4.5.5");
_Static_assert(TD_LAYER1_ALAW == PRI_LAYER_1_ALAW, "4.5.5");
_Static_assert(TD_PRES_RESTRICTED == PRES_PROHIB_USER_NUMBER_NOT_SCREENED,
	       "4.5.10");
_Static_assert(TD_PRES_ALLOWED == PRES_ALLOWED_USER_NUMBER_NOT_SCREENED,
	       "4.5.10");

struct td_pri {
	struct pri *pri;
	struct td_pri_cfg cfg;
	const uint8_t *rx;
	size_t rx_n;
	uint64_t complaints;
};

static int on_read(struct pri *pri, void *buf, int len)
{
	struct td_pri *p = pri_get_userdata(pri);
	size_t n = p->rx_n;

	if (!p->rx || n + FCS > (size_t)len)
		return 0;
	memcpy(buf, p->rx, n);
	memset((char *)buf + n, 0, FCS);
	p->rx = NULL;
	return (int)n + FCS;
}

static int on_write(struct pri *pri, void *buf, int len)
{
	struct td_pri *p = pri_get_userdata(pri);

	if (len > FCS)
		p->cfg.tx(p->cfg.arg, buf, (size_t)len - FCS);
	return len;	/* a frame that is refused is LAPD's to repair */
}

/* Process-global in libpri; they hold no state, so setting them again for
 * each line changes nothing. */
static void on_message(struct pri *pri, char *s)
{
	td_debug("isdn", "libpri: %.*s", (int)strcspn(s, "\n"), s);
}

static void on_error(struct pri *pri, char *s)
{
	struct td_pri *p = pri ? pri_get_userdata(pri) : NULL;

	if (p)
		p->complaints++;
	td_debug("isdn", "libpri complains: %.*s", (int)strcspn(s, "\n"), s);
}

int td_pri_new(const struct td_pri_cfg *cfg, struct td_pri **out)
{
	struct td_pri *p = calloc(1, sizeof(*p));

	if (!p)
		return -ENOMEM;
	p->cfg = *cfg;
	pri_set_message(on_message);
	pri_set_error(on_error);
	p->pri = pri_new_cb(-1, cfg->network ? PRI_NETWORK : PRI_CPE,
			    PRI_SWITCH_EUROISDN_E1, on_read, on_write, p);
	if (!p->pri) {
		free(p);
		return -ENOMEM;
	}
	no_leak(p->pri);
	pri_set_overlapdial(p->pri, 1);
	pri_hangup_fix_enable(p->pri, 1);
	pri_connect_ack_enable(p->pri, 1);
	pri_set_timer(p->pri, PRI_TIMER_T309, (int)cfg->t309_ms);
	*out = p;
	return 0;
}

void td_pri_free(struct td_pri *p)
{
	free(p);
}

/* ---- events ---- */

static void set_channel(struct td_pri_event *ev, int encoded)
{
	if (encoded == -1)
		return;		/* any channel, or none was given */
	ev->channel = (uint32_t)encoded & CHANNEL_MASK;
	if (ev->channel == CHANNEL_MASK)
		ev->channel = 0;
	ev->iface = (uint32_t)encoded & 0x1ff00;
}

static int cause_of(int cause)
{
	return cause > 0 && cause < 128 ? cause : 0;
}

static void set_number(struct td_isdn_number *n, const char *digits, int plan,
		       int presentation)
{
	n->pres = (uint8_t)(presentation & 0x63);
	n->ton = (uint8_t)(plan >> 4 & 7);
	n->npi = (uint8_t)(plan & 15);
	n->restricted = (presentation & PRI_PRES_RESTRICTION) ==
			PRI_PRES_RESTRICTED;
	n->unavailable = (presentation & PRI_PRES_RESTRICTION) ==
			 PRI_PRES_UNAVAILABLE;
	td_isdn_digits(digits, n->digits, sizeof(n->digits));
}

static void set_ring(struct td_pri_event *ev, const pri_event_ring *r)
{
	ev->call = r->call;
	set_channel(ev, r->channel);
	ev->exclusive = !r->flexible;
	ev->complete = r->complete;
	set_number(&ev->called, r->callednum, r->calledplan, 0);
	if (ev->type != TD_PRI_SETUP)
		return;
	set_number(&ev->calling, r->callingnum, r->callingplan,
		   r->callingpres);
	ev->bearer = (uint8_t)r->ctype;
	ev->layer1 = r->layer1 > 0 ? (uint8_t)r->layer1 : 0;
	td_isdn_name(r->callingname, ev->name, sizeof(ev->name));
	ev->speech = (r->ctype == PRI_TRANS_CAP_SPEECH ||
		      r->ctype == PRI_TRANS_CAP_3_1K_AUDIO) &&
		     (r->layer1 == PRI_LAYER_1_ALAW || r->layer1 <= 0);
}

/* Progress indicator 1 (not end-to-end ISDN) and 8: listen; Q.931 5.1.6. */
static bool inband_of(int mask)
{
	return mask & (PRI_PROG_INBAND_AVAILABLE | PRI_PROG_CALL_NOT_E2E_ISDN);
}

static const enum td_pri_event_type type_of[] = {
	[PRI_EVENT_DCHAN_UP] = TD_PRI_UP,
	[PRI_EVENT_DCHAN_DOWN] = TD_PRI_DOWN,
	[PRI_EVENT_RESTART] = TD_PRI_RESTART,
	[PRI_EVENT_CONFIG_ERR] = TD_PRI_MISWIRED,
	[PRI_EVENT_RING] = TD_PRI_SETUP,
	[PRI_EVENT_HANGUP] = TD_PRI_RELEASED,
	[PRI_EVENT_RINGING] = TD_PRI_ALERTING,
	[PRI_EVENT_ANSWER] = TD_PRI_CONNECT,
	[PRI_EVENT_HANGUP_ACK] = TD_PRI_GONE,
	[PRI_EVENT_RESTART_ACK] = TD_PRI_RESTART_ACK,
	[PRI_EVENT_INFO_RECEIVED] = TD_PRI_INFO,
	[PRI_EVENT_PROCEEDING] = TD_PRI_PROCEEDING,
	[PRI_EVENT_SETUP_ACK] = TD_PRI_SETUP_ACK,
	[PRI_EVENT_HANGUP_REQ] = TD_PRI_DISCONNECT,
	[PRI_EVENT_PROGRESS] = TD_PRI_PROGRESS,
	[PRI_EVENT_KEYPAD_DIGIT] = TD_PRI_KEYPAD,
	[PRI_EVENT_CONNECT_ACK] = TD_PRI_CONNECT_ACK,
};

static bool convert(const pri_event *e, struct td_pri_event *ev)
{
	*ev = (struct td_pri_event){ 0 };
	if (!e || e->e <= 0 ||
	    (size_t)e->e >= sizeof(type_of) / sizeof(type_of[0]))
		return false;
	ev->type = type_of[e->e];
	switch (ev->type) {
	case TD_PRI_NONE:
		return false;
	case TD_PRI_UP:
	case TD_PRI_DOWN:
	case TD_PRI_MISWIRED:
		break;
	case TD_PRI_RESTART_ACK:
		set_channel(ev, e->restartack.channel);
		break;
	case TD_PRI_RESTART:
		ev->all_channels = e->restart.channel == -1;
		set_channel(ev, e->restart.channel);
		break;
	case TD_PRI_SETUP:
	case TD_PRI_INFO:
		set_ring(ev, &e->ring);
		break;
	case TD_PRI_KEYPAD:
		ev->call = e->digit.call;
		td_isdn_digits(e->digit.digits, ev->called.digits,
			       sizeof(ev->called.digits));
		break;
	case TD_PRI_SETUP_ACK:
		ev->call = e->setup_ack.call;
		set_channel(ev, e->setup_ack.channel);
		ev->inband = inband_of(e->setup_ack.progressmask);
		break;
	case TD_PRI_PROCEEDING:
	case TD_PRI_PROGRESS:
		ev->call = e->proceeding.call;
		set_channel(ev, e->proceeding.channel);
		ev->inband = inband_of(e->proceeding.progressmask);
		ev->cause = cause_of(e->proceeding.cause);
		break;
	case TD_PRI_ALERTING:
		ev->call = e->ringing.call;
		set_channel(ev, e->ringing.channel);
		ev->inband = inband_of(e->ringing.progressmask);
		break;
	case TD_PRI_CONNECT:
		ev->call = e->answer.call;
		set_channel(ev, e->answer.channel);
		break;
	case TD_PRI_CONNECT_ACK:
		ev->call = e->connect_ack.call;
		break;
	case TD_PRI_DISCONNECT:
	case TD_PRI_RELEASED:
	case TD_PRI_GONE:
		ev->call = e->hangup.call;
		ev->cause = cause_of(e->hangup.cause);
		break;
	}
	return true;
}

bool td_pri_input(struct td_pri *p, const uint8_t *frame, size_t n,
		  struct td_pri_event *ev)
{
	if (n + FCS > FRAME_MAX)
		return false;
	p->rx = frame;
	p->rx_n = n;
	return convert(pri_check_event(p->pri), ev);
}

bool td_pri_run(struct td_pri *p, struct td_pri_event *ev)
{
	return convert(pri_schedule_run(p->pri), ev);
}

int64_t td_pri_next_ms(struct td_pri *p)
{
	struct timeval *at = pri_schedule_next(p->pri), now;
	int64_t us;

	if (!at)
		return -1;
	gettimeofday(&now, NULL);
	us = (at->tv_sec - now.tv_sec) * INT64_C(1000000) + at->tv_usec -
	     now.tv_usec;
	return us <= 0 ? 0 : (us + 999) / 1000;
}

/* ---- calls ---- */

bool td_pri_valid(struct td_pri *p, void *call)
{
	int mode;

	return call && pri_get_crv(p->pri, call, &mode) >= 0;
}

uint32_t td_pri_cref(struct td_pri *p, void *call)
{
	int mode = 0, crv = pri_get_crv(p->pri, call, &mode);

	return crv < 0 ? 0 : (uint32_t)crv << 3 | (uint32_t)mode;
}

void *td_pri_call_new(struct td_pri *p)
{
	return pri_new_call(p->pri);
}

static int error_of(int rc)
{
	return rc ? -EINVAL : 0;
}

int td_pri_setup(struct td_pri *p, void *call, const struct td_pri_setup *s)
{
	struct td_isdn_number called = s->called, calling = s->calling;
	struct pri_sr *sr = pri_sr_new();
	int rc;

	if (!sr)
		return -ENOMEM;
	pri_sr_set_channel(sr, (int)s->channel, 0, 0);
	pri_sr_set_bearer(sr, TD_BEARER_AUDIO, TD_LAYER1_ALAW);
	pri_sr_set_called(sr, called.digits, called.ton << 4 | called.npi,
			  s->complete);
	if (calling.digits[0])
		pri_sr_set_caller(
			sr, calling.digits, NULL,
			calling.ton << 4 | calling.npi,
			calling.restricted ? TD_PRES_RESTRICTED :
					     TD_PRES_ALLOWED);
	rc = pri_setup(p->pri, call, sr);
	pri_sr_free(sr);
	return error_of(rc);
}

int td_pri_digits(struct td_pri *p, void *call, const char *digits)
{
	int rc = 0;

	for (; *digits && !rc; digits++)
		rc = pri_information(p->pri, call, *digits);
	return error_of(rc);
}

int td_pri_setup_ack(struct td_pri *p, void *call, uint32_t channel)
{
	return error_of(pri_setup_ack(p->pri, call, (int)channel, 0, 0));
}

int td_pri_proceeding(struct td_pri *p, void *call, uint32_t channel)
{
	return error_of(pri_proceeding(p->pri, call, (int)channel, 0));
}

int td_pri_progress(struct td_pri *p, void *call, uint32_t channel)
{
	return error_of(pri_progress(p->pri, call, (int)channel, 1));
}

int td_pri_alerting(struct td_pri *p, void *call, uint32_t channel,
		    bool inband)
{
	return error_of(pri_acknowledge(p->pri, call, (int)channel, inband));
}

int td_pri_connect(struct td_pri *p, void *call, uint32_t channel)
{
	return error_of(pri_answer(p->pri, call, (int)channel, 0));
}

int td_pri_connect_ack(struct td_pri *p, void *call)
{
	return error_of(pri_connect_ack(p->pri, call, 0));
}

int td_pri_hangup(struct td_pri *p, void *call, int cause)
{
	return error_of(pri_hangup(p->pri, call, cause));
}

bool td_pri_refusable(int cause)
{
	switch (cause) {
	case PRI_CAUSE_UNALLOCATED:
	case PRI_CAUSE_NORMAL_CIRCUIT_CONGESTION:
	case PRI_CAUSE_REQUESTED_CHAN_UNAVAIL:
	case PRI_CAUSE_IDENTIFIED_CHANNEL_NOTEXIST:
	case PRI_CAUSE_INCOMPATIBLE_DESTINATION:
		return true;
	}
	return false;
}

void td_pri_destroy(struct td_pri *p, void *call)
{
	if (td_pri_valid(p, call))
		pri_destroycall(p->pri, call);
}

int td_pri_restart(struct td_pri *p, uint32_t channel)
{
	return error_of(pri_reset(p->pri, (int)channel));
}

int td_pri_active_calls(struct td_pri *p)
{
	char *text = pri_dump_info_str(p->pri), *at;
	int n = -1;

	at = text ? strstr(text, "Total active-calls:") : NULL;
	if (at)
		n = atoi(at + strlen("Total active-calls:"));
	free(text);
	return n;
}

uint64_t td_pri_complaints(const struct td_pri *p)
{
	return p->complaints;
}
