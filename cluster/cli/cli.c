// SPDX-License-Identifier: GPL-2.0-or-later
#include "cluster/cli/cli.h"

#include <errno.h>
#include <jansson.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cluster/cli/args.h"
#include "cluster/cli/client.h"
#include "cluster/cli/help.h"
#include "cluster/cli/text.h"
#include "proto/base/clock.h"
#include "proto/base/str.h"

enum { MAX_FILE = 1024 * 1024 };

struct cli {
	struct cli_args args;
	FILE *out, *err;
	bool tty;
	uint8_t *body;
	size_t n_body;
};

/* Status 1 with one line; in JSON, too, if that was asked for. */
static int fail(struct cli *c, const char *what)
{
	json_t *o = c->args.json ? json_pack("{s:s, s:[]}", "error", what,
					     "problems") : NULL;

	if (o) {
		json_dumpf(o, c->out, JSON_INDENT(2));
		fputc('\n', c->out);
	}
	json_decref(o);
	fprintf(c->err, "tandem: %s\n", what);
	return 1;
}

static int read_file(struct cli *c, const char *name)
{
	bool in = !strcmp(name, "-");
	FILE *f = in ? stdin : fopen(name, "re");
	const char *what = NULL;
	char why[256];

	if (!f) {
		what = strerror(errno);
	} else {
		c->body = malloc(MAX_FILE);
		if (c->body)
			c->n_body = fread(c->body, 1, MAX_FILE, f);
		if (!c->body || ferror(f))
			what = strerror(errno);
		else if (c->n_body == MAX_FILE)
			what = "longer than 512 KiB";
		if (!in)
			fclose(f);
	}
	if (!what)
		return 0;
	snprintf(why, sizeof(why), "%.150s: %s", name, what);
	return fail(c, why);
}

/* For the history: who is behind sudo, else the user's name. */
static void who(char *buf, size_t size)
{
	const char *sudo = getenv("SUDO_USER");
	struct passwd *pw = sudo && *sudo ? NULL : getpwuid(getuid());

	td_str_cut(buf, size, pw ? pw->pw_name : sudo ? sudo : "");
}

static void problems(struct cli *c, const Td__Reply *r)
{
	for (size_t i = 0; i < r->n_problems; i++)
		fprintf(c->err, "%s: %s\n", r->problems[i]->where,
			r->problems[i]->what);
	if (r->status && *r->error)
		fprintf(c->err, "tandem: %s\n", r->error);
}

static void error_json(struct cli *c, const Td__Reply *r)
{
	json_t *o = json_pack("{s:s, s:[]}", "error", r->error, "problems");

	for (size_t i = 0; i < r->n_problems; i++)
		json_array_append_new(
			json_object_get(o, "problems"),
			json_pack("{s:s, s:s}", "where", r->problems[i]->where,
				  "what", r->problems[i]->what));
	json_dumpf(o, c->out, JSON_INDENT(2));
	fputc('\n', c->out);
	json_decref(o);
}

static int show_json(struct cli *c, const Td__Reply *r)
{
	json_t *v;

	if (r->status) {
		error_json(c, r);
		problems(c, r);
		return r->status;
	}
	if (c->args.verb->body_out)
		v = json_pack("{s:s%}", "document", (char *)r->body.data,
			      r->body.len);
	else
		v = json_loads(r->json, JSON_DECODE_ANY, NULL);
	if (!v)
		return fail(c, "the daemon's answer is not JSON");
	json_dumpf(v, c->out, JSON_INDENT(2) | JSON_ENCODE_ANY);
	fputc('\n', c->out);
	json_decref(v);
	return 0;
}

static int show_text(struct cli *c, const Td__Reply *r)
{
	struct text_style st = { .colour = c->tty,
				 .now_ms = td_clock_wall_ms() };
	const struct td_verb *verb = c->args.verb;
	json_t *v;

	problems(c, r);
	if (r->status)
		return r->status;
	if (verb->body_out) {
		fwrite(r->body.data, 1, r->body.len, c->out);
		return 0;
	}
	v = json_loads(r->json, JSON_DECODE_ANY, NULL);
	if (!v)
		return fail(c, "the daemon's answer is not JSON");
	if (!strcmp(verb->name, "status"))
		text_status(c->out, &st, v);
	else if (json_is_array(v) && verb->sentence)
		text_sentences(c->out, &st, v, verb);
	else if (json_is_array(v) && verb->columns[0].key)
		text_table(c->out, &st, v, verb->columns);
	else if (json_is_object(v) && verb->done)
		text_done(c->out, &st, verb->done, v);
	else
		text_value(c->out, &st, v, 0);
	json_decref(v);
	return 0;
}

