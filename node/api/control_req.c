// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/api/control_int.h"
#include "proto/base/str.h"

const Td__Request *td_control_request(const struct td_control_req *req)
{
	return req->r;
}

const char *td_control_arg(const struct td_control_req *req, unsigned int i)
{
	return i < req->r->n_args ? req->r->args[i] : NULL;
}

const char *td_control_option(const struct td_control_req *req,
			      const char *name)
{
	for (size_t i = 0; i < req->r->n_options; i++)
		if (!strcmp(req->r->options[i]->name, name))
			return req->r->options[i]->value;
	return NULL;
}

const char *td_control_who(const struct td_control_req *req)
{
	return req->who;
}

void td_control_reply(struct td_control_req *req, const Td__Reply *r)
{
	struct control_client *cl = req->client;
	uint8_t *buf;
	size_t n;

	if (cl) {
		if (td_reply_pack(r, &buf, &n))
			td_control_client_close(cl);
		else
			td_control_client_answer(cl, buf, n);
	}
	td_request_free(req->r);
	free(req);
}

void td_control_reply_json(struct td_control_req *req, json_t *json)
{
	Td__Reply r = TD__REPLY__INIT;

	r.json = json ? json_dumps(json, JSON_COMPACT |
						  JSON_ENCODE_ANY) : NULL;
	json_decref(json);
	if (r.json) {
		td_control_reply(req, &r);
		free(r.json);
		return;
	}
	td_control_reply_error(req, 1, "the daemon is short of memory");
}

void td_control_reply_body(struct td_control_req *req, const void *body,
			   size_t n)
{
	Td__Reply r = TD__REPLY__INIT;

	r.body.data = (uint8_t *)body;
	r.body.len = n;
	td_control_reply(req, &r);
}

void td_control_reply_error(struct td_control_req *req, int status,
			    const char *fmt, ...)
{
	Td__Reply r = TD__REPLY__INIT;
	char line[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	td_str_trim_utf8(line);
	r.status = status;
	r.error = line;
	td_control_reply(req, &r);
}

void td_control_reply_problems(struct td_control_req *req,
			       const struct td_problems *p)
{
	Td__Reply r = TD__REPLY__INIT;
	Td__Problem *rows = calloc(p->n + 1, sizeof(*rows));
	Td__Problem **refs = calloc(p->n + 1, sizeof(*refs));
	char line[128];

	snprintf(line, sizeof(line), "%zu problem%s, nothing was changed", p->n,
		 p->n == 1 ? "" : "s");
	r.status = 1;
	r.error = line;
	if (rows && refs) {
		for (size_t i = 0; i < p->n; i++) {
			td__problem__init(&rows[i]);
			rows[i].where = p->p[i].where;
			rows[i].what = p->p[i].what;
			refs[i] = &rows[i];
		}
		r.problems = refs;
		r.n_problems = p->n;
	}
	td_control_reply(req, &r);
	free(rows);
	free(refs);
}
