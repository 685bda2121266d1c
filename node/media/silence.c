// SPDX-License-Identifier: GPL-2.0-or-later
#include "node/media/count.h"
#include "node/media/media_priv.h"
#include "proto/base/clock.h"

/* Parties of which nothing is heard. The media thread publishes when it last
 * heard one; here, in the control loop, is looked now and then. RTCP counts:
 * who sends no voice in a pause (RFC 3389) still reports. */

enum { LOOK_MS = 1000 };

void td_silence_set(struct td_stream *s, int64_t now_ms)
{
	s->ctl.quiet_ms = now_ms;
}

void td_silence_run(struct td_media *m, int64_t now_ms)
{
	size_t pos = 0;
	struct td_stream *s;

	while ((s = td_map_next(m->streams, &pos))) {
		int64_t limit = (int64_t)s->ctl.set.silence_s * 1000;
		int64_t heard = td_counted(&s->pub_heard_ms), since;

		if (!limit)
			continue;
		if (heard > s->ctl.quiet_ms)
			s->ctl.quiet_ms = heard;
		since = s->ctl.quiet_ms;
		if (now_ms - since < limit)
			continue;
		s->ctl.quiet_ms = now_ms;
		if (m->silent)
			m->silent(m->silent_arg, s->id,
				  (uint32_t)(now_ms - since));
	}
}

static void on_look(void *arg)
{
	struct td_media *m = arg;

	td_timer_start(m->cfg.loop, &m->silence, LOOK_MS, on_look, m);
	td_silence_run(m, td_clock_boot_ms());
}

void td_silence_watch(void *arg, td_voice_silent_fn fn, void *fn_arg)
{
	struct td_media *m = arg;

	m->silent = fn;
	m->silent_arg = fn_arg;
	if (fn)
		td_timer_start(m->cfg.loop, &m->silence, LOOK_MS, on_look, m);
	else
		td_timer_stop(&m->silence);
}
