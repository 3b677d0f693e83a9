/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Log lines of every program: to stderr, one line each, `program: area: text`, with the
 * syslog priority as `<N>` in front when stderr goes to the journal (JOURNAL_STREAM).
 * Never called on the fast path. Any thread of any process may call it.
 */
#ifndef BH_LOG_H
#define BH_LOG_H

enum bh_log_level {
	BH_LOG_ERR = 3,
	BH_LOG_WARNING = 4,
	BH_LOG_NOTICE = 5,
	BH_LOG_INFO = 6,
	BH_LOG_DEBUG = 7,
};

/* Names the program and sets the least urgent level that is written. Call once, first. */
void bh_log_init(const char *program, enum bh_log_level level);

/* Writes one line. area: the part that speaks ("ports", "proxy"). Keeps errno. */
void bh_log(enum bh_log_level level, const char *area, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#define bh_err(area, ...) bh_log(BH_LOG_ERR, area, __VA_ARGS__)
#define bh_warn(area, ...) bh_log(BH_LOG_WARNING, area, __VA_ARGS__)
#define bh_notice(area, ...) bh_log(BH_LOG_NOTICE, area, __VA_ARGS__)
#define bh_info(area, ...) bh_log(BH_LOG_INFO, area, __VA_ARGS__)
#define bh_debug(area, ...) bh_log(BH_LOG_DEBUG, area, __VA_ARGS__)

#endif
