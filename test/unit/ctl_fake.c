/* SPDX-License-Identifier: BSD-3-Clause */
#include "test/unit/ctl_fake.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "infobase/audit.h"
#include "lib/client/bulkhead.h"
#include "lib/net/prefix.h"

static struct bh_recs tables[BH_T_MAX];
static struct bh_stats *stats;
static int contact_rc, table_rc[BH_T_MAX];
char *fake_out, *fake_err;
static struct {
	unsigned int n;
	bool may_repair, bad;
} audits[BH_T_MAX];

void
fake_reset(void)
{
	for (uint16_t t = 1; t < BH_T_MAX; t++) {
		bh_recs_free(&tables[t]);
		bh_recs_init(&tables[t], bh_schema(t)->key_len, bh_schema(t)->val_max);
		table_rc[t] = 0;
	}
	memset(audits, 0, sizeof(audits));
	if (stats == NULL)
		stats = aligned_alloc(64, sizeof(*stats));
	memset(stats, 0, sizeof(*stats));
	stats->magic = BH_STATS_MAGIC;
	stats->version = BH_STATS_VERSION;
	contact_rc = 0;
}

void
fake_put(uint16_t table, uint8_t flags, const void *key, const void *val, size_t val_len)
{
	if (bh_recs_add(&tables[table], flags, key, val, val_len) < 0)
		abort();
}

struct bh_stats *
fake_stats(void)
{
	return stats;
}

void
fake_fail_contact(int rc)
{
	contact_rc = rc;
}

void
fake_fail_table(uint16_t table, int rc)
{
	table_rc[table] = rc;
}

/* ---- libbulkhead ---- */

struct bh_handle *
bh_open(const struct bh_open_args *args)
{
	static char handle;

	return args->socket == NULL ? NULL : (struct bh_handle *)&handle;
}

void
bh_close(struct bh_handle *h)
{
	(void)h;
}

const void *
bh_stats_map(const struct bh_handle *h, size_t *size)
{
	(void)h;
	*size = sizeof(*stats);
	return stats;
}

static void
give(uint16_t table, size_t i, bh_change_fn fn, void *arg)
{
	const struct bh_recs *r = &tables[table];
	struct bh_change c = {
		.table = table,
		.op = BH_OP_PUT,
		.flags = bh_recs_is_stale(r, i) ? BH_REC_STALE : 0,
		.key = bh_recs_key(r, i),
		.val = bh_recs_val(r, i),
		.val_len = r->val_len,
	};

	fn(arg, &c);
}

int
bh_dump(struct bh_handle *h, uint8_t verb, uint16_t table, bh_change_fn fn, void *arg)
{
	(void)h;
	if (verb != BH_V_DUMP)
		return -EINVAL;
	for (size_t i = 0; table_rc[table] == 0 && i < tables[table].n; i++)
		give(table, i, fn, arg);
	return table_rc[table];
}

/* Place of the record asked for, or -1. The reply's body is just that number. */
static int
find(uint8_t verb, uint16_t table, const void *key)
{
	const struct bh_recs *r = &tables[table];
	int best = -1, best_plen = -1;
	size_t addr_len = table == BH_T_ROUTE4 ? 4 : 16;

	for (size_t i = 0; i < r->n; i++) {
		const uint8_t *k = bh_recs_key(r, i);

		if (verb == BH_V_GET && memcmp(k, key, r->key_len) == 0)
			return i;
		if (verb == BH_V_LOOKUP && bh_addr_match(k, key, k[addr_len]) &&
			k[addr_len] > best_plen) {
			best = i;
			best_plen = k[addr_len];
		}
	}
	return best;
}

void
fake_audit(uint16_t table, unsigned int n, bool may_repair, bool bad)
{
	audits[table].n = n;
	audits[table].may_repair = may_repair;
	audits[table].bad = bad;
}

