/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_SITE_ROWS_H
#define TD_SITE_ROWS_H

#include "cluster/store/site.h"

/** A site as rows of tables (deploy/sql, there with config_ before the name):
 *  {"site": [{"name": "lab", …}], "node": […], "line": […],
 *   "line_node": [{"line": "s1", "pos": 1, "node": "n1"}, …], …}
 *  What is not given is null; a row has all its columns.
 *  @param[out] out new reference. -ENOMEM */
int td_site_to_rows(const struct td_site *s, json_t **out);

/** The same back, checked as a whole; problems are those of td_site_check,
 *  and what does not fit into the model at all.
 *  @return 0; -EINVAL: *problems says why; -ENOMEM */
int td_site_from_rows(const json_t *rows, struct td_site **out,
		      struct td_problems *problems);

/** What differs, by object: array of
 *  {"object": "extension 1000", "change": "changed", "key": "name",
 *   "old": "a", "new": "b", "text": "extension 1000: name \"a\" -> \"b\""}
 *  change "added", "removed": new, old is the object as in site.yaml. Of a
 *  password only "changed" is told.
 *  @param[out] out new reference. -ENOMEM */
int td_site_diff(const struct td_site *a, const struct td_site *b,
		 json_t **out);

#endif
