/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_STORE_H
#define TD_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cluster/store/site.h"
#include "proto/base/loop.h"
#include "proto/td_codec.h"

/** What must outlive the cluster, behind one interface: PostgreSQL
 *  (store_pg.c) or SQLite (store_sqlite.c). Nothing blocks the loop; every
 *  callback runs in it, once, never before the call returns. */
struct td_store;

struct td_generation {
	uint64_t number;	/* 1.. */
	int64_t at_ms;
	char author[64];
	char comment[256];
	uint8_t sha256[32];
	uint8_t secret[32];	/* the cluster's, not of the document: made
				 * with the first generation and the same in
				 * all that follow; zero: none; not in lists */
	char *content;		/* site document, n octets; NULL in lists */
	size_t n;
};

/** @param uri "postgresql://…" or "sqlite:/var/lib/tandem/site.db"
 *  Opens and migrates in the background; a server that is away is tried
 *  again, and meanwhile calls fail with -ENOTCONN at once.
 *  @return 0, -EINVAL: the uri */
int td_store_open(struct td_loop *loop, const char *uri,
		  struct td_store **out);
void td_store_close(struct td_store *s);
bool td_store_ready(const struct td_store *s);
/** Human-readable last error, "" if none. */
const char *td_store_error(const struct td_store *s);
/** fn when ready or away changes, and when somebody else wrote a generation
 *  or edited the tables (PostgreSQL: LISTEN/NOTIFY; SQLite: within a second).
 *  Looking at the time of "ready" finds what was missed. */
void td_store_watch(struct td_store *s, void (*fn)(void *arg), void *arg);

/** status 0 or negative errno; g is valid during the call only. */
typedef void (*td_store_generation_fn)(void *arg, int status,
				       const struct td_generation *g, size_t n);
typedef void (*td_store_done_fn)(void *arg, int status);

/** Newest generation; status -ENOENT: none yet. */
int td_store_generation_last(struct td_store *s, td_store_generation_fn fn,
			     void *arg);
int td_store_generation_get(struct td_store *s, uint64_t number,
			    td_store_generation_fn fn, void *arg);
/** Newest first, without content. */
int td_store_generation_list(struct td_store *s, unsigned int limit,
			     td_store_generation_fn fn, void *arg);

/** The configuration's tables (deploy/sql): the working copy, equal to the
 *  newest generation or an edit of it that is none yet. Everybody who may use
 *  the database may edit; each edit is counted. */
struct td_tables {
	uint64_t serial;	/* of the last edit */
	uint64_t applied;	/* of the edit that is a generation: another
				 * than serial: edits pend */
	uint64_t refused;	/* of the edit that did not pass */
	uint64_t generation;	/* what the tables were last equal to, 0: they
				 * were never filled */
	uint64_t last;		/* newest generation stored, 0: none */
	int64_t edited_ms;
	char edited_by[64];
	json_t *rows;		/* for td_site_from_rows */
};
/** status 0 or negative errno; t is valid during the call only. */
typedef void (*td_store_tables_fn)(void *arg, int status,
				   const struct td_tables *t);
int td_store_tables(struct td_store *s, td_store_tables_fn fn, void *arg);

/** A generation and the tables that belong to it, both or neither. */
struct td_store_put {
	const struct td_generation *gen;	/* NULL: the tables alone */
	uint64_t base;		/* with gen NULL: what the tables become */
	const struct td_site *site;	/* what the tables become; NULL: they
					 * stay, and are what it was made of */
	uint64_t serial;	/* with site NULL: the edit that was read */
	bool force;		/* drops edits that pend */
	const char *who;	/* for the history of rows */
};
/** status -EEXIST: that number or a later one is stored; -ESTALE: the tables
 *  were edited since `serial`; -EBUSY: edits pend that are no generation;
 *  -ETXTBSY: a transaction of somebody else holds the tables; -EINVAL: the
 *  database's rules do not allow it, td_store_error says why; -EIO,
 *  -ETIMEDOUT: nobody knows whether it was done. */
int td_store_put(struct td_store *s, const struct td_store_put *p,
		 td_store_done_fn fn, void *arg);

/** Why edits did not pass. */
struct td_refusal {
	int64_t at_ms;
	uint64_t serial;
	char by[64], where[128], what[256];
};
/** Notes why edit `serial` does not pass, once. status 0 also if it was noted
 *  already or is not the last one any more. */
int td_store_refuse(struct td_store *s, uint64_t serial,
		    const struct td_problems *p, td_store_done_fn fn,
		    void *arg);
typedef void (*td_store_refusals_fn)(void *arg, int status,
				     const struct td_refusal *r, size_t n);
/** Newest first. */
int td_store_refusals(struct td_store *s, unsigned int limit,
		      td_store_refusals_fn fn, void *arg);

/** Registrations of a solo node (SQLite only; -ENOSYS on PostgreSQL, where
 *  the mate holds them). */
int td_store_contact_put(struct td_store *s, const Td__Contact *c,
			 td_store_done_fn fn, void *arg);
int td_store_contact_del(struct td_store *s, const char *user, const char *uri,
			 td_store_done_fn fn, void *arg);
/** Drops what had expired at now_ms. */
int td_store_contacts_expire(struct td_store *s, int64_t now_ms,
			     td_store_done_fn fn, void *arg);
typedef void (*td_store_contacts_fn)(void *arg, int status,
				     Td__Contact *const *c, size_t n);
int td_store_contacts(struct td_store *s, td_store_contacts_fn fn, void *arg);

/** Call detail records, as an array of rows of the table cdr (deploy/sql), in
 *  one transaction. A row that is there stays, unless the new one's (epoch,
 *  own) is greater; the other is kept aside. Twice the same does no harm.
 *  @param epoch of the writer, 0: there are no roles. node: its name
 *  @param careful  put aside what the database's checks refuse
 *  status -ESTALE: a writer of a later epoch is known; -EINVAL: not careful,
 *  and a check refuses something */
int td_store_cdr_put(struct td_store *s, uint64_t epoch, const char *node,
		     const char *rows, bool careful, td_store_done_fn fn,
		     void *arg);
/** text: JSON, valid during the call, NULL on failure. */
typedef void (*td_store_text_fn)(void *arg, int status, const char *text);
/** The newest calls, as an array; number: of those only that it called, or
 *  was called by; "" all. */
int td_store_cdr_list(struct td_store *s, unsigned int limit,
		      const char *number, td_store_text_fn fn, void *arg);
/** All rows of one call (16 hexadecimal digits), as an array. */
int td_store_cdr_show(struct td_store *s, const char *call_id,
		      td_store_text_fn fn, void *arg);

/** The last good generation on the node's own disk: write to a temporary
 *  file, fsync, rename. dir is /var/lib/tandem. */
int td_lastgood_save(const char *dir, const struct td_generation *g);
/** @param[out] g content malloc'ed. -ENOENT: none; -EBADMSG: the checksum
 *  does not fit */
int td_lastgood_load(const char *dir, struct td_generation *g);
void td_generation_clear(struct td_generation *g);
/** SHA-256 of a document. */
void td_generation_hash(const void *content, size_t n, uint8_t sha256[32]);

#endif
