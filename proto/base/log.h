/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_LOG_H
#define TD_LOG_H

/** Structured log, one line an event: `level room code key=value …`.
 *  A warning or error carries a code that the manual explains ("SPAN-LOS");
 *  info and debug lines may have NULL. The sink is the process's stderr (the
 *  journal under systemd); it is the one thing here that belongs to the
 *  process and not to an object. An error is logged once, at the edge. */
enum td_log_level { TD_LOG_ERR, TD_LOG_WARN, TD_LOG_INFO, TD_LOG_DEBUG };

void td_log_level_set(enum td_log_level max);
enum td_log_level td_log_level_get(void);

void td_log(enum td_log_level level, const char *room, const char *code,
	    const char *fmt, ...) __attribute__((format(printf, 4, 5)));

#define td_err(room, code, ...) td_log(TD_LOG_ERR, room, code, __VA_ARGS__)
#define td_warn(room, code, ...) td_log(TD_LOG_WARN, room, code, __VA_ARGS__)
#define td_info(room, ...) td_log(TD_LOG_INFO, room, NULL, __VA_ARGS__)
#define td_debug(room, ...)                                                    \
	do {                                                                   \
		if (td_log_level_get() >= TD_LOG_DEBUG)                        \
			td_log(TD_LOG_DEBUG, room, NULL, __VA_ARGS__);         \
	} while (0)

#endif
