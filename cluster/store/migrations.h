/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_MIGRATIONS_H
#define TD_MIGRATIONS_H

/* deploy/sql, put into the program by deploy/sql/embed. Ascending; number 0
 * ends the list. */
struct store_migration {
	unsigned int number;
	const char *name;
	const char *sql;
};

extern const struct store_migration store_migrations_pg[];
extern const struct store_migration store_migrations_sqlite[];

#endif
