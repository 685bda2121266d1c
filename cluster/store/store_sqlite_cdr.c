// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/store/store_sqlite.h"

/* Call detail records of a node that has no mate: nobody else makes any, so
 * that there is no writer to check and nothing to set aside. */

#define COLUMNS \
	"call_id, leg, leg_index, node, nodes, internal, kind, " \
	"direction, calling, called, number, peer, unit, span, " \
	"timeslot, codec, voice, start_ms, alerting_ms, answered_ms, " \
	"ended_ms, duration_ms, talk_ms, cause, sip_status, " \
	"cleared_by, generation, epoch, own"

static const char put_sql[] =
	"INSERT INTO cdr (" COLUMNS ") SELECT "
	"value ->> 'call_id', value ->> 'leg', "
	"value ->> 'leg_index', value ->> 'node', value ->> 'nodes', "
	"value ->> 'internal', value ->> 'kind', "
	"value ->> 'direction', value ->> 'calling', "
	"value ->> 'called', value ->> 'number', value ->> 'peer', "
	"value ->> 'unit', value ->> 'span', value ->> 'timeslot', "
	"value ->> 'codec', value ->> 'voice', value ->> 'start_ms', "
	"value ->> 'alerting_ms', value ->> 'answered_ms', "
	"value ->> 'ended_ms', value ->> 'duration_ms', "
	"value ->> 'talk_ms', value ->> 'cause', "
	"value ->> 'sip_status', value ->> 'cleared_by', "
	"value ->> 'generation', value ->> 'epoch', value ->> 'own'"
	" FROM json_each(?1) WHERE true "
	"ON CONFLICT (call_id, leg) DO UPDATE SET "
	"leg_index = excluded.leg_index, node = excluded.node, "
	"nodes = excluded.nodes, internal = excluded.internal, "
	"kind = excluded.kind, direction = excluded.direction, "
	"calling = excluded.calling, called = excluded.called, "
	"number = excluded.number, peer = excluded.peer, "
	"unit = excluded.unit, span = excluded.span, "
	"timeslot = excluded.timeslot, codec = excluded.codec, "
	"voice = excluded.voice, start_ms = excluded.start_ms, "
	"alerting_ms = excluded.alerting_ms, "
	"answered_ms = excluded.answered_ms, "
	"ended_ms = excluded.ended_ms, "
	"duration_ms = excluded.duration_ms, "
	"talk_ms = excluded.talk_ms, cause = excluded.cause, "
	"sip_status = excluded.sip_status, "
	"cleared_by = excluded.cleared_by, "
	"generation = excluded.generation, epoch = excluded.epoch, "
	"own = excluded.own"
	" WHERE (excluded.epoch, excluded.own) > (epoch, own)";

static const char refused_sql[] =
	"INSERT INTO cdr_refused (writer, reason, record) "
	"VALUES (?1, ?2, ?3)";

static const char list_sql[] =
	"SELECT coalesce(json_group_array(json(o)), '[]') FROM (SELECT "
	"json_object('id', call_id, "
	"'start_ms', start_ms, 'calling', calling, 'called', called, "
	"'reached', reached, "
	"'answered', json(iif(answered, 'true', 'false')), "
	"'talk_ms', talk_ms, 'duration_ms', duration_ms, "
	"'cause', cause, 'sip_status', sip_status, "
	"'cleared_by', cleared_by, 'from_kind', from_kind, "
	"'from_unit', from_unit, 'to_kind', to_kind, "
	"'to_unit', to_unit, 'to_timeslot', to_timeslot, "
	"'voice', voice"
	") AS o FROM cdr_call WHERE ?2 = '' OR calling = ?2 OR called = ?2 OR "
	"reached = ?2 ORDER BY start_ms DESC LIMIT ?1)";

