// SPDX-License-Identifier: GPL-2.0-or-later
#include "node/route/class.h"

#include <string.h>

/* Octets of the longest prefix of the number in a list, 0: none fits. */
static size_t longest(const char (*list)[TD_NUMBER_MAX], unsigned int n,
		      const char *number)
{
	size_t best = 0;

	for (unsigned int i = 0; i < n; i++) {
		size_t m = strlen(list[i]);

		if (m > best && !strncmp(number, list[i], m))
			best = m;
	}
	return best;
}

bool td_class_allows(const struct td_site_class *c, const char *number)
{
	size_t allow, deny;

	if (!c)
		return true;
	allow = longest(c->allow, c->n_allow, number);
	deny = longest(c->deny, c->n_deny, number);
	/* one prefix stands in one list only */
	if (allow == deny)
		return c->otherwise == TD_CLASS_ALLOW;
	return allow > deny;
}

bool td_class_may_allow(const struct td_site_class *c, const char *begin)
{
	size_t n = strlen(begin);

	if (td_class_allows(c, begin))
		return true;
	for (unsigned int i = 0; i < c->n_allow; i++)
		if (!strncmp(c->allow[i], begin, n))
			return true;
	return false;
}

static const struct td_site_class *class(const struct td_site *s,
					 const char *name)
{
	return *name ? td_site_class(s, name) : NULL;
}

const struct td_site_class *td_class_of_user(const struct td_site *s,
					     const char *user)
{
	const struct td_site_extension *e = td_site_extension(s, user);

	return e ? class(s, e->class) : NULL;
}

const struct td_site_class *td_class_of_line(const struct td_site *s,
					     const char *line)
{
	const struct td_site_line *l = td_site_line(s, line);

	return l ? class(s, l->class) : NULL;
}
