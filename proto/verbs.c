// SPDX-License-Identifier: GPL-2.0-or-later
#include "proto/verbs.h"

#include <stddef.h>
#include <string.h>

const struct td_verb td_verbs[] = {
	{ .name = "status",
	  .help = "Shows the cluster: nodes, units, calls, registrations",
	  .options = { { "watch", NULL, "repeat every second" } } },
	{ .name = "node list",
	  .help = "Lists the nodes",
	  .columns = { { "name", "NODE" }, { "state", "STATE" },
		       { "calls", "CALLS" }, { "since", "SINCE", TD_FORM_AGE },
		       { "version", "VERSION" } } },
	{ .name = "cluster view",
	  .help = "Says where this node's view stands, and its hash",
	  .details = "Nodes at the same lineage and index have the same hash. "
		     "Packing the view holds the node up for a moment: about a "
		     "millisecond for a thousand contacts." },
	{ .name = "cluster ops",
	  .help = "Lists the kinds of changes that are replicated, and how",
	  .details = "Class: what must be true before the world sees the "
		     "effect: nothing (volatile), every needed node holds it "
		     "(replicated), two disks do (durable). Level: the feature "
		     "level that knows it first. Lane: which overtake which. "
		     "The counts are this node's, since its start.",
	  .columns = { { "op", "OP" }, { "class", "CLASS" },
		       { "level", "LEVEL" }, { "lane", "LANE" },
		       { "applied", "APPLIED" },
		       { "refused", "REFUSED" } } },
	{ .name = "cluster dump",
	  .help = "Prints everything this node can say of its parts" },
	{ .name = "unit list",
	  .help = "Lists what has one owner at a time: lines, addresses, roles",
	  .columns = { { "name", "UNIT" }, { "kind", "KIND" },
		       { "owner", "OWNER" }, { "epoch", "EPOCH" },
		       { "health", "HEALTH" }, { "state", "STATE" },
		       { "reason", "WHY" } } },
	{ .name = "cluster force",
	  .help = "Lets the cluster go on without nodes that are lost for good",
	  .details = "Only when it waits for nodes that will never come back: "
		     "what these alone had acknowledged is lost.",
	  .options = { { "yes", NULL, "the loss is known" } },
	  .done = "Going on with what is here" },
	{ .name = "span list",
	  .help = "Lists the lines, as each node sees them",
	  .columns = { { "span", "SPAN" }, { "node", "NODE" },
		       { "owner", "OWNER" },
		       { "layer1", "LAYER1", TD_FORM_UP },
		       { "dchannel", "DCHANNEL", TD_FORM_UP },
		       { "busy", "BUSY" },
		       { "free", "FREE" }, { "alarms", "ALARMS" } } },
	{ .name = "call list",
	  .help = "Lists the calls of the whole cluster",
	  .columns = { { "id", "CALL" }, { "state", "STATE" },
		       { "calling", "FROM" }, { "called", "TO" },
		       { "voice", "VOICE" },
		       { "since_ms", "SINCE", TD_FORM_MS } } },
	{ .name = "call show",
	  .help = "Shows one call with all that is known of its legs",
	  .args = { { "CALL", "the call's id" } } },
	{ .name = "call hangup",
	  .help = "Ends a call, wherever it is",
	  .args = { { "CALL", "the call's id, or `all'" } },
	  .done = "Calls gone: {gone}; nodes asked: {nodes}" },
	{ .name = "cdr list",
	  .help = "Lists the newest calls that are over, from the database",
	  .details = "FROM and TO are as the caller had them. Records that "
		     "wait on the nodes' disks for the database are counted by "
		     "`cdr spool'.",
	  .options = { { "limit", "N", "as many, 20 without it" },
		       { "number", "NUMBER", "of this caller or called" } },
	  .columns = { { "id", "CALL" }, { "start", "START", TD_FORM_TIME },
		       { "calling", "FROM" }, { "called", "TO" },
		       { "reached", "REACHED" }, { "answered", "ANSWERED" },
		       { "talk_ms", "TALK", TD_FORM_MS },
		       { "cause", "CAUSE" }, { "cleared_by", "BY" } } },
	{ .name = "cdr show",
	  .help = "Shows the detail records of one call, a leg each",
	  .args = { { "CALL", "the call's id" } },
	  .columns = { { "node", "NODE" }, { "direction", "DIRECTION" },
		       { "kind", "KIND" }, { "number", "NUMBER" },
		       { "unit", "UNIT" }, { "timeslot", "SLOT" },
		       { "duration_ms", "LASTED", TD_FORM_MS },
		       { "talk_ms", "TALK", TD_FORM_MS },
		       { "cause", "CAUSE" } } },
	{ .name = "cdr spool",
	  .help = "Shows what waits on this node's disk for the database" },
	{ .name = "registration list",
	  .help = "Lists the registered users and their contacts",
	  .columns = { { "user", "USER" }, { "contacts.uri", "CONTACT" },
		       { "contacts.transport", "OVER" },
		       { "contacts.address", "ADDRESS" },
		       { "contacts.node", "NODE" },
		       { "contacts.expires_s", "EXPIRES", TD_FORM_S } } },
	{ .name = "extension list",
	  .help = "Lists the extensions and ranges of extensions",
	  .columns = { { "first", "FIRST" }, { "last", "LAST" },
		       { "name", "NAME" }, { "sha256", "SHA256" },
		       { "class", "CLASS" } } },
	{ .name = "extension add",
	  .help = "Adds an extension, or a range of them with --count",
	  .done = "Extension {extension} added, generation {generation}",
	  .args = { { "NUMBER", "the (first) number" } },
	  .details = "Without --password one extension gets a random one, "
		     "which is printed.",
	  .options = { { "count", "N", "as many numbers, counting up" },
		       { "password", "TEXT", "{number} stands for the number" },
		       { "name", "TEXT", "display name" },
		       { "sha256", "yes|no", "offer SHA-256 digests" },
		       { "class", "NAME", "class of service" } } },
	{ .name = "extension set",
	  .help = "Changes an extension",
	  .done = "Extension {extension} set, generation {generation}",
	  .details = "The first number of a range stands for the whole range "
		     "unless --count says otherwise; any other number is taken "
		     "out of its range.",
	  .args = { { "NUMBER", "the number, or a range's first" } },
	  .options = { { "count", "N", "as many numbers, counting up" },
		       { "password", "TEXT", "{number} stands for the number" },
		       { "name", "TEXT", "display name" },
		       { "sha256", "yes|no", "offer SHA-256 digests" },
		       { "class", "NAME", "class of service" } } },
	{ .name = "extension del",
	  .help = "Removes an extension, also out of a range",
	  .done = "Extension {extension} removed, generation {generation}",
	  .args = { { "NUMBER", "the (first) number" } },
	  .options = { { "count", "N", "as many numbers, counting up" } } },
	{ .name = "user list",
	  .help = "Lists the users who have set how they want to be called",
	  .columns = { { "user", "USER" }, { "dnd", "DND" },
		       { "forward_all", "FORWARD" },
		       { "forward_unreachable", "UNREACHABLE" } } },
	{ .name = "user set",
	  .help = "Sets how a user wants to be called",
	  .details = "An empty number forwards no more. What is not said stays "
		     "as it is.",
	  .args = { { "NUMBER", "the extension" } },
	  .options = { { "dnd", "yes|no", "do not disturb: busy to all" },
		       { "forward-all", "NUMBER", "every call goes there" },
		       { "forward-unreachable", "NUMBER",
			 "when no phone is registered" } },
	  .done = "User {user} set" },
	{ .name = "route list",
	  .help = "Lists the routes",
	  .columns = { { "prefix", "PREFIX" }, { "strip", "STRIP" },
		       { "add", "ADD" }, { "group", "GROUP" },
		       { "lines", "LINES" }, { "transit", "TRANSIT" } } },
	{ .name = "route add",
	  .help = "Adds a route, or replaces the one of that prefix",
	  .done = "Route {prefix} added, generation {generation}",
	  .args = { { "PREFIX", "dialled digits; the longest match wins" } },
	  .options = { { "strip", "N", "digits taken off the left" },
		       { "add", "DIGITS", "put before the rest" },
		       { "group", "NAME", "group of lines" },
		       { "lines", "LIST", "lines, comma-separated" },
		       { "transit", NULL, "for calls from lines too" } } },
	{ .name = "route del",
	  .help = "Removes a route",
	  .done = "Route {prefix} removed, generation {generation}",
	  .args = { { "PREFIX", "its prefix" } } },
	{ .name = "route test",
	  .help = "Says where a call to a number would go now",
	  .args = { { "NUMBER", "the dialled number" } },
	  .options = { { "from", "EXT", "calling extension" } } },
	{ .name = "config import",
	  .help = "Checks a site.yaml and makes it the running generation",
	  .done = "Generation {generation} is running",
	  .args = { { "FILE", "site.yaml, `-' for standard input" } },
	  .options = { { "comment", "TEXT", "for the history" } },
	  .body_in = true },
	{ .name = "config check",
	  .help = "Checks a site.yaml and lists all that is wrong with it",
	  .details = "Without FILE it is the database's tables that are "
		     "checked, with all edits that are no generation yet.",
	  .done = "No problem: {nodes} nodes, {lines} lines, {addresses} "
		  "addresses, {extensions} extensions, {routes} routes",
	  .args = { { "FILE", "site.yaml, `-' for standard input",
		      .optional = true } },
	  .body_in = true },
	{ .name = "config diff",
	  .help = "Tells what differs, object by object",
	  .details = "Without arguments: between what runs and the database's "
		     "tables. With one: from that generation to what runs, or "
		     "from what runs to that file. With two: from the first "
		     "to the second. Passwords are never shown.",
	  .args = { { "A", "a generation, or a site.yaml", .optional = true },
		    { "B", "a generation, or a site.yaml", .optional = true } },
	  .sentence = "text", .none = "No difference",
	  .body_in = true },
	{ .name = "config apply",
	  .help = "Makes a generation of the edits in the database's tables",
	  .details = "The daemon does that by itself soon after an edit is "
		     "committed; this waits for it and tells what is wrong.",
	  .done = "Generation {generation} is running" },
	{ .name = "config rollback",
	  .help = "Makes an older generation's content the running one",
	  .details = "Without a number: drops the edits in the database's "
		     "tables that are no generation, so that they are again "
		     "what runs.",
	  .args = { { "GENERATION", "see `tandem config log'",
		      .optional = true } },
	  .done = "Generation {generation} is running" },
	{ .name = "config export",
	  .help = "Prints a generation as site.yaml",
	  .options = { { "generation", "N", "an older one" } },
	  .body_out = true },
	{ .name = "config log",
	  .help = "Lists the generations and refused edits, newest first",
	  .columns = { { "generation", "GENERATION" },
		       { "at", "AT", TD_FORM_TIME },
		       { "author", "AUTHOR" }, { "comment", "COMMENT" },
		       { "running", "RUNNING" } } },
	{ .name = "help",
	  .help = "Explains the commands",
	  .args = { { "COMMAND", "its first word", .optional = true },
		    { "WORD", "its second word", .optional = true } },
	  .options = { { "man", NULL, "as a man page, in roff" },
		       { "completion", NULL, "as completion for bash" } },
	  .local = true },
	{ .name = NULL },
};

static int words(const char *name)
{
	int n = 1;

	for (; *name; name++)
		n += *name == ' ';
	return n;
}

static bool matches(const char *name, char *const *argv)
{
	for (;;) {
		size_t n = strcspn(name, " ");

		if (strlen(*argv) != n || memcmp(*argv, name, n))
			return false;
		if (!name[n])
			return true;
		name += n + 1;
		argv++;
	}
}

const struct td_verb *td_verb_find(int argc, char *const *argv, int *used)
{
	const struct td_verb *best = NULL;
	int best_words = 0;

	for (const struct td_verb *v = td_verbs; v->name; v++) {
		int w = words(v->name);

		if (w <= argc && w > best_words && matches(v->name, argv)) {
			best = v;
			best_words = w;
		}
	}
	if (best)
		*used = best_words;
	return best;
}