static const char show_sql[] =
	"SELECT coalesce(json_group_array(json(o)), '[]') FROM (SELECT "
	"json_object("
	"'call_id', call_id, 'leg', leg, 'leg_index', leg_index, "
	"'node', node, 'nodes', nodes, "
	"'internal', json(iif(internal, 'true', 'false')), "
	"'kind', kind, 'direction', direction, 'calling', calling, "
	"'called', called, 'number', number, 'peer', peer, "
	"'unit', unit, 'span', span, 'timeslot', timeslot, "
	"'codec', codec, 'voice', voice, 'start_ms', start_ms, "
	"'alerting_ms', alerting_ms, 'answered_ms', answered_ms, "
	"'ended_ms', ended_ms, 'duration_ms', duration_ms, "
	"'talk_ms', talk_ms, 'cause', cause, "
	"'sip_status', sip_status, 'cleared_by', cleared_by, "
	"'generation', generation, 'epoch', epoch, "
	"'own', json(iif(own, 'true', 'false'))"
	") AS o FROM cdr WHERE call_id = ?1 ORDER BY start_ms, leg)";

static int prepare(sqlite3 *db, const char *sql, sqlite3_stmt **st)
{
	return sqlite3_prepare_v2(db, sql, -1, st, NULL);
}

static void bind_text(sqlite3_stmt *st, int i, const char *s)
{
	sqlite3_bind_text(st, i, s, -1, SQLITE_STATIC);
}

static int put(sqlite3 *db, const char *rows)
{
	sqlite3_stmt *st;
	int rc = prepare(db, put_sql, &st);

	if (rc)
		return rc;
	bind_text(st, 1, rows);
	rc = sqlite3_step(st);
	sqlite3_finalize(st);
	return rc;
}

static int refuse(sqlite3 *db, const struct store_job *job, const char *row)
{
	sqlite3_stmt *st;
	int rc;

	/* before the next statement takes the words away */
	char *why = strdup(sqlite3_errmsg(db));

	rc = prepare(db, refused_sql, &st);
	if (!rc) {
		bind_text(st, 1, job->who);
		bind_text(st, 2, why ? why : "");
		bind_text(st, 3, row);
		rc = sqlite3_step(st);
		sqlite3_finalize(st);
	}
	free(why);
	return rc;
}

/* One by one: what a check refuses is put aside. */
static int put_careful(sqlite3 *db, const struct store_job *job)
{
	sqlite3_stmt *st;
	int rc = prepare(db, "SELECT json_array(json(value)) FROM "
			     "json_each(?1)", &st);

	if (rc)
		return rc;
	bind_text(st, 1, job->rows);
	while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
		const char *row = (const char *)sqlite3_column_text(st, 0);

		rc = put(db, row);
		if ((rc & 0xff) == SQLITE_CONSTRAINT)
			rc = refuse(db, job, row);
		if (rc != SQLITE_DONE)
			break;
	}
	sqlite3_finalize(st);
	return rc;
}

static int read_text(sqlite3 *db, struct store_job *job)
{
	bool list = job->what == STORE_CDR_LIST;
	sqlite3_stmt *st;
	int rc = prepare(db, list ? list_sql : show_sql, &st);

	if (rc)
		return store_sqlite_errno(rc);
	if (list)
		sqlite3_bind_int64(st, 1, job->limit);
	bind_text(st, list ? 2 : 1, job->user);
	rc = sqlite3_step(st);
	if (rc == SQLITE_ROW) {
		job->text = strdup((const char *)sqlite3_column_text(st, 0));
		rc = job->text ? SQLITE_DONE : SQLITE_NOMEM;
	}
	sqlite3_finalize(st);
	return store_sqlite_errno(rc);
}

int store_sqlite_cdr(sqlite3 *db, struct store_job *job)
{
	int rc;

	if (job->what != STORE_CDR_PUT)
		return read_text(db, job);
	rc = job->force ? put_careful(db, job) : put(db, job->rows);
	/* a statement that fails takes back what it did, not the batch */
	return (rc & 0xff) == SQLITE_CONSTRAINT ? -EINVAL :
						  store_sqlite_errno(rc);
}
