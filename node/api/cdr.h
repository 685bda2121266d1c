/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_API_CDR_H
#define TD_API_CDR_H

#include <jansson.h>

#include "cluster/store/store.h"
#include "node/api/control.h"

/** The verbs `cdr …`: what the database has, and what waits for it. */
struct td_cdr_verbs_cfg {
	struct td_store *store;		/* NULL: none is configured */
	/** Spool and writer of this node; new reference. */
	json_t *(*spool)(void *arg);
	void *arg;
};
struct td_cdr_verbs;

int td_cdr_verbs_new(struct td_control *control,
		     const struct td_cdr_verbs_cfg *cfg,
		     struct td_cdr_verbs **out);
/** After the control socket: no request comes any more. */
void td_cdr_verbs_free(struct td_cdr_verbs *v);

#endif