/* One turn: the cursor counts the differences that were told. */
static int
audit(uint16_t table, uint32_t *cursor, const void *req, uint8_t *rep, size_t *rep_len)
{
	struct bh_audit sum = {.records = tables[table].n, .published = tables[table].n, .checked = 7};
	struct bh_audit_diff d = {.what = BH_AUDIT_MISSING, .plen = 8, .wanted = 3};
	struct bh_audit_ask ask;

	memcpy(&ask, req, sizeof(ask));
	*rep_len = sizeof(sum);
	if (*cursor < audits[table].n) {
		d.addr[0] = ++*cursor;
		d.repaired = (ask.flags & BH_AUDIT_REPAIR) && audits[table].may_repair;
		sum.differing = 1 + audits[table].bad;
		sum.repaired = d.repaired;
		memcpy(rep + sizeof(sum), &d, sizeof(d));
		*rep_len += sizeof(d);
	}
	if (*cursor >= audits[table].n)
		*cursor = BH_DUMP_END;
	memcpy(rep, &sum, sizeof(sum));
	return 0;
}

int
bh_call(struct bh_handle *h, uint8_t verb, uint16_t table, uint32_t *aux, const void *req,
	size_t req_len, void *rep, size_t *rep_len)
{
	int at;

	(void)h;
	if (verb == BH_V_NOP)
		return contact_rc;
	if (table_rc[table] != 0)
		return table_rc[table];
	if (verb == BH_V_AUDIT)
		return audit(table, aux, req, rep, rep_len);
	if (req_len != tables[table].key_len || *rep_len < sizeof(at))
		return -EINVAL;
	at = find(verb, table, req);
	if (at < 0)
		return -ENOENT;
	memcpy(rep, &at, sizeof(at));
	*rep_len = sizeof(at);
	return 0;
}

int
bh_changes(uint16_t table, const void *body, size_t len, bh_change_fn fn, void *arg)
{
	int at;

	if (len != sizeof(at))
		return -EBADMSG;
	memcpy(&at, body, len);
	give(table, at, fn, arg);
	return 0;
}

/* ---- running ---- */

static char *
take_text(int fd)
{
	off_t n = lseek(fd, 0, SEEK_END);
	char *text = calloc(1, n + 1);

	if (text == NULL || pread(fd, text, n, 0) != n)
		abort();
	close(fd);
	return text;
}

static int
divert(FILE *f, int *saved)
{
	int fd = memfd_create("test", MFD_CLOEXEC);

	fflush(f);
	*saved = dup(fileno(f));
	if (fd < 0 || dup2(fd, fileno(f)) < 0)
		abort();
	return fd;
}

static void
restore(FILE *f, int saved)
{
	fflush(f);
	dup2(saved, fileno(f));
	close(saved);
}

int
fake_run(bh_show_fn fn, const char *command)
{
	struct bh_ctl_core core = {0};
	struct bh_ctl_args args;
	char copy[256], err[256], *argv[16];
	int argc = 0, rc, out, errfd, saved_out, saved_err;

	snprintf(copy, sizeof(copy), "%s", command);
	for (char *w = strtok(copy, " "); w != NULL && argc < 15; w = strtok(NULL, " "))
		argv[argc++] = w;
	argv[argc] = NULL;
	if (bh_ctl_args_parse(&args, argc, argv, err, sizeof(err)) < 0)
		return BH_CTL_USAGE;
	out = divert(stdout, &saved_out);
	errfd = divert(stderr, &saved_err);
	rc = bh_ctl_connect(&core, args.socket);
	if (rc == BH_CTL_OK)
		rc = fn(&core, &args);
	bh_ctl_disconnect(&core);
	restore(stdout, saved_out);
	restore(stderr, saved_err);
	free(fake_out);
	free(fake_err);
	fake_out = take_text(out);
	fake_err = take_text(errfd);
	return rc;
}

/* ---- a router ---- */

