/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_SPOOL_WRITER_H
#define TD_SPOOL_WRITER_H

#include "cluster/spool/spool.h"

/** Brings the spool into the database: the role unit "spool". In order, in
 *  bounded batches, one transaction each; after an outage it begins at a
 *  random moment of a second and rests between batches. A writer that dies
 *  between COMMIT and spool_done is followed by one that writes the same
 *  again: keys make that harmless. */
struct td_spool_writer;

/** Ends exactly once: 0: committed; -ESTALE: the database knows a writer of a
 *  later epoch; -EINVAL: the database refuses a value in it; others: nobody
 *  knows, or it is away. */
typedef void (*td_spool_put_done_fn)(void *arg, int status);

/** Where the records of one type go. */
struct td_spool_sink {
	uint32_t type;
	/** @param careful  a value was refused: put aside what is, write the
	 *  rest
	 *  @return 0: done will be called; negative errno: it will not */
	int (*write)(void *arg, const struct td_spool_rec *recs, size_t n,
		     uint64_t epoch, bool careful, td_spool_put_done_fn done,
		     void *done_arg);
	void *arg;
};

struct td_spool_writer_env {
	struct td_spool *spool;
	/** Is this node the writer now, and at which epoch? ha's owned(). */
	bool (*owner)(void *arg, uint64_t *epoch);
	bool (*ready)(void *arg);	/* the database is there */
	uint32_t (*random)(void *arg);
	void *arg;
};

int td_spool_writer_new(const struct td_spool_writer_env *env,
			struct td_spool_writer **out);
void td_spool_writer_free(struct td_spool_writer *w);
/** @return 0, -ENOSPC, -EEXIST */
int td_spool_writer_add(struct td_spool_writer *w,
			const struct td_spool_sink *sink);
/** As often as td_spool_turn. */
void td_spool_writer_turn(struct td_spool_writer *w, int64_t now_ms);

enum td_spool_writer_state {
	TD_WRITER_NOT_OWNER,
	TD_WRITER_AWAY,		/* no database */
	TD_WRITER_IDLE,
	TD_WRITER_READING,
	TD_WRITER_WRITING,
	TD_WRITER_RESTING,	/* after a failure */
};
struct td_spool_writer_stats {
	enum td_spool_writer_state state;
	uint64_t batches, written, failures, careful, stale;
	int last_status;
};
void td_spool_writer_stats(const struct td_spool_writer *w,
			   struct td_spool_writer_stats *out);
json_t *td_spool_writer_dump(const struct td_spool_writer *w);

#endif
