// SPDX-License-Identifier: GPL-2.0-or-later
#include "cluster/store/nodeconf.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/store/site_keys.h"
#include "cluster/store/yaml.h"
#include "proto/base/str.h"

static const char *const roles[] = { "node", "solo", "witness", NULL };
static const char *const levels[] = { "error", "warn", "info", "debug", NULL };

#define TEXT(key, member)                                                      \
	{                                                                      \
		.name = key, .type = TYPE_TEXT,                                \
		.offset = offsetof(struct td_nodeconf, member),                \
		.size = sizeof(((struct td_nodeconf *)0)->member)              \
	}

static const struct site_key keys[] = {
	TEXT("node", node),
	{ .name = "id", .type = TYPE_U32,
	  .offset = offsetof(struct td_nodeconf, id) },
	{ .name = "role", .type = TYPE_WORD,
	  .offset = offsetof(struct td_nodeconf, role), .words = roles },
	TEXT("address", address),
	TEXT("cluster_address", cluster_address),
	TEXT("state_dir", state_dir),
	TEXT("control", control),
	TEXT("card", card),
	TEXT("group", group),
	TEXT("database", database),
	TEXT("log", log),
	{ NULL },
};

static int slurp(const char *file, char **text, size_t *n)
{
	FILE *f = fopen(file, "re");
	char *buf;

	if (!f)
		return -errno;
	buf = malloc(TD_YAML_MAX_OCTETS + 1);
	if (!buf) {
		fclose(f);
		return -ENOMEM;
	}
	*n = fread(buf, 1, TD_YAML_MAX_OCTETS + 1, f);
	if (ferror(f)) {
		free(buf);
		fclose(f);
		return -EIO;
	}
	fclose(f);
	*text = buf;
	return 0;
}

static int read_keys(const char *file, const struct td_yaml *root,
		     struct td_nodeconf *c, struct td_problems *p)
{
	bool seen[SITE_MAX_KEYS] = { false };
	int rc;

	for (size_t i = 0; i < root->n; i++) {
		int k = 0;

		while (keys[k].name && strcmp(keys[k].name, root->key[i].text))
			k++;
		if (!keys[k].name || seen[k]) {
			td_yaml_problem(p, file, root->key[i].line,
					keys[k].name ? "%.40s: given twice"
						     : "unknown key \"%.40s\"",
					root->key[i].text);
			continue;
		}
		seen[k] = true;
		rc = site_value(NULL, file, &keys[k], &root->item[i], c, p);
		if (rc == -ENOMEM)
			return rc;
	}
	return 0;
}

static bool is_address(const char *s)
{
	unsigned char buf[16];

	return inet_pton(AF_INET, s, buf) == 1 ||
	       inet_pton(AF_INET6, s, buf) == 1;
}

static void check(const char *file, const struct td_nodeconf *c,
		  struct td_problems *p)
{
	bool known = false;

	if (!*c->node)
		td_problems_add(p, file, "node: this node's name is missing");
	if (c->id < 1 || c->id > 16)
		td_problems_add(p, file, "id: 1 to 16, not %u", c->id);
	if (c->role != TD_RUN_WITNESS && !*c->address)
		td_problems_add(p, file, "address is missing");
	if (*c->address && !is_address(c->address))
		td_problems_add(p, file, "address: \"%s\" is no IP address",
				c->address);
	if (c->role == TD_RUN_NODE && !*c->cluster_address)
		td_problems_add(p, file, "cluster_address is missing");
	if (*c->cluster_address && !is_address(c->cluster_address))
		td_problems_add(p, file,
				"cluster_address: \"%s\" is no IP address",
				c->cluster_address);
	if (*c->state_dir != '/')
		td_problems_add(p, file, "state_dir: a path from / on");
	if (*c->control != '/')
		td_problems_add(p, file, "control: a path from / on");
	if (*c->card && *c->card != '/')
		td_problems_add(p, file, "card: a path from / on, or \"\"");
	if (*c->database && strncmp(c->database, "sqlite:", 7) &&
	    strncmp(c->database, "postgresql://", 13) &&
	    strncmp(c->database, "postgres://", 11))
		td_problems_add(p, file, "database: postgresql://… or "
					 "sqlite:PATH");
	for (int i = 0; levels[i]; i++)
		known = known || !strcmp(levels[i], c->log);
	if (!known)
		td_problems_add(p, file,
				"log: error, warn, info or debug, not \"%s\"",
				c->log);
}

int td_nodeconf_load(const char *file, struct td_nodeconf *out,
		     struct td_problems *problems)
{
	struct td_nodeconf c = {
		.state_dir = "/var/lib/tandem",
		.control = "/run/tandem/control.sock",
		.card = "/run/tandem/span.sock",
		.group = "tandem",
		.log = "info",
	};
	size_t before = problems->n, n = 0;
	struct td_yaml *root;
	char *text = NULL;
	int rc;

	rc = slurp(file, &text, &n);
	if (rc)
		return rc;
	rc = td_yaml_parse(file, text, n, &root, problems);
	free(text);
	if (rc)
		return rc;
	if (root->kind == TD_YAML_MAP) {
		rc = read_keys(file, root, &c, problems);
		if (!rc && problems->n == before)
			check(file, &c, problems);
	} else {
		td_yaml_problem(problems, file, root->line,
				"keys and values are expected");
	}
	td_yaml_free(root);
	if (rc)
		return rc;
	if (problems->n > before)
		return -EINVAL;
	/* a node alone keeps its site and registrations beside its state */
	if (!*c.database && c.role == TD_RUN_SOLO)
		snprintf(c.database, sizeof(c.database),
			 "sqlite:%s/site.db", c.state_dir);
	if (!*c.cluster_address)
		td_str_cut(c.cluster_address, sizeof(c.cluster_address),
			   c.address);
	*out = c;
	return 0;
}