static void
put_interface(uint32_t ifindex, const char *name, uint8_t oper, const char *address)
{
	struct bh_ifindex_key key = {.ifindex = ifindex};
	struct bh_interface val = {
		.flags = BH_IF_ENABLED | BH_IF_FORWARD4 | BH_IF_IPV4 | BH_IF_IPV6,
		.oper = oper,
		.mac = {2, 0, 0, 0, 0, ifindex},
		.mtu = 1500,
		.mtu6 = 1400,
		.port = oper == BH_OPER_NOT_PRESENT ? UINT16_MAX : ifindex - 1,
		.device = "net_memif0,role=server",
	};
	struct bh_cfg_address_key akey = {0};
	struct bh_cfg_address aval = {0};
	struct bh_prefix p;

	snprintf(val.name, sizeof(val.name), "%s", name);
	if (oper == BH_OPER_NOT_PRESENT)
		snprintf(val.error, sizeof(val.error), "no such device");
	fake_put(BH_T_INTERFACE, 0, &key, &val, sizeof(val));
	if (address == NULL || bh_prefix_parse(address, &p) < 0)
		return;
	snprintf(akey.name, sizeof(akey.name), "%s", name);
	akey.family = p.family;
	memcpy(akey.addr, p.addr, sizeof(akey.addr));
	aval.plen = p.plen;
	fake_put(BH_T_CFG_ADDRESS, 0, &akey, &aval, sizeof(aval));
}

static void
put_nexthop(uint32_t id, uint8_t type, uint8_t n)
{
	struct bh_nexthop_key key = {.type = type, .n = n};
	struct bh_nexthop val = {.id = id, .n_live = n};

	for (uint8_t i = 0; i < n; i++) {
		key.m[i].ifindex = i + 1;
		key.m[i].weight = i + 1;
		if (type == BH_NH_GROUP) {
			key.m[i].family = BH_IP4;
			memcpy(key.m[i].addr, (uint8_t[]){10, 0, i, 2}, 4);
		}
	}
	fake_put(BH_T_NEXTHOP, 0, &key, &val, sizeof(val));
}

static void
put_route(const char *text, uint32_t nh, uint8_t proto, uint32_t flags, uint8_t rec_flags)
{
	struct bh_route val = {.nh = nh, .proto = proto, .preference = 5, .flags = flags};
	struct bh_route4_key k4 = {0};
	struct bh_route6_key k6 = {0};
	struct bh_prefix p;

	if (bh_prefix_parse(text, &p) < 0)
		abort();
	memcpy(k4.addr, p.addr, sizeof(k4.addr));
	memcpy(k6.addr, p.addr, sizeof(k6.addr));
	k4.plen = k6.plen = p.plen;
	if (p.family == BH_IP4)
		fake_put(BH_T_ROUTE4, rec_flags, &k4, &val, sizeof(val));
	else
		fake_put(BH_T_ROUTE6, rec_flags, &k6, &val, sizeof(val));
}

void
fake_router(void)
{
	fake_reset();
	put_interface(2, "eth1", BH_OPER_NOT_PRESENT, NULL);
	put_interface(1, "eth0", BH_OPER_UP, "2001:db8::1/64");
	fake_put(BH_T_CFG_ADDRESS, 0,
		&(struct bh_cfg_address_key){.name = "eth0", .family = 4, .addr = {10, 0, 0, 1}},
		&(struct bh_cfg_address){.plen = 24}, sizeof(struct bh_cfg_address));
	put_nexthop(3, BH_NH_GROUP, 2);
	put_nexthop(1, BH_NH_ATTACHED, 1);
	put_nexthop(2, BH_NH_LOCAL, 0);
	put_nexthop(4, BH_NH_BLACKHOLE, 0);
	put_route("2001:db8:1::/48", 4, BH_RP_STATIC, 0, BH_REC_STALE);
	put_route("192.0.2.0/24", 3, BH_RP_STATIC, 0, 0);
	put_route("10.0.0.0/24", 1, BH_RP_CONNECTED, 0, 0);
	put_route("10.0.0.1/32", 2, BH_RP_LOCAL, 0, 0);
	put_route("10.0.0.0/8", 99, BH_RP_STATIC, BH_ROUTE_UNRESOLVED, 0);
}
