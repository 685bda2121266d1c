// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "node/isdn/lapd.h"

static void a_frame_is_looked_at_before_libpri_reads_it(void **state)
{
	static const struct {
		const char *what;
		uint8_t b[4];
		size_t n;
		enum td_lapd_verdict want;
	} t[] = {
		{ "nothing", { 0 }, 0, TD_LAPD_SHORT },
		{ "an address only", { 0, 1 }, 2, TD_LAPD_SHORT },
		{ "SABME", { 2, 1, 0x7f }, 3, TD_LAPD_GOOD },
		{ "UA", { 2, 1, 0x73 }, 3, TD_LAPD_GOOD },
		{ "RR", { 0, 1, 1, 2 }, 4, TD_LAPD_GOOD },
		{ "RR cut", { 0, 1, 1 }, 3, TD_LAPD_SHORT },
		{ "I", { 0, 1, 0, 0 }, 10, TD_LAPD_GOOD },
		{ "I cut", { 0, 1, 0 }, 3, TD_LAPD_SHORT },
		{ "I of N201", { 0, 1, 0, 0 }, 264, TD_LAPD_GOOD },
		{ "I too long", { 0, 1, 0, 0 }, 265, TD_LAPD_LONG },
		{ "EA0 set", { 1, 1, 0x7f }, 3, TD_LAPD_ADDRESS },
		{ "EA1 clear", { 0, 0, 0x7f }, 3, TD_LAPD_ADDRESS },
		{ "SAPI 63", { 0xfe, 1, 0x7f }, 3, TD_LAPD_FOREIGN },
		{ "TEI 127", { 0, 0xff, 0x7f }, 3, TD_LAPD_FOREIGN },
		{ "UI", { 0, 1, 0x03 }, 20, TD_LAPD_FOREIGN },
		{ "UI with P", { 0, 1, 0x13 }, 20, TD_LAPD_FOREIGN },
	};

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		uint8_t f[300] = { 0 };

		for (int k = 0; k < 4; k++)
			f[k] = t[i].b[k];
		if (td_lapd_check(f, t[i].n) != t[i].want)
			fail_msg("%s", t[i].what);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_frame_is_looked_at_before_libpri_reads_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
