/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_ROUTE_CLASS_H
#define TD_ROUTE_CLASS_H

#include <stdbool.h>

#include "cluster/store/site.h"

/** Classes of service (site.h): pure.
 *  May a member dial this number, all of it? The longest prefix of either list
 *  decides. NULL, no class: yes. */
bool td_class_allows(const struct td_site_class *c, const char *number);

/** May some number that begins so be dialled? */
bool td_class_may_allow(const struct td_site_class *c, const char *begin);

/** The class of an extension; NULL: it has none, or is none. */
const struct td_site_class *td_class_of_user(const struct td_site *s,
					     const char *user);
/** Of what comes in on a line. */
const struct td_site_class *td_class_of_line(const struct td_site *s,
					     const char *line);

#endif
