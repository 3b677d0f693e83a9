/* SPDX-License-Identifier: BSD-3-Clause */
#include "app/ctl/core.h"

#include <errno.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/ctl/args.h"

#define ANSWER_SECONDS 15 /* for a whole table */

static void
on_alarm(int sig)
{
	static const char text[] = "bhctl: the core does not answer: does it hang?\n";

	(void)sig;
	if (write(STDERR_FILENO, text, sizeof(text) - 1) < 0)
		_exit(BH_CTL_FAILED);
	_exit(BH_CTL_UNREACHABLE);
}

static int
not_allowed(const char *socket, const char *group, char *err, size_t err_len)
{
	if (group == NULL)
		snprintf(err, err_len, "%s: permission denied: run as root, or see --group in "
			"bulkhead(8)", socket);
	else
		snprintf(err, err_len, "%s: permission denied: run as root, or be made a member of "
			"group %s: usermod -a -G %s USER", socket, group, group);
	return BH_CTL_PERMISSION;
}

int
bh_ctl_contact_error(int rc, const char *socket, const char *group, char *err, size_t err_len)
{
	switch (-rc) {
	case EACCES:
	case EPERM:
		return not_allowed(socket, group, err, err_len);
	case ENOENT:
	case ENOTDIR:
	case ECONNREFUSED:
		snprintf(err, err_len, "no core answers at %s: is bulkhead running?", socket);
		return BH_CTL_UNREACHABLE;
	case ECONNRESET:
	case EPIPE:
		snprintf(err, err_len, "the core at %s closed the connection: is it going down?",
			socket);
		return BH_CTL_UNREACHABLE;
	case ETIMEDOUT:
		snprintf(err, err_len, "the core at %s does not answer: does it hang?", socket);
		return BH_CTL_UNREACHABLE;
	case EPROTONOSUPPORT:
		snprintf(err, err_len, "the core at %s is of another version than bhctl " BH_VERSION,
			socket);
		return BH_CTL_UNREACHABLE;
	default:
		snprintf(err, err_len, "no connection to the core at %s: %s", socket, strerror(-rc));
		return BH_CTL_UNREACHABLE;
	}
}

/* Name or number of the group that may use the socket; NULL: only its owner may. */
static const char *
socket_group(const char *socket, char *number, size_t len)
{
	const struct group *gr;
	struct stat st;

	if (stat(socket, &st) < 0 || st.st_gid == 0)
		return NULL;
	gr = getgrgid(st.st_gid);
	snprintf(number, len, "%u", st.st_gid);
	return gr != NULL ? gr->gr_name : number;
}

static int
contact_failed(struct bh_ctl_core *core, int rc)
{
	char err[512], number[16];
	const char *group = socket_group(core->socket, number, sizeof(number));
	int code = bh_ctl_contact_error(rc, core->socket, group, err, sizeof(err));

	fprintf(stderr, "bhctl: %s\n", err);
	return code;
}

int
bh_ctl_request_failed(struct bh_ctl_core *core, uint16_t table, int rc)
{
	const struct bh_schema *s = bh_schema(table);

	if (rc == -ECONNRESET || rc == -EPIPE)
		return contact_failed(core, rc);
	fprintf(stderr, "bhctl: table %s: %s\n", s == NULL ? "?" : s->name, strerror(-rc));
	return rc == -EPERM || rc == -EACCES ? BH_CTL_PERMISSION : BH_CTL_FAILED;
}

static int
map_stats(struct bh_ctl_core *core)
{
	size_t size = 0;
	const struct bh_stats *st = bh_stats_map(core->h, &size);

	if (st == NULL || size < sizeof(*st) || st->magic != BH_STATS_MAGIC ||
		st->version != BH_STATS_VERSION) {
		fputs("bhctl: the core's statistics have another layout: bhctl " BH_VERSION
		      " and the running core are of different versions\n",
			stderr);
		return BH_CTL_FAILED;
	}
	core->stats = st;
	return BH_CTL_OK;
}

int
bh_ctl_connect(struct bh_ctl_core *core, const char *socket)
{
	struct bh_open_args args = {
		.client = "bhctl",
		.service = BH_SERVICE_INFOBASE,
		.role_fd = -1,
		.socket = socket,
	};
	char rep[64];
	size_t len = sizeof(rep);
	int rc;

	signal(SIGALRM, on_alarm);
	core->socket = socket;
	core->stats = NULL;
	core->h = bh_open(&args);
	if (core->h == NULL)
		return contact_failed(core, -errno);
	alarm(ANSWER_SECONDS);
	rc = bh_call(core->h, BH_V_NOP, 0, NULL, NULL, 0, rep, &len);
	alarm(0);
	if (rc == 0)
		return map_stats(core);
	return contact_failed(core, rc);
}

void
bh_ctl_disconnect(struct bh_ctl_core *core)
{
	if (core->h != NULL)
		bh_close(core->h);
	core->h = NULL;
	core->stats = NULL;
}

struct take {
	struct bh_recs *recs;
	int rc; /* the first error */
};

static void
take_record(void *arg, const struct bh_change *c)
{
	struct take *t = arg;

	if (c->op == BH_OP_PUT && t->rc == 0)
		t->rc = bh_recs_add(t->recs, c->flags, c->key, c->val, c->val_len);
}

int
bh_ctl_dump(struct bh_ctl_core *core, uint16_t table, struct bh_recs *recs)
{
	struct take t = {.recs = recs};
	int rc;

	alarm(ANSWER_SECONDS);
	rc = bh_dump(core->h, BH_V_DUMP, table, take_record, &t);
	alarm(0);
	if (rc == 0)
		rc = t.rc;
	return rc == 0 ? BH_CTL_OK : bh_ctl_request_failed(core, table, rc);
}

int
bh_ctl_one(struct bh_ctl_core *core, uint8_t verb, uint16_t table, const void *key,
	struct bh_recs *recs)
{
	struct take t = {.recs = recs};
	uint8_t rep[BH_MSG_MAX];
	size_t len = sizeof(rep);
	int rc;

	alarm(ANSWER_SECONDS);
	rc = bh_call(core->h, verb, table, NULL, key, recs->key_len, rep, &len);
	alarm(0);
	if (rc == -ENOENT)
		return BH_CTL_OK;
	if (rc == 0)
		rc = bh_changes(table, rep, len, take_record, &t);
	if (rc == 0)
		rc = t.rc;
	return rc == 0 ? BH_CTL_OK : bh_ctl_request_failed(core, table, rc);
}

int
bh_ctl_ask(struct bh_ctl_core *core, uint8_t verb, uint16_t table, uint32_t *aux,
	const void *req, size_t req_len, void *rep, size_t *rep_len)
{
	int rc;

	alarm(ANSWER_SECONDS);
	rc = bh_call(core->h, verb, table, aux, req, req_len, rep, rep_len);
	alarm(0);
	return rc == 0 ? BH_CTL_OK : bh_ctl_request_failed(core, table, rc);
}
