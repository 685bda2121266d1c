// SPDX-License-Identifier: GPL-2.0-or-later
#include "node/cdr/cdrs.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/cdr/cdr.h"
#include "proto/base/log.h"
#include "proto/base/str.h"

struct td_cdrs {
	struct td_cdrs_cfg cfg;
	char node[32];
	char name[16];			/* of a node that is in no view */
	uint64_t own, inherited, lost, bad;
};

/* --- to the disks --- */

/* Neither disk nor memory takes it: the log is the last that does. */
static void not_kept(struct td_cdrs *c, const Td__Call *row, int rc)
{
	c->lost++;
	td_err("cdr", "CDR-NOT-KEPT", "call=%016" PRIx64 " calling=%s "
	       "called=%s start_ms=%" PRIu64 " answered_ms=%" PRIu64 ": %s",
	       (uint64_t)row->id, row->calling, row->called,
	       (uint64_t)row->since_ms, (uint64_t)row->answered_ms,
	       strerror(-rc));
}

static uint64_t epoch_of(const struct td_cdrs *c)
{
	return td_view_index(td_cluster_view(c->cfg.cluster)).lineage;
}

static int submit(struct td_cdrs *c, const Td__Call *row, uint8_t *key,
		  uint8_t *data, size_t n)
{
	Td__SpoolRecord r = TD__SPOOL_RECORD__INIT;
	Td__CallEnd e = TD__CALL_END__INIT;
	Td__Op op = TD__OP__INIT;

	r.type = TD_SPOOL_CDR;
	r.key = (ProtobufCBinaryData){ TD_CDR_KEY_OCTETS, key };
	r.data = (ProtobufCBinaryData){ n, data };
	e.id = row->id;
	e.node = row->node;
	e.record = &r;
	op.what_case = TD__OP__WHAT_CALL_END;
	op.call_end = &e;
	return td_cluster_submit(c->cfg.cluster, &op);
}

/* Does nobody but this node apply what is submitted now? */
static bool alone(const struct td_cdrs *c)
{
	return !td_cluster_in_sync(c->cfg.cluster);
}

int td_cdrs_end(struct td_cdrs *c, const Td__Call *row, uint64_t *epoch)
{
	uint8_t key[TD_CDR_KEY_OCTETS], *data;
	size_t n;
	int rc, kept;

	if (!*epoch)
		*epoch = epoch_of(c);
	rc = td_cdr_pack(row, *epoch, true, td_cluster_now_ms(c->cfg.cluster),
			 &data, &n);
	if (rc)
		return rc;
	td_cdr_key(row, *epoch, true, key);
	kept = td_spool_put(td_spool_node_spool(c->cfg.spool),
			    td_spool_node_now_ms(), TD_SPOOL_CDR, key,
			    sizeof(key), data, n);
	rc = submit(c, row, key, data, n);
	free(data);
	if (!rc)
		c->own++;
	/* asked again, or the others may have room */
	if (kept && rc != -EAGAIN && rc != -ENOTCONN && (rc || alone(c)))
		not_kept(c, row, kept);
	return rc;
}

/* A dead node's half, from the row that it left. Each survivor applies the
 * same op to the same row, so nobody needs to tell anybody. */
static void inherit(struct td_cdrs *c, const Td__Call *row)
{
	const struct td_view *v = td_cluster_view(c->cfg.cluster);
	struct td_index i = td_view_index(v);
	uint8_t key[TD_CDR_KEY_OCTETS], *data;
	size_t n;
	int rc = td_cdr_pack(row, i.lineage, false, td_view_now_ms(v), &data,
			     &n);

	if (!rc) {
		td_cdr_key(row, i.lineage, false, key);
		rc = td_spool_agreed(td_spool_node_spool(c->cfg.spool),
				     td_spool_node_now_ms(), i.n, TD_SPOOL_CDR,
				     key, sizeof(key), data, n);
		free(data);
	}
	if (rc)
		not_kept(c, row, rc);
	else
		c->inherited++;
}

static void on_applied(void *arg, const Td__Op *op, uint32_t from)
{
	struct td_cdrs *c = arg;
	struct td_view_iter it = { 0 };
	const Td__Call *row;

	if (!op || (op->what_case != TD__OP__WHAT_NODE_GONE &&
		    op->what_case != TD__OP__WHAT_NODE))
		return;
	while ((row = td_view_ended_calls(td_cluster_view(c->cfg.cluster),
					  &it)))
		inherit(c, row);
}

/* --- to the database --- */

static const char *node_name(void *arg, uint32_t id)
{
	struct td_cdrs *c = arg;
	const Td__Node *n = td_view_node(td_cluster_view(c->cfg.cluster), id);

	if (n)
		return n->name;
	snprintf(c->name, sizeof(c->name), "node %u", id);
	return c->name;
}

static json_t *rows_of(struct td_cdrs *c, const struct td_spool_rec *recs,
		       size_t n)
{
	json_t *rows = json_array();

	for (size_t i = 0; rows && i < n; i++) {
		Td__CdrSet *set;
		int rc = td_cdr_set_unpack(recs[i].data, recs[i].n, &set);

		if (rc == -ENOMEM) {
			json_decref(rows);
			return NULL;
		}
		if (rc) {	/* its CRC was right: no program made this */
			c->bad++;
			td_err("cdr", "CDR-BAD", "octets=%zu: a record that is "
			       "none is dropped: %s", recs[i].n, strerror(-rc));
			continue;
		}
		rc = td_cdr_rows(set, node_name, c, rows);
		td_cdr_set_free(set);
		if (rc) {
			json_decref(rows);
			return NULL;
		}
	}
	return rows;
}

static int on_write(void *arg, const struct td_spool_rec *recs, size_t n,
		    uint64_t epoch, bool careful, td_spool_put_done_fn done,
		    void *done_arg)
{
	struct td_cdrs *c = arg;
	json_t *rows = rows_of(c, recs, n);
	char *text = rows ? json_dumps(rows, JSON_COMPACT) : NULL;
	int rc = -ENOMEM;

	json_decref(rows);
	if (text)
		rc = td_store_cdr_put(c->cfg.store, epoch, c->node, text,
				      careful, done, done_arg);
	free(text);
	return rc;
}

int td_cdrs_new(const struct td_cdrs_cfg *cfg, struct td_cdrs **out)
{
	struct td_cdrs *c = calloc(1, sizeof(*c));
	struct td_spool_sink sink = { .type = TD_SPOOL_CDR, .write = on_write,
				      .arg = c };
	int rc;

	if (!c)
		return -ENOMEM;
	c->cfg = *cfg;
	td_str_cut(c->node, sizeof(c->node), cfg->node);
	rc = td_spool_writer_add(td_spool_node_writer(cfg->spool), &sink);
	if (!rc)
		rc = td_cluster_watch(cfg->cluster, on_applied, c);
	if (rc) {
		free(c);
		return rc;
	}
	*out = c;
	return 0;
}

void td_cdrs_free(struct td_cdrs *c)
{
	free(c);
}

json_t *td_cdrs_dump(const struct td_cdrs *c)
{
	return json_pack("{s:I, s:I, s:I, s:I}", "own", (json_int_t)c->own,
			 "inherited", (json_int_t)c->inherited,
			 "lost", (json_int_t)c->lost,
			 "bad", (json_int_t)c->bad);
}
