// SPDX-License-Identifier: GPL-2.0-or-later
#include "node/records.h"

#include <errno.h>
#include <stdlib.h>

#include "cluster/spool/attach.h"
#include "node/api/cdr.h"
#include "node/cdr/cdrs.h"

struct td_records {
	struct td_records_cfg cfg;
	struct td_spool_node *spool;
	struct td_cdrs *cdrs;
	struct td_cdr_verbs *verbs;
};

static bool on_owner(void *arg, uint64_t *epoch)
{
	struct td_records *r = arg;
	uint64_t e = r->cfg.owns(r->cfg.arg);

	*epoch = e;
	return e != 0;
}

static bool on_ready(void *arg)
{
	struct td_records *r = arg;

	return r->cfg.store && td_store_ready(r->cfg.store);
}

static json_t *on_spool(void *arg)
{
	return td_records_dump(arg);
}

int td_records_new(const struct td_records_cfg *cfg, struct td_records **out)
{
	struct td_records *r = calloc(1, sizeof(*r));
	struct td_spool_node_cfg scfg = {
		.loop = cfg->loop, .cluster = cfg->cluster, .dir = cfg->dir,
		.owner = cfg->owns ? on_owner : NULL, .ready = on_ready,
		.arg = r,
	};
	struct td_cdrs_cfg ccfg = { .cluster = cfg->cluster,
				    .store = cfg->store, .node = cfg->node };
	struct td_cdr_verbs_cfg vcfg = { .store = cfg->store,
					 .spool = on_spool, .arg = r };
	int rc;

	if (!r)
		return -ENOMEM;
	r->cfg = *cfg;
	rc = td_spool_node_new(&scfg, &r->spool);
	ccfg.spool = r->spool;
	if (!rc)
		rc = td_cdrs_new(&ccfg, &r->cdrs);
	if (!rc)
		rc = td_cdr_verbs_new(cfg->control, &vcfg, &r->verbs);
	if (rc) {
		td_records_free(r);
		return rc;
	}
	*out = r;
	return 0;
}

static int on_end(void *arg, const Td__Call *row, uint64_t *epoch)
{
	return td_cdrs_end(arg, row, epoch);
}

void td_records_calls(struct td_records *r, struct td_calls_cfg *cfg)
{
	cfg->end = on_end;
	cfg->end_arg = r->cdrs;
}

void td_records_stop(struct td_records *r)
{
	if (r)
		td_spool_node_stop(r->spool);
}

void td_records_free(struct td_records *r)
{
	if (!r)
		return;
	td_cdr_verbs_free(r->verbs);
	td_spool_node_free(r->spool);
	td_cdrs_free(r->cdrs);
	free(r);
}

json_t *td_records_dump(const struct td_records *r)
{
	json_t *o = td_spool_node_dump(r->spool);

	json_object_set_new(o, "cdr", td_cdrs_dump(r->cdrs));
	return o;
}
