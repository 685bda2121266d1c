// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/store/store_sqlite.h"
#include "proto/base/clock.h"
#include "proto/base/str.h"

/* What PostgreSQL does by functions of its own (deploy/sql/pg/003_config.sql)
 * is done here row by row. */

static const struct {
	const char *name;
	const char *key[2];	/* columns that tell rows apart */
} tables[] = {
	{ "site" },
	{ "node", { "name" } },
	{ "class", { "name" } },
	{ "class_allow", { "class", "prefix" } },
	{ "class_deny", { "class", "prefix" } },
	{ "line", { "name" } },
	{ "line_node", { "line", "node" } },
	{ "address", { "name" } },
	{ "address_node", { "address", "node" } },
	{ "extension", { "first" } },
	{ "ddi", { "first" } },
	{ "route", { "prefix" } },
	{ "route_line", { "route", "line" } },
	{ "service", { "number" } },
};
enum { N_TABLES = sizeof(tables) / sizeof(*tables) };

static sqlite3_stmt *prepare(sqlite3 *db, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
static sqlite3_stmt *prepare(sqlite3 *db, const char *fmt, ...)
{
	sqlite3_stmt *st = NULL;
	va_list ap;
	char *sql;

	va_start(ap, fmt);
	if (vasprintf(&sql, fmt, ap) < 0)
		sql = NULL;
	va_end(ap);
	if (sql)
		sqlite3_prepare_v2(db, sql, -1, &st, NULL);
	free(sql);
	return st;
}

/* Runs a statement that gives no rows; ends it. */
static int finish(sqlite3 *db, sqlite3_stmt *st)
{
	int rc = st ? sqlite3_step(st) : sqlite3_errcode(db);

	sqlite3_finalize(st);
	return rc == SQLITE_DONE ? 0 : rc ? store_sqlite_errno(rc) : -ENOMEM;
}

static int exec(sqlite3 *db, const char *sql)
{
	return store_sqlite_errno(sqlite3_exec(db, sql, NULL, NULL, NULL));
}

/* ---- reading ---- */

static json_t *value(sqlite3_stmt *st, int i)
{
	json_t *v;

	switch (sqlite3_column_type(st, i)) {
	case SQLITE_NULL:
		return json_null();
	case SQLITE_INTEGER:
		return json_integer(sqlite3_column_int64(st, i));
	case SQLITE_TEXT:
		v = json_stringn((const char *)sqlite3_column_text(st, i),
				 sqlite3_column_bytes(st, i));
		/* not UTF-8: a value that fits nowhere, and is told so */
		return v ? v : json_array();
	default:
		return json_array();
	}
}

static json_t *row(sqlite3_stmt *st)
{
	json_t *o = json_object();

	for (int i = 0; o && i < sqlite3_column_count(st); i++) {
		const char *name = sqlite3_column_name(st, i);

		if (strcmp(name, "one") &&
		    json_object_set_new(o, name, value(st, i))) {
			json_decref(o);
			return NULL;
		}
	}
	return o;
}

static int read_table(sqlite3 *db, const char *name, json_t **out)
{
	sqlite3_stmt *st = prepare(db, "SELECT * FROM config_%s", name);
	json_t *list = json_array();
	int rc = st ? SQLITE_OK : sqlite3_errcode(db);

	while (list && st && (rc = sqlite3_step(st)) == SQLITE_ROW)
		if (json_array_append_new(list, row(st))) {
			rc = SQLITE_NOMEM;
			break;
		}
	sqlite3_finalize(st);
	if (list && rc == SQLITE_DONE) {
		*out = list;
		return 0;
	}
	json_decref(list);
	return list ? store_sqlite_errno(rc) : -ENOMEM;
}

static int read_working(sqlite3 *db, struct td_tables *t)
{
	sqlite3_stmt *st = prepare(db, "SELECT serial, applied, refused, "
				   "generation, edited_ms, edited_by, (SELECT "
				   "coalesce(max(number), 0) FROM generation) "
				   "FROM config_working");

	if (!st || sqlite3_step(st) != SQLITE_ROW) {
		sqlite3_finalize(st);
		return -EIO;
	}
	t->serial = sqlite3_column_int64(st, 0);
	t->applied = sqlite3_column_int64(st, 1);
	t->refused = sqlite3_column_int64(st, 2);
	t->generation = sqlite3_column_int64(st, 3);
	t->edited_ms = sqlite3_column_int64(st, 4);
	td_str_cut(t->edited_by, sizeof(t->edited_by),
		   (const char *)sqlite3_column_text(st, 5));
	td_str_trim_utf8(t->edited_by);
	t->last = sqlite3_column_int64(st, 6);
	sqlite3_finalize(st);
	return 0;
}

static int read_tables(sqlite3 *db, struct store_job *job)
{
	struct td_tables *t = &job->tables;
	int rc = read_working(db, t);

	t->rows = json_object();
	if (!rc && !t->rows)
		rc = -ENOMEM;
	for (int i = 0; !rc && i < N_TABLES; i++) {
		json_t *list;

		rc = read_table(db, tables[i].name, &list);
		if (!rc && json_object_set_new(t->rows, tables[i].name, list))
			rc = -ENOMEM;
	}
	return rc;
}

/* ---- writing ---- */

/* A table on its way from `old` to new rows, each by its key. */
struct merge {
	sqlite3 *db;
	const char *name;
	const char *const *key;
	json_t *old, *new;		/* objects: key -> row */
};

static void bind(sqlite3_stmt *st, int i, const json_t *v)
{
	if (json_is_string(v))
		sqlite3_bind_text(st, i, json_string_value(v), -1,
				  SQLITE_TRANSIENT);
	else if (json_is_integer(v))
		sqlite3_bind_int64(st, i, json_integer_value(v));
	else
		sqlite3_bind_null(st, i);
}

static json_t *by_key(const struct merge *m, const json_t *list)
{
	json_t *out = json_object(), *r, *v;
	const char *col;
	void *next;
	size_t i;

	json_array_foreach(list, i, r) {
		char key[160] = "";

		for (int k = 0; k < 2 && m->key[k]; k++) {
			const char *s = json_string_value(
				json_object_get(r, m->key[k]));

			snprintf(key + strlen(key), sizeof(key) - strlen(key),
				 "%s ", s ? s : "");
		}
		/* SQLite has no booleans */
		json_object_foreach_safe(r, next, col, v)
			if (json_is_boolean(v))
				json_object_set_new(r, col, json_integer(
							    json_is_true(v)));
		if (json_object_set(out, key, r)) {
			json_decref(out);
			return NULL;
		}
	}
	return out;
}

/* " WHERE line = ? AND node = ?" */
static const char *where(const struct merge *m, char *out, size_t size)
{
	size_t n = 0;

	*out = '\0';
	for (int k = 0; k < 2 && m->key[k]; k++)
		n += snprintf(out + n, size - n, "%s %s = ?",
			      k ? " AND" : " WHERE", m->key[k]);
	return out;
}

static void bind_key(const struct merge *m, sqlite3_stmt *st, int at,
		     const json_t *r)
{
	for (int k = 0; k < 2 && m->key[k]; k++)
		bind(st, at + k, json_object_get(r, m->key[k]));
}

static int delete_row(const struct merge *m, const json_t *r)
{
	char cond[96];
	sqlite3_stmt *st = prepare(m->db, "DELETE FROM config_%s%s", m->name,
				   where(m, cond, sizeof(cond)));

	if (st)
		bind_key(m, st, 1, r);
	return finish(m->db, st);
}

/* "a, b" and "?, ?", or "a = ?, b = ?" */
static void column_list(const json_t *r, const char *form, char *out,
			size_t size)
{
	const char *col;
	size_t n = 0;
	json_t *v;

	*out = '\0';
	json_object_foreach((json_t *)r, col, v)
		n += snprintf(out + n, size - n, "%s%s%s", n ? ", " : "",
			      *form == '?' ? "" : col,
			      *form == '?' ? "?" : form + 1);
}

static int write_row(const struct merge *m, const json_t *r, bool update)
{
	char cols[512], marks[512], cond[96];
	sqlite3_stmt *st;
	const char *col;
	json_t *v;
	int i = 1;

	column_list(r, update ? "c = ?" : "c", cols, sizeof(cols));
	column_list(r, "?", marks, sizeof(marks));
	st = update ? prepare(m->db, "UPDATE config_%s SET %s%s", m->name, cols,
			      where(m, cond, sizeof(cond)))
		    : prepare(m->db, "INSERT INTO config_%s (%s) VALUES (%s)",
			      m->name, cols, marks);
	if (!st)
		return finish(m->db, st);
	json_object_foreach((json_t *)r, col, v)
		bind(st, i++, v);
	if (update)
		bind_key(m, st, i, r);
	return finish(m->db, st);
}

static int merge_rows(const struct merge *m)
{
	const char *key;
	json_t *r;
	int rc = 0;

	json_object_foreach(m->old, key, r)
		if (!rc && !json_object_get(m->new, key))
			rc = delete_row(m, r);
	json_object_foreach(m->new, key, r) {
		const json_t *was = json_object_get(m->old, key);

		if (!rc && (!was || !json_equal((json_t *)was, r)))
			rc = write_row(m, r, was != NULL);
	}
	return rc;
}

static int merge(sqlite3 *db, int table, const json_t *rows)
{
	struct merge m = { .db = db, .name = tables[table].name,
			   .key = tables[table].key };
	json_t *list;
	int rc = read_table(db, m.name, &list);

	if (rc)
		return rc;
	m.old = by_key(&m, list);
	m.new = by_key(&m, json_object_get(rows, m.name));
	rc = m.old && m.new ? merge_rows(&m) : -ENOMEM;
	json_decref(list);
	json_decref(m.old);
	json_decref(m.new);
	return rc;
}

static int write_tables(sqlite3 *db, const struct store_job *job)
{
	sqlite3_stmt *st = prepare(db, "UPDATE config_working SET trusted = 1, "
				       "editor = ?");
	json_t *rows = json_loads(job->rows, 0, NULL);
	int rc;

	if (st)
		sqlite3_bind_text(st, 1, job->who, -1, SQLITE_STATIC);
	rc = finish(db, st);
	if (!rows)
		rc = -ENOMEM;
	for (int i = 0; !rc && i < N_TABLES; i++)
		rc = merge(db, i, rows);
	json_decref(rows);
	return rc;
}

static int insert(sqlite3 *db, const struct td_generation *g)
{
	sqlite3_stmt *st = prepare(db, "INSERT INTO generation (number, at_ms, "
				   "author, comment, sha256, content, secret) "
				   "VALUES (?, ?, ?, ?, ?, ?, ?)");

	if (st) {
		sqlite3_bind_int64(st, 1, g->number);
		sqlite3_bind_int64(st, 2, g->at_ms);
		sqlite3_bind_text(st, 3, g->author, -1, SQLITE_STATIC);
		sqlite3_bind_text(st, 4, g->comment, -1, SQLITE_STATIC);
		sqlite3_bind_blob(st, 5, g->sha256, sizeof(g->sha256),
				  SQLITE_STATIC);
		sqlite3_bind_text(st, 6, g->content, g->n, SQLITE_STATIC);
		sqlite3_bind_blob(st, 7, g->secret, sizeof(g->secret),
				  SQLITE_STATIC);
	}
	return finish(db, st);
}

static int put(sqlite3 *db, struct store_job *job)
{
	struct td_tables w = { 0 };
	sqlite3_stmt *st;
	int rc = read_working(db, &w);

	if (rc)
		return rc;
	if (job->gen.number && job->gen.number <= w.last)
		return -EEXIST;
	if (!job->rows && w.serial != job->serial)
		return -ESTALE;
	if (job->rows && w.serial != w.applied && !job->force)
		return -EBUSY;
	if (job->gen.number)
		rc = insert(db, &job->gen);
	if (!rc && job->rows)
		rc = write_tables(db, job);
	if (rc)
		return rc == -EEXIST ? -EINVAL : rc;
	st = prepare(db, "UPDATE config_working SET applied = serial, "
			 "generation = ?, editor = 'sql', trusted = 0");
	if (st)
		sqlite3_bind_int64(st, 1, job->base);
	return finish(db, st);
}

/* All or nothing, whatever else is in the transaction. */
static int put_whole(sqlite3 *db, struct store_job *job)
{
	int rc = exec(db, "SAVEPOINT put");

	if (rc)
		return rc;
	rc = put(db, job);
	if (rc) {
		if (rc == -EINVAL || rc == -EIO)
			td_str_cut(job->why, sizeof(job->why),
				   sqlite3_errmsg(db));
		exec(db, "ROLLBACK TO put");
	}
	exec(db, "RELEASE put");
	return rc;
}

static int refuse(sqlite3 *db, struct store_job *job)
{
	sqlite3_stmt *st = prepare(db, "UPDATE config_working SET refused = "
				   "serial WHERE serial = ? AND refused <> "
				   "serial");
	int rc;

	if (st)
		sqlite3_bind_int64(st, 1, job->serial);
	rc = finish(db, st);
	if (rc || !sqlite3_changes(db))
		return rc;
	st = prepare(db, "INSERT INTO config_refusal (at_ms, by_whom, serial, "
			 "place, what) SELECT ?, w.edited_by, w.serial, "
			 "p.value ->> 'where', p.value ->> 'what' FROM "
			 "config_working w, json_each(?) p");
	if (st) {
		sqlite3_bind_int64(st, 1, td_clock_wall_ms());
		sqlite3_bind_text(st, 2, job->rows, -1, SQLITE_STATIC);
	}
	return finish(db, st);
}

static void cut(sqlite3_stmt *st, int i, char *out, size_t size)
{
	const char *s = (const char *)sqlite3_column_text(st, i);

	td_str_cut(out, size, s ? s : "");
	td_str_trim_utf8(out);
}

static int refusals(sqlite3 *db, struct store_job *job)
{
	sqlite3_stmt *st = prepare(db, "SELECT at_ms, serial, by_whom, place, "
				   "what FROM config_refusal ORDER BY id DESC "
				   "LIMIT ?");
	int rc;

	if (!st)
		return -EIO;
	sqlite3_bind_int64(st, 1, job->limit);
	while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
		struct td_refusal *r = store_job_refusal(job);

		if (!r) {
			rc = SQLITE_NOMEM;
			break;
		}
		r->at_ms = sqlite3_column_int64(st, 0);
		r->serial = sqlite3_column_int64(st, 1);
		cut(st, 2, r->by, sizeof(r->by));
		cut(st, 3, r->where, sizeof(r->where));
		cut(st, 4, r->what, sizeof(r->what));
	}
	sqlite3_finalize(st);
	return store_sqlite_errno(rc);
}

int store_sqlite_config(sqlite3 *db, struct store_job *job)
{
	switch (job->what) {
	case STORE_TABLES:
		return read_tables(db, job);
	case STORE_PUT:
		return put_whole(db, job);
	case STORE_REFUSE:
		return refuse(db, job);
	default:
		return refusals(db, job);
	}
}
