// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "cluster/store/nodeconf.h"

static int load(const char *text, struct td_nodeconf *c, struct td_problems *p)
{
	char path[] = "/tmp/td-nodeconf-XXXXXX";
	int fd = mkstemp(path), rc;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	rc = td_nodeconf_load(path, c, p);
	unlink(path);
	return rc;
}

static void a_node_gets_its_defaults(void **state)
{
	struct td_problems p = { 0 };
	struct td_nodeconf c;

	assert_int_equal(load("node: n1\nid: 1\naddress: 10.77.0.1\n"
			      "cluster_address: 10.78.0.1\n"
			      "database: postgresql://tandem@10.77.0.5/tandem\n",
			      &c, &p), 0);
	assert_string_equal(c.node, "n1");
	assert_int_equal(c.id, 1);
	assert_int_equal(c.role, TD_RUN_NODE);
	assert_string_equal(c.state_dir, "/var/lib/tandem");
	assert_string_equal(c.control, "/run/tandem/control.sock");
	assert_string_equal(c.card, "/run/tandem/span.sock");
	assert_string_equal(c.group, "tandem");
	assert_string_equal(c.log, "info");
}

static void a_solo_node_keeps_its_store_beside_its_state(void **state)
{
	struct td_problems p = { 0 };
	struct td_nodeconf c;

	assert_int_equal(load("{node: s, id: 1, role: solo, card: \"\", "
			      "address: 10.77.0.1, state_dir: /srv/t}",
			      &c, &p), 0);
	assert_int_equal(c.role, TD_RUN_SOLO);
	assert_string_equal(c.card, "");
	assert_string_equal(c.database, "sqlite:/srv/t/site.db");
	assert_string_equal(c.cluster_address, "10.77.0.1");
}

static void every_mistake_is_listed(void **state)
{
	static const struct {
		const char *text;
		unsigned int n;
	} t[] = {
		{ "nodee: n1\nid: one\nrole: boss\n", 3 },
		{ "node: n1\nid: 17\n", 3 },
		{ "node: n1\nnode: n2\nid: 1\n", 1 },
		{ "{node: n1, id: 1, address: x, cluster_address: y, log: no, "
		  "state_dir: a, control: b, card: c, database: mysql}", 7 },
		{ "- a\n", 1 },
		{ "", 1 },
	};

	for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++) {
		struct td_problems p = { 0 };
		struct td_nodeconf c;

		assert_int_equal(load(t[i].text, &c, &p), -EINVAL);
		assert_int_equal(p.n, t[i].n);
		td_problems_free(&p);
	}
}

static void a_missing_file_is_told_as_such(void **state)
{
	struct td_problems p = { 0 };
	struct td_nodeconf c;

	assert_int_equal(td_nodeconf_load("/nonexistent/node.yaml", &c, &p),
			 -ENOENT);
	assert_int_equal(p.n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_node_gets_its_defaults),
		cmocka_unit_test(a_solo_node_keeps_its_store_beside_its_state),
		cmocka_unit_test(every_mistake_is_listed),
		cmocka_unit_test(a_missing_file_is_told_as_such),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
