/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_MAP_H
#define TD_MAP_H

#include <stddef.h>
#include <stdint.h>

/** Hash table from an octet string to a pointer; keys are copied. Iteration
 *  order is unspecified: replicated code that needs an order sorts. */
struct td_map;

int td_map_new(struct td_map **out);
/** @param free_value called for each value left, or NULL */
void td_map_free(struct td_map *m, void (*free_value)(void *));
size_t td_map_count(const struct td_map *m);

/** @return the value or NULL */
void *td_map_get(const struct td_map *m, const void *key, size_t n);
/** Sets; @param[out] old the replaced value or NULL, may be NULL
 *  @return 0 or -ENOMEM */
int td_map_set(struct td_map *m, const void *key, size_t n, void *value,
	       void **old);
/** @return the removed value or NULL */
void *td_map_del(struct td_map *m, const void *key, size_t n);

/** Walks: *pos starts at 0. @return the next value, NULL at the end.
 *  Deleting the element just returned is allowed; adding is not. */
void *td_map_next(const struct td_map *m, size_t *pos);

#define td_map_get_str(m, s) td_map_get(m, s, strlen(s))
#define td_map_get_u64(m, k) td_map_get(m, &(uint64_t){ k }, sizeof(uint64_t))

#endif
