// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/store/store_job.h"

/* Call detail records: the calls of store.h. */

static int with_texts(struct store_job *job, char **a, const char *va,
		      char **b, const char *vb)
{
	if (!job)
		return -ENOMEM;
	*a = strdup(va);
	if (b)
		*b = strdup(vb);
	if (*a && (!b || *b))
		return 0;
	store_job_free(job);
	return -ENOMEM;
}

int td_store_cdr_put(struct td_store *s, uint64_t epoch, const char *node,
		     const char *rows, bool careful, td_store_done_fn fn,
		     void *arg)
{
	struct store_job *job = store_job_new(STORE_CDR_PUT, arg);
	int rc = with_texts(job, job ? &job->who : NULL, node,
			    job ? &job->rows : NULL, rows);

	if (rc)
		return rc;
	job->on_done = fn;
	job->number = epoch < INT64_MAX ? epoch : INT64_MAX;
	job->force = careful;
	return store_job_submit(s, job);
}

int td_store_cdr_list(struct td_store *s, unsigned int limit,
		      const char *number, td_store_text_fn fn, void *arg)
{
	struct store_job *job = store_job_new(STORE_CDR_LIST, arg);
	int rc = with_texts(job, job ? &job->user : NULL, number, NULL, NULL);

	if (rc)
		return rc;
	job->on_text = fn;
	job->limit = limit < STORE_MAX_LIST ? limit : STORE_MAX_LIST;
	return store_job_submit(s, job);
}

int td_store_cdr_show(struct td_store *s, const char *call_id,
		      td_store_text_fn fn, void *arg)
{
	struct store_job *job = store_job_new(STORE_CDR_SHOW, arg);
	int rc = with_texts(job, job ? &job->user : NULL, call_id, NULL, NULL);

	if (rc)
		return rc;
	job->on_text = fn;
	return store_job_submit(s, job);
}
