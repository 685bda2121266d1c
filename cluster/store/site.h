/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_SITE_H
#define TD_SITE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** The central configuration, one generation of it: plain values, immutable
 *  once loaded, shared by all rooms (architecture.md, "Configuration").
 *  The order of a section's items means nothing; loaded, they are sorted.
 *  Written as a file it is site.yaml:
 *
 *  site:       {name: lab, domain: tandem.lab, country: de, jitter_ms: 60,
 *               rtp_timeout_s: 60, session_expires_s: 1800}
 *  nodes:      [{name: n1, id: 1, address: 10.77.0.1,
 *                cluster_address: 10.78.0.1},
 *               {name: w, id: 9, role: witness, …}]
 *  classes:    [{name: house},
 *               {name: national, allow: ["9"], deny: ["900"]}]
 *  lines:      [{name: s1, port: 1, nodes: [n1, n2], group: pstn,
 *                switch: euroisdn, side: user, channels: "1-15,17-31",
 *                overlap: true, transparent: true}]
 *  addresses:  [{name: a1, address: 10.77.0.11, nodes: [n1, n2]}]
 *  extensions: [{range: 1000-2942, password: "pw{number}", sha256: false},
 *               {number: 2999, password: x, name: Porter,
 *                class: national}]
 *  ddi:        [{range: 5551000-5552999, keep: 4}]   numbers as the exchange
 *                                       sends them -> last `keep` digits
 *  routes:     [{prefix: "9", strip: 1, add: "", group: pstn},
 *               {prefix: "983", strip: 2, lines: [s3]},
 *               {prefix: "5557", lines: [s2], transit: true}]
 *  services:   [{number: "*43", service: echo}, {number: "2943", …}]
 */
enum { TD_NUMBER_MAX = 32, TD_NAME_MAX = 32, TD_ADDR_MAX = 46 };

/** Limits of a site; td_site_check lists what is beyond. Numbers of
 *  extensions and DDI have at most 15 digits (E.164). */
enum {
	TD_SITE_MAX_NODES = 16,
	TD_SITE_MAX_LINES = 64,
	TD_SITE_MAX_ADDRESSES = 64,
	TD_SITE_MAX_EXTENSIONS = 100000,	/* numbers, ranges filled in */
	TD_SITE_MAX_RANGES = 20000,
	TD_SITE_MAX_DDI = 1000,
	TD_SITE_MAX_ROUTES = 4000,
	TD_SITE_MAX_SERVICES = 1000,
	TD_SITE_MAX_CLASSES = 64,
	TD_SITE_MAX_PORT = 32,
};

enum td_node_role { TD_ROLE_NODE, TD_ROLE_WITNESS };

struct td_site_node {
	char name[TD_NAME_MAX];
	uint32_t id;
	enum td_node_role role;
	char address[TD_ADDR_MAX];
	char cluster_address[TD_ADDR_MAX];
};

enum td_class_otherwise { TD_CLASS_DENY, TD_CLASS_ALLOW };

/** A class of service: what its members may dial that leads to a route. The
 *  longest prefix of either list decides, `otherwise` if none fits.
 *  Extensions without a class may dial everything; lines without one use the
 *  routes marked for transit, with one those that it allows. */
struct td_site_class {
	char name[TD_NAME_MAX];
	enum td_class_otherwise otherwise;
	char allow[16][TD_NUMBER_MAX];
	unsigned int n_allow;
	char deny[16][TD_NUMBER_MAX];
	unsigned int n_deny;
};

enum td_line_side { TD_SIDE_USER, TD_SIDE_NETWORK };
enum td_line_switch { TD_SWITCH_EUROISDN };

struct td_site_line {
	char name[TD_NAME_MAX];		/* "s1" */
	uint32_t port;			/* of the card, 1.. */
	uint32_t nodes[16];		/* ids, preferred first */
	unsigned int n_nodes;
	char group[TD_NAME_MAX];	/* carrier group for routes */
	enum td_line_side side;
	uint32_t channels;		/* bit t: timeslot t is a B-channel */
	uint32_t dchannel;		/* timeslot, 16 */
	bool overlap;			/* SETUP before all digits are known */
	bool transparent;		/* A-law bit for bit: always true */
	enum td_line_switch switch_type;
	char class[TD_NAME_MAX];	/* of what comes in here, "" none */
};

struct td_site_address {
	char name[TD_NAME_MAX];		/* "a1" */
	char address[TD_ADDR_MAX];
	uint32_t nodes[16];
	unsigned int n_nodes;
};

/** One extension or a range of them. Ranges never overlap; numbers of a
 *  range have equal length. */
