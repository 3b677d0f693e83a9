/* SPDX-License-Identifier: BSD-3-Clause */
#include "lib/log/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const char *log_program = "bulkhead";
static enum bh_log_level log_max = BH_LOG_NOTICE;
static bool log_journal;

void
bh_log_init(const char *program, enum bh_log_level level)
{
	log_program = program;
	log_max = level;
	log_journal = getenv("JOURNAL_STREAM") != NULL;
}

void
bh_log(enum bh_log_level level, const char *area, const char *fmt, ...)
{
	int saved = errno;
	char line[1024];
	int off = 0, n;
	va_list ap;

	if (level > log_max)
		return;
	if (log_journal)
		off = snprintf(line, sizeof(line), "<%d>", level);
	off += snprintf(line + off, sizeof(line) - off, "%s: %s: ", log_program, area);
	va_start(ap, fmt);
	n = vsnprintf(line + off, sizeof(line) - off - 1, fmt, ap);
	va_end(ap);
	if (n < 0)
		n = 0;
	off += n;
	if (off > (int)sizeof(line) - 2)
		off = sizeof(line) - 2;
	line[off++] = '\n';
	/* One write a line, so that lines of several processes do not mix. */
	while (write(STDERR_FILENO, line, off) < 0 && errno == EINTR)
		;
	errno = saved;
}
