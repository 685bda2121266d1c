// SPDX-License-Identifier: GPL-2.0-or-later
#include "cluster/cli/args.h"

#include <stdlib.h>
#include <string.h>

enum {
	MAX_ARGS = sizeof(((struct td_verb *)0)->args) /
		   sizeof(struct td_verb_arg),
	MAX_OPTIONS = sizeof(((struct td_verb *)0)->options) /
		      sizeof(struct td_verb_option),
};

struct parse {
	int argc, i;
	char *const *argv;
	struct cli_args *out;
	FILE *err;
};

bool cli_is_topic(const char *word)
{
	size_t n = strlen(word);

	for (const struct td_verb *v = td_verbs; v->name; v++)
		if (!strncmp(v->name, word, n) && v->name[n] == ' ')
			return true;
	return false;
}

const char *cli_option(const struct cli_args *a, const char *name)
{
	for (unsigned int i = 0; i < a->n_options; i++)
		if (!strcmp(a->options[i].name, name))
			return a->options[i].value;
	return NULL;
}

static int usage(struct parse *p, const char *what, const char *word)
{
	const struct td_verb *v = p->out->verb;

	fprintf(p->err, "tandem%s%s: %s%s%s: see `tandem %s%s--help'\n",
		v ? " " : "", v ? v->name : "", what, word ? " " : "",
		word ? word : "", v ? v->name : "", v ? " " : "");
	return 2;
}

/* The value of an option: behind '=', or the next word. */
static const char *value(struct parse *p, const char *equals)
{
	if (equals)
		return equals + 1;
	return p->i + 1 < p->argc ? p->argv[++p->i] : NULL;
}

/* @return 1: was a global option, 0: is none, -1: told */
static int global_option(struct parse *p, const char *word)
{
	const char *equals = strchr(word, '=');

	if (!strcmp(word, "--json")) {
		p->out->json = true;
	} else if (!strcmp(word, "--help") || !strcmp(word, "-h")) {
		p->out->help = true;
	} else if (!strcmp(word, "--socket") ||
		   !strncmp(word, "--socket=", 9)) {
		p->out->socket = value(p, equals);
		if (!p->out->socket || !*p->out->socket) {
			usage(p, "--socket needs a PATH", NULL);
			return -1;
		}
	} else {
		return 0;
	}
	return 1;
}

static int verb_option(struct parse *p, const char *word)
{
	const char *name = word + 2, *equals = strchr(name, '='), *val = "";
	size_t n = equals ? (size_t)(equals - name) : strlen(name);
	const struct td_verb *v = p->out->verb;
	unsigned int i = 0;

	while (i < MAX_OPTIONS && v->options[i].name &&
	       (strlen(v->options[i].name) != n ||
		memcmp(v->options[i].name, name, n)))
		i++;
	if (i == MAX_OPTIONS || !v->options[i].name)
		return usage(p, "unknown option", word);
	if (cli_option(p->out, v->options[i].name))
		return usage(p, "given twice:", word);
	if (v->options[i].value) {
		val = value(p, equals);
		if (!val || !*val)
			return usage(p, "a value is missing after", word);
	} else if (equals) {
		return usage(p, "no value is taken by", word);
	}
	p->out->options[p->out->n_options].name = v->options[i].name;
	p->out->options[p->out->n_options++].value = val;
	return 0;
}

static int find_verb(struct parse *p)
{
	int used = 0, rc;

	for (; p->i < p->argc; p->i++) {
		rc = global_option(p, p->argv[p->i]);
		if (rc < 0)
			return 2;
		if (!rc)
			break;
	}
	if (p->i == p->argc)
		return 0;
	if (*p->argv[p->i] == '-')
		return usage(p, "unknown option", p->argv[p->i]);
	p->out->verb = td_verb_find(p->argc - p->i, p->argv + p->i, &used);
	if (!p->out->verb)
		p->out->topic = p->argv[p->i];
	p->i += used;
	return 0;
}

static int check_args(struct parse *p)
{
	const struct td_verb *v = p->out->verb;

	for (unsigned int i = p->out->n_args; i < MAX_ARGS && v->args[i].name;
	     i++)
		if (!v->args[i].optional)
			return usage(p, "missing:", v->args[i].name);
	return 0;
}

int cli_parse(int argc, char *const *argv, struct cli_args *out, FILE *err)
{
	struct parse p = { argc, 1, argv, out, err };
	const char *env = getenv("TANDEM_SOCKET");
	bool words_only = false;
	int rc;

	*out = (struct cli_args){ .socket = env && *env ? env : CLI_SOCKET };
	rc = find_verb(&p);
	if (rc)
		return rc;
	for (; p.i < argc; p.i++) {
		const char *w = argv[p.i];

		if (!words_only && !strcmp(w, "--")) {
			words_only = true;
			continue;
		}
		rc = words_only ? 0 : global_option(&p, w);
		if (rc < 0)
			return 2;
		if (rc || !out->verb)
			continue;
		if (!words_only && w[0] == '-' && w[1]) {
			rc = w[1] == '-' ? verb_option(&p, w)
					 : usage(&p, "unknown option", w);
			if (rc)
				return rc;
			continue;
		}
		if (out->n_args == MAX_ARGS ||
		    !out->verb->args[out->n_args].name)
			return usage(&p, "too many words:", w);
		out->args[out->n_args++] = w;
	}
	return out->verb && !out->help ? check_args(&p) : 0;
}
