/* SPDX-License-Identifier: BSD-3-Clause */
#include "app/supervisor/status.h"

#include <stdio.h>
#include <string.h>

#include "app/supervisor/notify.h"

/* What a process is, if it is not on its way to be ready; NULL: nothing to say. */
static const char *
trouble(const struct bh_child *c)
{
	if (c->state == BH_PROC_HELD)
		return "held";
	if (c->hung)
		return "hung";
	return c->put_down ? "stopped" : NULL;
}

const char *
bh_status_text(const struct bh_supervisor *s, char *buf, size_t len)
{
	unsigned int ready = 0;
	size_t at;

	for (unsigned int i = 0; i < s->n_children; i++)
		ready += s->child[i].state == BH_PROC_READY;
	at = snprintf(buf, len, "%u of %u processes ready", ready, s->n_children);
	for (unsigned int i = 0; i < s->n_children && at < len; i++) {
		const char *what = trouble(&s->child[i]);

		if (what != NULL)
			at += snprintf(buf + at, len - at, "; %s %s", s->child[i].name, what);
	}
	return buf;
}

void
bh_status_tell(struct bh_supervisor *s)
{
	char text[sizeof(s->status)];

	if (s->notify == NULL)
		return;
	bh_status_text(s, text, sizeof(text));
	if (strcmp(text, s->status) == 0)
		return;
	strcpy(s->status, text);
	bh_notify(s->notify, "STATUS=%s", text);
}
