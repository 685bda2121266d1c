/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TEST_STORE_LAB_H
#define TEST_STORE_LAB_H

#include "cluster/store/site.h"

/* The duplex lab's site, and a bit of everything more. */
static const char lab[] =
	"site: {name: lab, domain: tandem.lab, country: de, jitter_ms: 60}\n"
	"nodes:\n"
	"  - {name: n1, id: 1, address: 10.77.0.1, cluster_address: 10.78.0.1}\n"
	"  - name: n2\n"
	"    id: 2\n"
	"    address: 10.77.0.2\n"
	"    cluster_address: 10.78.0.2\n"
	"  - {name: w, id: 9, role: witness, cluster_address: 10.78.0.9}\n"
	"lines:\n"
	"  - {name: s1, port: 1, nodes: [n1, n2], group: pstn, side: user,\n"
	"     switch: euroisdn, channels: \"1-15,17-31\", overlap: true}\n"
	"  - {name: s3, port: 3, nodes: [n2, n1], group: pstn,\n"
	"     channels: [1-15, 17-31], transparent: true}\n"
	"addresses: [{name: a1, address: 10.77.0.11, nodes: [n1, n2]}]\n"
	"extensions:\n"
	"  - {range: 2944-2999, password: \"pw{number}\"}\n"
	"  - {range: 1000-2942, password: \"pw{number}\", sha256: yes}\n"
	"  - {number: 77, password: x, name: \"P\xc3\xb6rter \\\"7\\\"\"}\n"
	"ddi: [{range: 5551000-5552999, keep: 4}]\n"
	"routes:\n"
	"  - {prefix: \"9\", strip: 1, add: \"\", group: pstn}\n"
	"  - {prefix: \"983\", strip: 2, lines: [s3]}\n"
	"services: [{number: \"*43\", service: echo},\n"
	"           {number: \"2943\", service: echo}]\n";

static inline struct td_site *parse(const char *text)
{
	struct td_problems p = { 0 };
	struct td_site *s = NULL;
	int rc = td_site_parse("t.yaml", text, strlen(text), &s, &p);

	for (size_t i = 0; rc && i < p.n; i++)
		print_message("%s: %s\n", p.p[i].where, p.p[i].what);
	assert_int_equal(rc, 0);
	assert_int_equal(p.n, 0);
	return s;
}

#endif
