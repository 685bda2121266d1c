/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Stand-ins for the leg rooms and the media room: they write down what they
 * are told, one word a command, and say what a test makes them say. */
#ifndef TD_TEST_FAKE_H
#define TD_TEST_FAKE_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/call/calls.h"
#include "solo.h"

struct fake_leg {
	struct td_leg leg;
	struct world *w;
	char name;
	bool cleared, freed;
	struct td_setup setup;
	struct td_session told;		/* last session it was given */
	int cause;
};

struct world {
	struct solo solo;
	struct td_calls *calls;
	char trace[2048];
	struct fake_leg *made[16];
	unsigned int n_made;
	int setup_rc;			/* what the next setups return */
	int probe_rc;			/* and probes */
	td_voice_silent_fn silent;
	void *silent_arg;
	struct td_voice_rtp set;	/* last one */
	uint32_t next_rtp, open_rtp;
};

static inline void note(struct world *w, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
static inline void note(struct world *w, const char *fmt, ...)
{
	size_t n = strlen(w->trace);
	va_list ap;

	if (n) {
		w->trace[n++] = ' ';
		w->trace[n] = '\0';
	}
	va_start(ap, fmt);
	vsnprintf(w->trace + n, sizeof(w->trace) - n, fmt, ap);
	va_end(ap);
}

#define FAKE(l) struct fake_leg *f = (struct fake_leg *)(l)

static inline void fake_keep(struct fake_leg *f, const struct td_session *s)
{
	memset(&f->told, 0, sizeof(f->told));
	if (s)
		f->told = *s;
}

static inline int fake_setup(struct td_leg *l, const struct td_setup *s)
{
	FAKE(l);

	note(f->w, "%c.setup", f->name);
	f->setup = *s;
	return f->w->setup_rc ? f->w->setup_rc :
				l->up->checkpoint(l->up->arg, l);
}

static inline int fake_more(struct td_leg *l)
{
	FAKE(l);

	note(f->w, "%c.more", f->name);
	return 0;
}

static inline int fake_proceeding(struct td_leg *l)
{
	FAKE(l);

	note(f->w, "%c.proceeding", f->name);
	return 0;
}

#define FAKE_WITH_SESSION(verb)                                                \
	static inline int fake_##verb(struct td_leg *l,                        \
				      const struct td_session *s)              \
	{                                                                      \
		FAKE(l);                                                       \
                                                                               \
		fake_keep(f, s);                                               \
		note(f->w, "%c." #verb "%s", f->name, s ? "+sdp" : "");        \
		return 0;                                                      \
	}
FAKE_WITH_SESSION(progress)
FAKE_WITH_SESSION(alerting)
FAKE_WITH_SESSION(answer)
FAKE_WITH_SESSION(offer)

static inline int fake_offer_reply(struct td_leg *l, int cause,
				   const struct td_session *s)
{
	FAKE(l);

	fake_keep(f, s);
	note(f->w, "%c.reply(%d)", f->name, cause);
	return 0;
}

static inline int fake_dtmf(struct td_leg *l, char digit)
{
	FAKE(l);

	note(f->w, "%c.dtmf(%c)", f->name, digit);
	return 0;
}

static inline int fake_probe(struct td_leg *l)
{
	FAKE(l);

	note(f->w, "%c.probe", f->name);
	return f->w->probe_rc;
}

static inline void fake_clear(struct td_leg *l, int cause, unsigned int retry)
{
	FAKE(l);

	f->cleared = true;
	f->cause = cause;
	note(f->w, "%c.clear(%d)", f->name, cause);
}

static inline void fake_checkpoint(struct td_leg *l, Td__CallLeg *out)
{
	FAKE(l);
	static char names[26][2];

	names[f->name - 'A'][0] = f->name;
	out->kind = TD__LEG_KIND__LEG_SIP;
	out->peer = names[f->name - 'A'];
}

static inline void fake_free(struct td_leg *l)
{
	FAKE(l);

	f->freed = true;
}

static const struct td_leg_ops fake_ops = {
	.kind = "fake", .setup = fake_setup, .more_digits = fake_more,
	.proceeding = fake_proceeding, .progress = fake_progress,
	.alerting = fake_alerting, .answer = fake_answer, .offer = fake_offer,
	.offer_reply = fake_offer_reply, .dtmf = fake_dtmf,
	.probe = fake_probe,
	.clear = fake_clear, .checkpoint = fake_checkpoint, .free = fake_free,
};

static inline struct fake_leg *fake_new(struct world *w)
{
	struct fake_leg *f = calloc(1, sizeof(*f));

	f->leg.ops = &fake_ops;
	f->leg.up = td_calls_up(w->calls);
	f->w = w;
	f->name = 'A' + w->n_made;
	w->made[w->n_made++] = f;
	return f;
}

static inline int fake_leg_new(void *room, struct td_leg **out)
{
	*out = &fake_new(room)->leg;
	return 0;
}

static inline void say(struct fake_leg *f, enum td_leg_event_type type,
		       int cause, const struct td_session *s)
{
	struct td_leg_event ev = { .type = type, .cause = cause,
				   .session = s };

	f->leg.up->event(f->leg.up->arg, &f->leg, &ev);
}

/* ---- media ---- */

static inline int fake_rtp_open(void *m, const char *address, uint32_t *id,
				uint16_t *port)
{
	struct world *w = m;

	w->open_rtp++;
	*id = ++w->next_rtp;
	*port = 20000 + 2 * *id;
	note(w, "open(%s)", address);
	return 0;
}

static inline int fake_rtp_set(void *m, uint32_t id,
			       const struct td_voice_rtp *p)
{
	((struct world *)m)->set = *p;
	note(m, "set(%u,%s:%u,%u%s%s)", id, p->remote, p->remote_port,
	     p->codec, p->send ? "" : ",mute", p->recv ? "" : ",deaf");
	return 0;
}

static inline void fake_rtp_close(void *m, uint32_t id)
{
	struct world *w = m;

	w->open_rtp--;
}

static inline void fake_end(char *out, const struct td_voice_end *e)
{
	if (e->kind == TD_VOICE_RTP)
		sprintf(out, "rtp%u", e->rtp);
	else if (e->kind == TD_VOICE_SLOT)
		sprintf(out, "slot%u.%u", e->port, e->timeslot);
	else
		strcpy(out, "echo");
}

static inline int fake_join(void *m, const struct td_voice_end *a,
			    const struct td_voice_end *b)
{
	char x[32], y[32];

	fake_end(x, a);
	fake_end(y, b);
	note(m, "join(%s,%s)", x, y);
	return 0;
}

static inline void fake_part(void *m, const struct td_voice_end *a)
{
}

static inline int fake_stats(void *m, const struct td_voice_end *e,
			     struct td_voice_stats *out)
{
	return -ENOENT;
}

static inline int fake_start(void *m, uint32_t id, struct td_voice_start *out)
{
	*out = (struct td_voice_start){ .ssrc = 0x5500 + id, .ts = 8000 * id,
					.seq = 100 * id };
	return 0;
}

static inline void fake_watch(void *m, td_voice_silent_fn fn, void *arg)
{
	struct world *w = m;

	w->silent = fn;
	w->silent_arg = arg;
}

#endif
