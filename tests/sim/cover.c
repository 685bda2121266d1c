// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/sim/cover.h"

#include <stdio.h>
#include <string.h>

static const struct {
	const char *name;
	int must;
} rows[SIM_COVERS] = {
#define X(name, must) { #name, must },
	SIM_COVER(X)
#undef X
};

void sim_cover_add(struct sim_cover *to, const struct sim_cover *c)
{
	uint64_t a[SIM_COVERS], b[SIM_COVERS];

	memcpy(a, to, sizeof(a));
	memcpy(b, c, sizeof(b));
	for (unsigned int i = 0; i < SIM_COVERS; i++)
		a[i] += b[i];
	memcpy(to, a, sizeof(a));
}

unsigned int sim_cover_print(const struct sim_cover *c)
{
	unsigned int missing = 0, column = 0;
	uint64_t a[SIM_COVERS];

	memcpy(a, c, sizeof(a));
	for (unsigned int i = 0; i < SIM_COVERS; i++) {
		char name[40], *p;

		snprintf(name, sizeof(name), "%s", rows[i].name);
		while ((p = strchr(name, '_')))
			*p = ' ';
		if (!column)
			printf("#");
		column += (unsigned int)printf(
			" %s %llu%s", name, (unsigned long long)a[i],
			rows[i].must && !a[i] ? " (NEVER)" : "");
		if (column > 60 || i + 1 == SIM_COVERS) {
			printf("\n");
			column = 0;
		} else {
			printf(",");
		}
		missing += rows[i].must && !a[i];
	}
	return missing;
}
