// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <errno.h>

#include <cmocka.h>

#include "node/media/ports.h"

static void every_port_is_given_once(void **state)
{
	static uint8_t given[10000];
	struct td_ports p;
	uint16_t port;

	td_ports_init(&p, 4321);
	memset(given, 0, sizeof(given));
	for (int i = 0; i < 5000; i++) {
		assert_int_equal(td_ports_take(&p, 0, &port), 0);
		assert_in_range(port, 20000, 29998);
		assert_int_equal(port % 2, 0);
		assert_int_equal(given[port - 20000]++, 0);
	}
	port = 7;
	assert_int_equal(td_ports_take(&p, 0, &port), -ENOSPC);
	assert_int_equal(port, 7);
	assert_int_equal(p.used, 5000);
}

static void a_port_rests_for_a_minute(void **state)
{
	struct td_ports p;
	uint16_t port, again;

	td_ports_init(&p, 0);
	for (int i = 0; i < 5000; i++)
		assert_int_equal(td_ports_take(&p, 0, &port), 0);
	td_ports_give(&p, 1000, port);
	td_ports_give(&p, 50000, port);	/* given back twice: no effect */
	td_ports_give(&p, 1000, 19998);
	td_ports_give(&p, 1000, 30000);
	assert_int_equal(p.used, 4999);
	assert_int_equal(td_ports_take(&p, 60999, &again), -ENOSPC);
	assert_int_equal(td_ports_take(&p, 61000, &again), 0);
	assert_int_equal(again, port);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_port_is_given_once),
		cmocka_unit_test(a_port_rests_for_a_minute),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
