// SPDX-License-Identifier: GPL-2.0-or-later
#include "cluster/cli/help.h"

#include <stdbool.h>
#include <string.h>

#include "cluster/cli/args.h"

#define EACH_ARG(v, a)                                                         \
	(const struct td_verb_arg *a = (v)->args;                              \
	 a < (v)->args + sizeof((v)->args) / sizeof(*a) && a->name; a++)
#define EACH_OPTION(v, o)                                                      \
	(const struct td_verb_option *o = (v)->options;                        \
	 o < (v)->options + sizeof((v)->options) / sizeof(*o) && o->name; o++)

static const struct td_verb_option globals[] = {
	{ "json", NULL, "the answer as JSON, for programs" },
	{ "socket", "PATH", "the daemon's control socket (" CLI_SOCKET
			    ", or $TANDEM_SOCKET)" },
	{ "help", NULL, "explains the command" },
	{ NULL },
};

static void synopsis(FILE *f, const struct td_verb *v)
{
	fprintf(f, "tandem %s", v->name);
	for EACH_ARG(v, a)
		fprintf(f, a->optional ? " [%s]" : " %s", a->name);
	for EACH_OPTION(v, o)
		fprintf(f, " [--%s%s%s]", o->name, o->value ? " " : "",
			o->value ? o->value : "");
}

static void option_line(FILE *f, const struct td_verb_option *o)
{
	char left[64];

	snprintf(left, sizeof(left), "--%s%s%s", o->name, o->value ? " " : "",
		 o->value ? o->value : "");
	fprintf(f, "  %-22s %s\n", left, o->help);
}

static void verb_line(FILE *f, const struct td_verb *v)
{
	char left[64];
	size_t n = snprintf(left, sizeof(left), "%s", v->name);

	for EACH_ARG(v, a)
		n += snprintf(left + n, sizeof(left) - n,
			      a->optional ? " [%s]" : " %s", a->name);
	fprintf(f, "  %-22s %s\n", left, v->help);
}

void help_all(FILE *f)
{
	fputs("Usage: tandem COMMAND [ARGUMENT…] [--OPTION…]\n"
	      "Manages a Tandem cluster through a node's daemon.\n\n"
	      "Commands:\n", f);
	for (const struct td_verb *v = td_verbs; v->name; v++)
		verb_line(f, v);
	fputs("\nOptions of every command:\n", f);
	for (const struct td_verb_option *o = globals; o->name; o++)
		option_line(f, o);
	fputs("\nExit status: 0 done, 1 failed, 2 the command was not "
	      "understood.\n", f);
}

void help_topic(FILE *f, const char *word)
{
	size_t n = strlen(word);

	for (const struct td_verb *v = td_verbs; v->name; v++)
		if (!strncmp(v->name, word, n) && v->name[n] == ' ')
			verb_line(f, v);
}

void help_verb(FILE *f, const struct td_verb *v)
{
	fputs("Usage: ", f);
	synopsis(f, v);
	fprintf(f, "\n%s.\n", v->help);
	if (v->details)
		fprintf(f, "%s\n", v->details);
	if (v->args[0].name)
		fputc('\n', f);
	for EACH_ARG(v, a)
		fprintf(f, "  %-22s %s\n", a->name, a->help);
	fputc('\n', f);
	for EACH_OPTION(v, o)
		option_line(f, o);
	for (const struct td_verb_option *o = globals; o->name; o++)
		option_line(f, o);
}

/* Text of a roff line: no request, hyphens that can be copied. */
static void roff(FILE *f, const char *s)
{
	if (*s == '.' || *s == '\'')
		fputs("\\&", f);
	for (; *s; s++) {
		if (*s == '-')
			fputs("\\-", f);
		else if (*s == '\\')
			fputs("\\e", f);
		else if (*s == '`')
			fputs("\\(oq", f);
		else if (*s == '\'')
			fputs("\\(cq", f);
		else
			fputc(*s, f);
	}
}

static void man_option(FILE *f, const struct td_verb_option *o)
{
	fputs(".TP\n\\fB\\-\\-", f);
	roff(f, o->name);
	fputs("\\fR", f);
	if (o->value) {
		fputs(" \\fI", f);
		roff(f, o->value);
		fputs("\\fR", f);
	}
	fputc('\n', f);
	roff(f, o->help);
	fputc('\n', f);
}

