/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_YAML_H
#define TD_YAML_H

#include <stdbool.h>
#include <stddef.h>

#include "cluster/store/site.h"

/** A YAML document as a tree whose nodes know their line; yaml.c is the only
 *  file that sees libyaml. Refused: aliases, keys that are not plain texts,
 *  more than one document, nesting or size beyond the limits. */
enum td_yaml_kind { TD_YAML_SCALAR, TD_YAML_LIST, TD_YAML_MAP };

enum {
	TD_YAML_MAX_DEPTH = 8,
	TD_YAML_MAX_NODES = 400000,
	TD_YAML_MAX_OCTETS = 512 * 1024,
};

struct td_yaml {
	enum td_yaml_kind kind;
	unsigned int line;	/* 1.. */
	char *text;		/* scalar: UTF-8, without NUL */
	bool plain;		/* scalar without quotes */
	struct td_yaml *key;	/* map: n scalars */
	struct td_yaml *item;	/* map, list: n values */
	size_t n;
};

/** @param file for td_problem.where
 *  @return 0; -EINVAL: *problems says why; -ENOMEM */
int td_yaml_parse(const char *file, const char *text, size_t n,
		  struct td_yaml **out, struct td_problems *problems);
void td_yaml_free(struct td_yaml *y);

/** Adds a problem at file:line. */
void td_yaml_problem(struct td_problems *p, const char *file,
		     unsigned int line, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

#endif
