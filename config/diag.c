/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Messages in one form, whether libyang or a check of ours speaks:
 * `bulkhead-config: FILE: message (path: PATH, line N)`.
 */
#include <libyang/libyang.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"

/* Counts an error; whether it is still to be shown. */
static bool
begin(struct bh_diag *d)
{
	if (d->n++ >= BH_DIAG_SHOWN)
		return false;
	fprintf(d->out, "bulkhead-config: ");
	if (d->file != NULL)
		fprintf(d->out, "%s: ", d->file);
	return true;
}

void
bh_diag(struct bh_diag *d, const struct lyd_node *node, const char *fmt, ...)
{
	va_list ap;

	if (!begin(d))
		return;
	va_start(ap, fmt);
	vfprintf(d->out, fmt, ap);
	va_end(ap);
	if (node != NULL) {
		char *path = lyd_path(node, LYD_PATH_STD, NULL, 0);

		fprintf(d->out, " (path: %s)", path != NULL ? path : "?");
		free(path);
	}
	fputc('\n', d->out);
}

/* Text of a file may be quoted in it: one message stays one line. */
static void
put_line(FILE *out, const char *text)
{
	for (; *text != '\0'; text++)
		fputc((unsigned char)*text < ' ' || *text == 0x7f ? ' ' : *text, out);
}

/*
 * libyang tells where as `Data location "PATH", line number N.`, `Schema location "PATH".` or
 * `Line number N.`; the path may itself hold quotes.
 */
static void
put_location(FILE *out, const char *text)
{
	const char *from = strstr(text, "ocation \"");
	const char *to = strrchr(text, '"');
	const char *line = strstr(text, "ine number ");

	if (from != NULL)
		from += strlen("ocation \"");
	if (from != NULL && to > from) {
		fprintf(out, " (path: %.*s", (int)(to - from), from);
		line = strstr(to, "ine number ");
	} else if (line != NULL) {
		fputs(" (", out);
	} else {
		fprintf(out, " (%s", text);
	}
	if (line != NULL)
		fprintf(out, "%sline %d", to != NULL && to > from ? ", " : "",
			atoi(line + strlen("ine number ")));
	fputc(')', out);
}

void
bh_diag_libyang(struct bh_diag *d, const struct ly_ctx *ctx)
{
	for (const struct ly_err_item *e = ly_err_first(ctx); e != NULL; e = e->next) {
		if (e->level != LY_LLERR || !begin(d))
			continue;
		put_line(d->out, e->msg != NULL ? e->msg : "error without a message");
		if (e->path != NULL)
			put_location(d->out, e->path);
		fputc('\n', d->out);
	}
	ly_err_clean((struct ly_ctx *)ctx, NULL);
}

void
bh_diag_end(const struct bh_diag *d)
{
	if (d->n > BH_DIAG_SHOWN)
		fprintf(d->out, "bulkhead-config: %s: and %u more errors\n",
			d->file != NULL ? d->file : "", d->n - BH_DIAG_SHOWN);
}