static void man_verb(FILE *f, const struct td_verb *v)
{
	fputs(".SS \"", f);
	roff(f, v->name);
	for EACH_ARG(v, a)
		fprintf(f, a->optional ? " [%s]" : " %s", a->name);
	fputs("\"\n", f);
	roff(f, v->help);
	fputs(".\n", f);
	if (v->details) {
		roff(f, v->details);
		fputc('\n', f);
	}
	for EACH_ARG(v, a) {
		fprintf(f, ".TP\n\\fI%s\\fR\n", a->name);
		roff(f, a->help);
		fputc('\n', f);
	}
	for EACH_OPTION(v, o)
		man_option(f, o);
}

void help_man(FILE *f)
{
	fputs(".TH TANDEM 1 \"\" Tandem \"Tandem manual\"\n"
	      ".SH NAME\ntandem \\- manage a Tandem cluster\n"
	      ".SH SYNOPSIS\n.B tandem\n\\fICOMMAND\\fR "
	      "[\\fIARGUMENT\\fR...] [\\-\\-\\fIOPTION\\fR...]\n"
	      ".SH DESCRIPTION\n"
	      "Asks the daemon of a node, by its control socket, for what the "
	      "cluster is doing, or has it changed. Every node knows the whole "
	      "cluster and answers the same.\n"
	      ".SH OPTIONS\nOf every command:\n", f);
	for (const struct td_verb_option *o = globals; o->name; o++)
		man_option(f, o);
	fputs(".SH COMMANDS\n", f);
	for (const struct td_verb *v = td_verbs; v->name; v++)
		man_verb(f, v);
	fputs(".SH EXIT STATUS\n"
	      ".TP\n0\nDone.\n.TP\n1\nFailed; one line on standard error says "
	      "what, where, and what to do.\n.TP\n2\nThe command was not "
	      "understood.\n"
	      ".SH FILES\n.TP\n" CLI_SOCKET "\nThe control socket.\n"
	      ".SH SEE ALSO\n.BR tandemd (8),\n.BR spanctl (8)\n", f);
}

static bool first_of_its_word(const struct td_verb *v, size_t n)
{
	for (const struct td_verb *w = td_verbs; w < v; w++)
		if (!strncmp(w->name, v->name, n) &&
		    (w->name[n] == ' ' || !w->name[n]))
			return false;
	return true;
}

static void completion_words(FILE *f)
{
	fputs("\t\"\") words=\"", f);
	for (const struct td_verb *v = td_verbs; v->name; v++) {
		size_t n = strcspn(v->name, " ");

		if (first_of_its_word(v, n))
			fprintf(f, "%.*s ", (int)n, v->name);
	}
	fputs("\" ;;\n", f);
	for (const struct td_verb *v = td_verbs; v->name; v++) {
		size_t n = strcspn(v->name, " ");

		if (!v->name[n] || !first_of_its_word(v, n))
			continue;
		fprintf(f, "\t\"%.*s\") words=\"", (int)n, v->name);
		for (const struct td_verb *w = v; w->name; w++)
			if (!strncmp(w->name, v->name, n) && w->name[n] == ' ')
				fprintf(f, "%s ", w->name + n + 1);
		fputs("\" ;;\n", f);
	}
}

void help_completion(FILE *f)
{
	fputs("# bash completion for tandem(1); made from its table of "
	      "commands\n"
	      "_tandem()\n{\n"
	      "\tlocal cur=${COMP_WORDS[COMP_CWORD]} verb=\"\" words=\"\" "
	      "w i\n"
	      "\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
	      "\t\tw=${COMP_WORDS[i]}\n"
	      "\t\t[[ $w == -* ]] || verb=\"${verb:+$verb }$w\"\n"
	      "\tdone\n"
	      "\tcase $verb in\n", f);
	completion_words(f);
	for (const struct td_verb *v = td_verbs; v->name; v++) {
		bool file = v->body_in;

		fprintf(f, "\t\"%s\"*) words=\"", v->name);
		for EACH_OPTION(v, o)
			fprintf(f, "--%s ", o->name);
		for (const struct td_verb_option *o = globals; o->name; o++)
			fprintf(f, "--%s ", o->name);
		fputs("\"", f);
		if (file)
			fputs("\n\t\t[[ $cur == -* ]] || { COMPREPLY=("
			      "$(compgen -f -- \"$cur\")); return; }\n\t\t", f);
		fputs(" ;;\n", f);
	}
	fputs("\tesac\n"
	      "\tCOMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
	      "}\ncomplete -F _tandem tandem\n", f);
}