struct td_site_extension {
	char first[TD_NUMBER_MAX], last[TD_NUMBER_MAX];
	char password[64];		/* "{number}" stands for the number */
	char name[64];
	bool sha256;			/* offer SHA-256 digests (RFC 8760) */
	char class[TD_NAME_MAX];	/* "" none */
};

struct td_site_ddi {
	char first[TD_NUMBER_MAX], last[TD_NUMBER_MAX];
	unsigned int keep;		/* digits kept, from the right */
};

struct td_site_route {
	char prefix[TD_NUMBER_MAX];	/* longest match wins */
	unsigned int strip;		/* digits taken off the left */
	char add[TD_NUMBER_MAX];	/* then put before */
	char group[TD_NAME_MAX];	/* "" when lines are named */
	char lines[16][TD_NAME_MAX];
	unsigned int n_lines;
	bool transit;			/* calls from lines may use it too */
};

enum td_service { TD_SERVICE_ECHO };

struct td_site_service {
	char number[TD_NUMBER_MAX];
	enum td_service service;
};

struct td_site {
	char name[TD_NAME_MAX];
	char domain[64];
	char country[4];		/* ISO 3166-1, "de": tones */
	uint32_t jitter_ms;		/* initial jitter buffer depth */
	uint32_t rtp_timeout_s;		/* silence of a phone until it is asked
					 * whether it is alive; 0: never */
	uint32_t session_expires_s;	/* RFC 4028; 0: no session timers */
	struct td_site_node *nodes;
	size_t n_nodes;
	struct td_site_class *classes;
	size_t n_classes;
	struct td_site_line *lines;
	size_t n_lines;
	struct td_site_address *addresses;
	size_t n_addresses;
	struct td_site_extension *extensions;	/* sorted by first */
	size_t n_extensions;
	struct td_site_ddi *ddi;
	size_t n_ddi;
	struct td_site_route *routes;
	size_t n_routes;
	struct td_site_service *services;
	size_t n_services;
};

/** Everything wrong with a document; where is "file:line". */
struct td_problem {
	char where[128];
	char what[256];
};
struct td_problems {
	struct td_problem *p;
	size_t n;
};
void td_problems_free(struct td_problems *p);
int td_problems_add(struct td_problems *p, const char *where, const char *fmt,
		    ...) __attribute__((format(printf, 3, 4)));

/** Parses and checks as a whole: unknown keys, overlapping ranges, a port
 *  wired twice, a route to nowhere, …; all problems are listed, not the first.
 *  @param file the name to use in td_problem.where
 *  @return 0; -EINVAL: *problems says why, *out is untouched; -ENOMEM */
int td_site_parse(const char *file, const char *text, size_t n,
		  struct td_site **out, struct td_problems *problems);
/** Canonical text, which parses back to an equal site. malloc'ed. */
int td_site_format(const struct td_site *s, char **text, size_t *n);
void td_site_free(struct td_site *s);
/** Deep copy. */
int td_site_copy(const struct td_site *s, struct td_site **out);
/** The checks alone, after edits; where is "line s1" and the like. */
int td_site_check(const struct td_site *s, struct td_problems *problems);

const struct td_site_extension *td_site_extension(const struct td_site *s,
						  const char *number);
/** The extension's password with {number} filled in.
 *  @return 0, -ENOENT: no such extension */
int td_site_password(const struct td_site *s, const char *number, char *out,
		     size_t size);
const struct td_site_node *td_site_node(const struct td_site *s, uint32_t id);
const struct td_site_node *td_site_node_by_name(const struct td_site *s,
						const char *name);
const struct td_site_line *td_site_line(const struct td_site *s,
					const char *name);
const struct td_site_class *td_site_class(const struct td_site *s,
					  const char *name);
const struct td_site_address *td_site_address(const struct td_site *s,
					      const char *name);
json_t *td_site_extensions_json(const struct td_site *s);
json_t *td_site_routes_json(const struct td_site *s);

/** Edits for the CLI (`tandem extension add|set|del`, `route add|del`). The
 *  result must pass td_site_check before it becomes a generation. */
/** Puts a number or a range; what it covers is replaced, splitting ranges. */
int td_site_extension_put(struct td_site *s, const struct td_site_extension *e);
/** Splits a range if need be. -ENOENT */
int td_site_extension_del(struct td_site *s, const char *number);
/** Removes all from first to last (of equal length); what is not there is no
 *  error. */
int td_site_extension_cut(struct td_site *s, const char *first,
			  const char *last);
/** The number `count - 1` after first, in as many digits.
 *  @return 0; -EINVAL: not a number; -ERANGE: more digits are needed */
int td_number_last(const char *first, uint64_t count, char *last, size_t size);
/** Replaces the route of that prefix. */
int td_site_route_put(struct td_site *s, const struct td_site_route *r);
int td_site_route_del(struct td_site *s, const char *prefix);

#endif
