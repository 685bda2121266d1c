// SPDX-License-Identifier: GPL-2.0-or-later
#include "node/media/count.h"
#include "node/media/media_priv.h"
#include "node/media/media.h"
#include "proto/base/queue.h"

static json_t *end_json(const struct td_voice_end *e)
{
	switch (e->kind) {
	case TD_VOICE_RTP:
		return json_pack("{s:s, s:i}", "kind", "rtp", "id",
				 (int)e->rtp);
	case TD_VOICE_SLOT:
		return json_pack("{s:s, s:i, s:i}", "kind", "slot", "port",
				 (int)e->port, "timeslot", (int)e->timeslot);
	case TD_VOICE_ECHO:
		return json_pack("{s:s}", "kind", "echo");
	default:
		return json_null();
	}
}

static json_t *count(uint64_t *v)
{
	return json_integer(td_counted(v));
}

static json_t *stats_json(struct td_voice_stats *p)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
			 "rx_packets", count(&p->rx_packets), "tx_packets",
			 count(&p->tx_packets), "rx_lost", count(&p->rx_lost),
			 "rx_late", count(&p->rx_late), "rx_duplicate",
			 count(&p->rx_duplicate), "rx_malformed",
			 count(&p->rx_malformed), "rx_foreign",
			 count(&p->rx_foreign), "concealed_ms",
			 count(&p->concealed_ms), "slips_ms",
			 count(&p->slips_ms));
}

static json_t *stream_json(struct td_stream *s)
{
	struct td_voice_stats *p = &s->pub;
	char local[TD_ADDR_TEXT];
	json_t *o = stats_json(p);

	if (!o)
		return NULL;
	json_object_set_new(o, "id", json_integer(s->id));
	json_object_set_new(o, "local",
			    json_string(td_addr_text(&s->ctl.local, local)));
	json_object_set_new(o, "remote", json_string(s->ctl.set.remote));
	json_object_set_new(o, "remote_port",
			    json_integer(s->ctl.set.remote_port));
	json_object_set_new(o, "codec", json_integer(s->ctl.set.codec));
	json_object_set_new(o, "ssrc", json_integer(s->ssrc));
	json_object_set_new(o, "jitter_us",
			    json_integer(td_counted32(&p->jitter_us)));
	json_object_set_new(o, "depth_ms",
			    json_integer(td_counted32(&p->depth_ms)));
	json_object_set_new(o, "rtt_us",
			    json_integer(td_counted32(&p->rtt_us)));
	json_object_set_new(o, "joined", end_json(&s->ctl.peer));
	return o;
}

static json_t *slots_json(struct td_media *m)
{
	json_t *a = json_array();

	for (unsigned int i = 0; i < m->ports * TD_SPAN_SLOTS; i++) {
		struct td_slot *s = &m->slots[i];
		json_t *o;

		if (!s->ctl.peer.kind)
			continue;
		o = stats_json(&s->pub);
		json_object_set_new(o, "port", json_integer(s->port));
		json_object_set_new(o, "timeslot", json_integer(s->timeslot));
		json_object_set_new(o, "joined", end_json(&s->ctl.peer));
		json_array_append_new(a, o);
	}
	return a;
}

json_t *td_media_dump(struct td_media *m)
{
	struct td_engine_counts n;
	json_t *streams = json_array(), *ports = json_array();
	struct td_stream *s;
	size_t pos = 0;

	while ((s = td_map_next(m->streams, &pos)))
		json_array_append_new(streams, stream_json(s));
	for (unsigned int i = 0; i < m->n_addresses; i++) {
		char text[TD_ADDR_TEXT];

		json_array_append_new(ports, json_pack("{s:s, s:i}",
			"address", td_addr_text(&m->address[i]->addr, text),
			"used", (int)m->address[i]->ports.used));
	}
	td_engine_counts(m->engine, &n);
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:o,"
			 " s:o}",
			 "turns", (json_int_t)n.turns,
			 "ticks", (json_int_t)n.ticks,
			 "commands", (json_int_t)n.commands,
			 "commands_sent", (json_int_t)m->sent,
			 "commands_refused", (json_int_t)m->refused,
			 "joins_failed", (json_int_t)n.join_failed,
			 "send_refused", (json_int_t)n.send_refused,
			 "longest_tick_us", (json_int_t)n.longest_us,
			 "addresses", ports, "streams", streams, "slots",
			 slots_json(m));
}
