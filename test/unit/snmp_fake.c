/* SPDX-License-Identifier: BSD-3-Clause */
#include "test/unit/snmp_fake.h"

#include <stdlib.h>
#include <string.h>

#include "lib/net/prefix.h"

static uint64_t
fake_uptime(void *ctx)
{
	const struct snmp_fake *f = ctx;

	return f->uptime;
}

static uint64_t
fake_now(void *ctx)
{
	const struct snmp_fake *f = ctx;

	return f->now;
}

static const struct bh_snmp_ops ops = {fake_uptime, fake_now};

struct snmp_fake *
snmp_fake_new(void)
{
	struct snmp_fake *f = calloc(1, sizeof(*f));

	if (f == NULL || bh_snmp_init(&f->s, &ops, f) != 0)
		abort();
	f->now = 1000000;
	f->uptime = 5000;
	f->s.stats = &f->stats;
	for (unsigned int i = 0; i < BH_SNMP_MIRRORS; i++)
		bh_mirror_begin(&f->s.mirror[i]);
	return f;
}

void
snmp_fake_free(struct snmp_fake *f)
{
	bh_snmp_fini(&f->s);
	free(f);
}

void
snmp_fake_change(struct snmp_fake *f, uint16_t table, uint8_t op, const void *key, const void *val)
{
	const struct bh_schema *sc = bh_schema(table);
	uint8_t k[BH_KEY_MAX] __attribute__((aligned(8))) = {0};
	uint8_t v[BH_VAL_MAX] __attribute__((aligned(8))) = {0};
	struct bh_change c = {.table = table, .op = op};

	if (key != NULL)
		c.key = memcpy(k, key, sc->key_len);
	if (val != NULL) {
		c.val = memcpy(v, val, sc->val_max);
		c.val_len = sc->val_max;
	}
	for (unsigned int i = 0; i < BH_SNMP_MIRRORS; i++)
		if (f->s.mirror[i].spec->table == table)
			bh_mirror_change(&f->s.mirror[i], &c);
}

void
snmp_fake_complete(struct snmp_fake *f)
{
	for (unsigned int i = 0; i < BH_SNMP_MIRRORS; i++) {
		struct bh_change c = {.op = BH_OP_SYNCED};

		bh_mirror_change(&f->s.mirror[i], &c);
		c.op = BH_OP_COMPLETE;
		bh_mirror_change(&f->s.mirror[i], &c);
	}
}

void
snmp_fake_interface(struct snmp_fake *f, uint32_t ifindex, const char *name, uint8_t oper)
{
	struct bh_ifindex_key key = {ifindex};
	struct bh_interface val = {.flags = BH_IF_ENABLED, .oper = oper, .mtu = 1500, .speed = 10000,
		.mac = {2, 0, 0, 0, 0, (uint8_t)ifindex}, .last_change = 9990};

	strncpy(val.name, name, sizeof(val.name) - 1);
	strncpy(val.device, "0000:03:00.0", sizeof(val.device) - 1);
	snmp_fake_change(f, BH_T_INTERFACE, BH_OP_PUT, &key, &val);
}

void
snmp_fake_process(struct snmp_fake *f, const char *name, uint8_t state, uint64_t seen_ns)
{
	struct bh_ifname_key key = {""};
	struct bh_process val = {.pid = 42, .state = state, .seen_ns = seen_ns,
		.last_exit = seen_ns != 0 ? 9 : BH_EXIT_NONE, .how = seen_ns != 0};

	strncpy(key.name, name, sizeof(key.name) - 1);
	snmp_fake_change(f, BH_T_PROCESS, BH_OP_PUT, &key, &val);
}

void
snmp_fake_socket(struct snmp_fake *f, uint16_t table, uint8_t family, const char *laddr,
	uint16_t lport, const char *raddr, uint16_t rport, uint32_t ifindex, uint32_t state)
{
	struct bh_sock_key key = {.family = family, .ifindex = ifindex, .lport = lport, .rport = rport};
	struct bh_sock val = {.state = state};

	if (laddr != NULL && bh_addr_parse(laddr, key.laddr) != family)
		abort();
	if (raddr != NULL && bh_addr_parse(raddr, key.raddr) != family)
		abort();
	snmp_fake_change(f, table, BH_OP_PUT, &key, &val);
}