static int ask(struct cli *c, int fd, Td__Reply **reply, char *why, size_t size)
{
	const struct cli_args *a = &c->args;
	Td__Request r = TD__REQUEST__INIT;
	Td__Option opt[8], *opts[8];
	char name[64];

	who(name, sizeof(name));
	for (unsigned int i = 0; i < a->n_options; i++) {
		if (!strcmp(a->options[i].name, "watch"))
			continue;	/* is ours */
		td__option__init(&opt[i]);
		opt[i].name = (char *)a->options[i].name;
		opt[i].value = (char *)a->options[i].value;
		opts[r.n_options++] = &opt[i];
	}
	r.verb = (char *)a->verb->name;
	r.args = (char **)a->args;
	r.n_args = a->n_args;
	r.options = opts;
	r.body.data = c->body;
	r.body.len = c->n_body;
	r.who = name;
	return cli_ask(fd, &r, reply, why, size);
}

static int once(struct cli *c)
{
	char why[256];
	Td__Reply *reply;
	int fd = cli_connect(c->args.socket, why, sizeof(why)), rc;

	if (fd < 0)
		return fail(c, why);
	rc = ask(c, fd, &reply, why, sizeof(why));
	close(fd);
	if (rc)
		return fail(c, why);
	rc = c->args.json ? show_json(c, reply) : show_text(c, reply);
	td_reply_free(reply);
	return rc;
}

/* Until somebody ends it; a daemon that is away may come back. */
static int watch(struct cli *c)
{
	for (;;) {
		if (c->tty)
			fputs("\033[H\033[2J", c->out);
		once(c);
		fflush(c->out);
		if (ferror(c->out))
			return 1;
		sleep(1);
	}
}

static int help(struct cli *c)
{
	const struct cli_args *a = &c->args;
	const struct td_verb *v;
	int used;

	if (cli_option(a, "man")) {
		help_man(c->out);
	} else if (cli_option(a, "completion")) {
		help_completion(c->out);
	} else if (!a->n_args) {
		help_all(c->out);
	} else {
		v = td_verb_find(a->n_args, (char *const *)a->args, &used);
		if (v && used == (int)a->n_args) {
			help_verb(c->out, v);
		} else if (a->n_args == 1 && cli_is_topic(a->args[0])) {
			help_topic(c->out, a->args[0]);
		} else {
			fprintf(c->err, "tandem: no command `%s%s%s': see "
					"`tandem help'\n", a->args[0],
				a->n_args > 1 ? " " : "",
				a->n_args > 1 ? a->args[1] : "");
			return 2;
		}
	}
	return 0;
}

static int without_verb(struct cli *c)
{
	const char *topic = c->args.topic;

	if (!topic && c->args.help) {
		help_all(c->out);
		return 0;
	}
	if (topic && cli_is_topic(topic)) {
		if (!c->args.help)
			fprintf(c->err, "tandem: `%s' needs a second word:\n",
				topic);
		help_topic(c->args.help ? c->out : c->err, topic);
		return c->args.help ? 0 : 2;
	}
	if (topic)
		fprintf(c->err, "tandem: no command `%s': see `tandem help'\n",
			topic);
	else
		help_all(c->err);
	return 2;
}

/* A number may name a generation instead. */
static bool has_file(const struct cli *c)
{
	unsigned int n = c->args.n_args;
	const char *last = n ? c->args.args[n - 1] : NULL;

	return last && (!c->args.verb->args[n - 1].optional || !*last ||
			last[strspn(last, "0123456789")]);
}

int td_cli_main(int argc, char *const *argv, FILE *out, FILE *err)
{
	struct cli c = { .out = out, .err = err };
	const char *no_colour = getenv("NO_COLOR");
	int rc;

	c.tty = fileno(out) >= 0 && isatty(fileno(out)) &&
		!(no_colour && *no_colour);
	rc = cli_parse(argc, argv, &c.args, err);
	if (rc)
		return rc;
	if (!c.args.verb)
		return without_verb(&c);
	if (c.args.help) {
		help_verb(out, c.args.verb);
		return 0;
	}
	if (c.args.verb->local)
		return help(&c);
	if (c.args.verb->body_in && has_file(&c)) {
		rc = read_file(&c, c.args.args[c.args.n_args - 1]);
		if (rc) {
			free(c.body);
			return rc;
		}
	}
	rc = cli_option(&c.args, "watch") ? watch(&c) : once(&c);
	free(c.body);
	return rc;
}
