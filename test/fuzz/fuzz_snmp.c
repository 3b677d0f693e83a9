/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a master agent sends, beyond what net-snmp's library reads of it: names of objects, to be
 * got or to be walked on from, and the stream of its answers. Also where it is, as users write it.
 *
 * The first byte picks: 0 to 63 a table of the MIBs, and the rest is a name, numbers of 32 bits low
 * byte first; with 64 to 127 the name begins with the table's own; else the stream, and an address.
 */
#include "lib/net/sockaddr.h"
#include "modules/snmp/agentx.h"
#include "modules/snmp/mibs.h"
#include "test/fuzz/fuzz.h"
#include "test/unit/snmp_fake.h"

static struct snmp_fake *fake;

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	fake = snmp_fake_new();
	fake->stats.n_fwd = 1;
	for (uint32_t i = 1; i < BH_T_MAX; i += 2)
		fake->stats.table[i].used = 1;
	fake->stats.lcore[0].used = fake->stats.lcore[BH_STATS_LCORES - 1].used = 1;
	snmp_fake_interface(fake, 1, "p1", BH_OPER_UP);
	snmp_fake_interface(fake, BH_IF_MAX - 1, "p255", BH_OPER_UP);
	snmp_fake_process(fake, "core", BH_PROC_READY, 0);
	snmp_fake_process(fake, "snmp", BH_PROC_READY, 1);
	for (uint32_t i = 0; i < 3; i++) {
		snmp_fake_socket(fake, BH_T_TCP, 4, NULL, 22, NULL, 0, i, 10);
		snmp_fake_socket(fake, BH_T_TCP, 6, "2001:db8::1", 22, "2001:db8::2", 9, i, 1);
		snmp_fake_socket(fake, BH_T_UDP, 4, "192.0.2.1", 53, NULL, 0, i, 7);
	}
	snmp_fake_complete(fake);
	return 0;
}

/* The table of that number; NULL: there are not so many. */
static const struct bh_mib_table *
table_of(unsigned int which)
{
	for (unsigned int i = 0; bh_snmp_mibs[i] != NULL; i++) {
		if (which < bh_snmp_mibs[i]->n_tables)
			return &bh_snmp_mibs[i]->tables[which];
		which -= bh_snmp_mibs[i]->n_tables;
	}
	return NULL;
}

static int
compare(const struct bh_oid *a, const struct bh_oid *b)
{
	for (uint32_t i = 0; i < a->n && i < b->n; i++)
		if (a->id[i] != b->id[i])
			return a->id[i] < b->id[i] ? -1 : 1;
	return (a->n > b->n) - (a->n < b->n);
}

/* It is one, and all of it can be read. */
static void
check_value(const struct bh_value *v)
{
	static uint8_t copy[512];

	FUZZ_CHECK(v->type <= BH_VALUE_OID);
	if (v->type != BH_VALUE_OCTETS)
		return;
	FUZZ_CHECK(v->len <= sizeof(copy));
	memcpy(copy, v->octets, v->len);
}

/* What can be got is what the walk finds; the next object is behind the name, and can be got. */
static void
check_name(const struct bh_mib_table *t, struct bh_oid name)
{
	struct bh_oid next = name;
	struct bh_value v;

	if (bh_mib_get(&fake->s, t, &name, &v) == 0)
		check_value(&v);
	for (int i = 0; i < 4 && bh_mib_next(&fake->s, t, &next, &v) == 0; i++, name = next) {
		check_value(&v);
		FUZZ_CHECK(compare(&next, &name) > 0);
		FUZZ_CHECK(bh_mib_get(&fake->s, t, &next, &v) == 0);
	}
}

static void
check_stream(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size + 1);
	struct sockaddr_storage to;
	socklen_t len;

	FUZZ_CHECK(copy != NULL);
	memcpy(copy, data, size);
	FUZZ_CHECK(bh_agentx_duplicates(copy, size) <= size / 28);
	copy[size] = '\0';
	if (bh_sockaddr_parse((char *)copy, &to, &len) == 0)
		FUZZ_CHECK(len <= sizeof(to) && to.ss_family != 0);
	free(copy);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct bh_mib_table *t;
	struct bh_oid name = {0};

	if (size == 0)
		return 0;
	if (data[0] >= 128) {
		check_stream(data + 1, size - 1);
		return 0;
	}
	t = table_of(data[0] & 63);
	if (t == NULL)
		return 0;
	if (data[0] >= 64) {
		memcpy(name.id, t->root, t->root_len * sizeof(name.id[0]));
		name.n = t->root_len;
	}
	for (size_t at = 1; at + 4 <= size && name.n < BH_OID_MAX; at += 4)
		memcpy(&name.id[name.n++], data + at, 4);
	check_name(t, name);
	return 0;
}
