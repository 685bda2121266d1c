// SPDX-License-Identifier: GPL-2.0-or-later
#include "cluster/store/site_keys.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* site_value.c finds the count of a list right behind its array */
#define COUNT_FOLLOWS(st, list, count)                                         \
	_Static_assert(offsetof(st, count) ==                                  \
		       offsetof(st, list) + sizeof(((st *)0)->list), #list)
COUNT_FOLLOWS(struct td_site_line, nodes, n_nodes);
COUNT_FOLLOWS(struct td_site_address, nodes, n_nodes);
COUNT_FOLLOWS(struct td_site_route, lines, n_lines);
COUNT_FOLLOWS(struct td_site_class, allow, n_allow);
COUNT_FOLLOWS(struct td_site_class, deny, n_deny);
/* lists of either kind are read and written alike */
_Static_assert((int)TD_NAME_MAX == (int)TD_NUMBER_MAX, "lists");

#define KEY(key, ty, st, member, ...)                                          \
	{                                                                      \
		.name = key, .type = ty, .offset = offsetof(st, member),       \
		.size = sizeof(((st *)0)->member), __VA_ARGS__                 \
	}
#define REQUIRED .required = true
#define CHILD(table, col) .child = table, .column = col

static const char *const roles[] = { "node", "witness", NULL };
static const char *const otherwise[] = { "deny", "allow", NULL };
static const char *const sides[] = { "user", "network", NULL };
static const char *const switches[] = { "euroisdn", NULL };
static const char *const services[] = { "echo", NULL };

static const struct site_key site_keys[] = {
	KEY("name", TYPE_TEXT, struct td_site, name, REQUIRED),
	KEY("domain", TYPE_TEXT, struct td_site, domain, REQUIRED),
	KEY("country", TYPE_TEXT, struct td_site, country),
	KEY("jitter_ms", TYPE_U32, struct td_site, jitter_ms),
	KEY("rtp_timeout_s", TYPE_U32, struct td_site, rtp_timeout_s),
	KEY("session_expires_s", TYPE_U32, struct td_site, session_expires_s),
	{ NULL },
};

static const struct site_key node_keys[] = {
	KEY("name", TYPE_TEXT, struct td_site_node, name, REQUIRED),
	KEY("id", TYPE_U32, struct td_site_node, id, REQUIRED),
	KEY("role", TYPE_WORD, struct td_site_node, role, .words = roles),
	KEY("address", TYPE_TEXT, struct td_site_node, address),
	KEY("cluster_address", TYPE_TEXT, struct td_site_node,
	    cluster_address),
	{ NULL },
};

static const struct site_key class_keys[] = {
	KEY("name", TYPE_TEXT, struct td_site_class, name, REQUIRED),
	KEY("otherwise", TYPE_WORD, struct td_site_class, otherwise,
	    .words = otherwise),
	KEY("allow", TYPE_PREFIXES, struct td_site_class, allow,
	    CHILD("allow", "prefix")),
	KEY("deny", TYPE_PREFIXES, struct td_site_class, deny,
	    CHILD("deny", "prefix")),
	{ NULL },
};

static const struct site_key line_keys[] = {
	KEY("name", TYPE_TEXT, struct td_site_line, name, REQUIRED),
	KEY("port", TYPE_U32, struct td_site_line, port, REQUIRED),
	KEY("nodes", TYPE_NODES, struct td_site_line, nodes, REQUIRED,
	    CHILD("node", "node")),
	KEY("group", TYPE_TEXT, struct td_site_line, group,
	    .column = "line_group"),
	KEY("switch", TYPE_WORD, struct td_site_line, switch_type,
	    .words = switches),
	KEY("side", TYPE_WORD, struct td_site_line, side, .words = sides),
	KEY("channels", TYPE_CHANNELS, struct td_site_line, channels),
	KEY("dchannel", TYPE_U32, struct td_site_line, dchannel),
	KEY("overlap", TYPE_BOOL, struct td_site_line, overlap),
	KEY("transparent", TYPE_BOOL, struct td_site_line, transparent),
	KEY("class", TYPE_TEXT, struct td_site_line, class),
	{ NULL },
};

static const struct site_key address_keys[] = {
	KEY("name", TYPE_TEXT, struct td_site_address, name, REQUIRED),
	KEY("address", TYPE_TEXT, struct td_site_address, address, REQUIRED),
	KEY("nodes", TYPE_NODES, struct td_site_address, nodes, REQUIRED,
	    CHILD("node", "node")),
	{ NULL },
};

static const struct site_key extension_keys[] = {
	KEY("number", TYPE_NUMBER, struct td_site_extension, first),
	KEY("range", TYPE_RANGE, struct td_site_extension, first),
	KEY("password", TYPE_TEXT, struct td_site_extension, password,
	    REQUIRED),
	KEY("name", TYPE_TEXT, struct td_site_extension, name),
	KEY("sha256", TYPE_BOOL, struct td_site_extension, sha256),
	KEY("class", TYPE_TEXT, struct td_site_extension, class),
	{ NULL },
};

static const struct site_key ddi_keys[] = {
	KEY("number", TYPE_NUMBER, struct td_site_ddi, first),
	KEY("range", TYPE_RANGE, struct td_site_ddi, first),
	KEY("keep", TYPE_U32, struct td_site_ddi, keep, REQUIRED),
	{ NULL },
};

static const struct site_key route_keys[] = {
	KEY("prefix", TYPE_TEXT, struct td_site_route, prefix, REQUIRED),
	KEY("strip", TYPE_U32, struct td_site_route, strip),
	KEY("transit", TYPE_BOOL, struct td_site_route, transit),
	KEY("add", TYPE_TEXT, struct td_site_route, add, .column = "prepend"),
	KEY("group", TYPE_TEXT, struct td_site_route, group,
	    .column = "line_group"),
	KEY("lines", TYPE_LINES, struct td_site_route, lines,
	    CHILD("line", "line")),
	{ NULL },
};

static const struct site_key service_keys[] = {
	KEY("number", TYPE_TEXT, struct td_site_service, number, REQUIRED),
	KEY("service", TYPE_WORD, struct td_site_service, service, REQUIRED,
	    .words = services),
	{ NULL },
};

/* timeslots 1-15 and 17-31: G.704 2.3, slot 16 for the D-channel */
static const struct td_site_line line_defaults = {
	.channels = 0xfffefffe, .dchannel = 16, .transparent = true,
};
static const struct td_site site_defaults = {
	.jitter_ms = 60, .rtp_timeout_s = 60, .session_expires_s = 1800,
};

#define SECT(plural, singular, st, keylist, limit, ...)                        \
	{                                                                      \
		.name = #plural, .one = singular,                              \
		.offset = offsetof(struct td_site, plural),                    \
		.n_offset = offsetof(struct td_site, n_##plural),              \
		.item = sizeof(st), .max = limit, .keys = keylist, __VA_ARGS__ \
	}

const struct site_section site_sections[SECT_N] = {
	[SECT_SITE] = { .name = "site", .one = "site",
			.item = sizeof(struct td_site), .max = 1,
			.keys = site_keys, .defaults = &site_defaults },
	[SECT_NODES] = SECT(nodes, "node", struct td_site_node, node_keys,
			    TD_SITE_MAX_NODES),
	[SECT_CLASSES] = SECT(classes, "class", struct td_site_class,
			      class_keys, TD_SITE_MAX_CLASSES),
	[SECT_LINES] = SECT(lines, "line", struct td_site_line, line_keys,
			    TD_SITE_MAX_LINES, .defaults = &line_defaults),
	[SECT_ADDRESSES] = SECT(addresses, "address", struct td_site_address,
				address_keys, TD_SITE_MAX_ADDRESSES),
	[SECT_EXTENSIONS] = SECT(extensions, "extension",
				 struct td_site_extension, extension_keys,
				 TD_SITE_MAX_RANGES),
	[SECT_DDI] = SECT(ddi, "ddi", struct td_site_ddi, ddi_keys,
			  TD_SITE_MAX_DDI),
	[SECT_ROUTES] = SECT(routes, "route", struct td_site_route,
			     route_keys, TD_SITE_MAX_ROUTES),
	[SECT_SERVICES] = SECT(services, "service", struct td_site_service,
			       service_keys, TD_SITE_MAX_SERVICES),
};

void *site_items(const struct td_site *s, enum site_sect sect)
{
	void *p;

	if (sect == SECT_SITE)
		return (void *)s;
	memcpy(&p, (const char *)s + site_sections[sect].offset, sizeof(p));
	return p;
}

size_t site_count(const struct td_site *s, enum site_sect sect)
{
	size_t n;

	if (sect == SECT_SITE)
		return 1;
	memcpy(&n, (const char *)s + site_sections[sect].n_offset, sizeof(n));
	return n;
}

void site_set(struct td_site *s, enum site_sect sect, void *items, size_t n)
{
	memcpy((char *)s + site_sections[sect].offset, &items, sizeof(items));
	memcpy((char *)s + site_sections[sect].n_offset, &n, sizeof(n));
}

bool site_key_secret(const struct site_key *k)
{
	return !strcmp(k->name, "password");
}

const char *site_item_name(const struct td_site *s, enum site_sect sect,
			   size_t i)
{
	const struct site_section *se = &site_sections[sect];

	return (const char *)site_items(s, sect) + i * se->item +
	       se->keys[0].offset;
}

void td_site_free(struct td_site *s)
{
	if (!s)
		return;
	for (int i = SECT_SITE + 1; i < SECT_N; i++)
		free(site_items(s, i));
	free(s);
}

int td_site_copy(const struct td_site *s, struct td_site **out)
{
	struct td_site *c = malloc(sizeof(*c));

	if (!c)
		return -ENOMEM;
	*c = *s;
	for (int i = SECT_SITE + 1; i < SECT_N; i++)
		site_set(c, i, NULL, 0);
	for (int i = SECT_SITE + 1; i < SECT_N; i++) {
		size_t n = site_count(s, i), size = site_sections[i].item;
		void *p = malloc(n * size + 1);

		if (!p) {
			td_site_free(c);
			return -ENOMEM;
		}
		if (n)
			memcpy(p, site_items(s, i), n * size);
		site_set(c, i, p, n);
	}
	*out = c;
	return 0;
}
