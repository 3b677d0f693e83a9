/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * IP-MIB (RFC 4293), counters: ipSystemStatsTable and ipIfStatsTable, of what the fast path counts
 * in shared memory. docs/ip-counters.md tells what is in which, and what is left out.
 */
#include "modules/snmp/mibs.h"
#include "modules/snmp/model.h"

enum { FRAG_REQDS = 26, DISCONTINUITY = 46, REFRESH = 47, OUT_NO_ROUTES = 22 };

#define REFRESH_MS 1 /* each burst of packets is told at once */

/* What a column shows: a counter + 1, and whether all of its 64 bits. */
static const struct {
	uint8_t counter;
	bool wide;
} shown[] = {
	[3] = {BH_IP_IN_RECEIVES + 1, false},
	[4] = {BH_IP_IN_RECEIVES + 1, true},
	[5] = {BH_IP_IN_OCTETS + 1, false},
	[6] = {BH_IP_IN_OCTETS + 1, true},
	[7] = {BH_IP_IN_HDR_ERRORS + 1, false},
	[8] = {BH_IP_IN_NO_ROUTES + 1, false},
	[9] = {BH_IP_IN_ADDR_ERRORS + 1, false},
	[11] = {BH_IP_IN_TRUNCATED + 1, false},
	[12] = {BH_IP_IN_FORWARDED + 1, false},
	[13] = {BH_IP_IN_FORWARDED + 1, true},
	[17] = {BH_IP_IN_DISCARDS + 1, false},
	[18] = {BH_IP_IN_DELIVERS + 1, false},
	[19] = {BH_IP_IN_DELIVERS + 1, true},
	[20] = {BH_IP_OUT_REQUESTS + 1, false},
	[21] = {BH_IP_OUT_REQUESTS + 1, true},
	[OUT_NO_ROUTES] = {BH_IP_OUT_NO_ROUTES + 1, false},
	[23] = {BH_IP_OUT_FORWARDED + 1, false},
	[24] = {BH_IP_OUT_FORWARDED + 1, true},
	[25] = {BH_IP_OUT_DISCARDS + 1, false},
	[27] = {BH_IP_OUT_FRAG_OKS + 1, false},
	[28] = {BH_IP_OUT_FRAG_FAILS + 1, false},
	[29] = {BH_IP_OUT_FRAG_CREATES + 1, false},
	[30] = {BH_IP_OUT_TRANSMITS + 1, false},
	[31] = {BH_IP_OUT_TRANSMITS + 1, true},
	[32] = {BH_IP_OUT_OCTETS + 1, false},
	[33] = {BH_IP_OUT_OCTETS + 1, true},
	[34] = {BH_IP_IN_MCAST + 1, false},
	[35] = {BH_IP_IN_MCAST + 1, true},
	[36] = {BH_IP_IN_MCAST_OCTETS + 1, false},
	[37] = {BH_IP_IN_MCAST_OCTETS + 1, true},
	[38] = {BH_IP_OUT_MCAST + 1, false},
	[39] = {BH_IP_OUT_MCAST + 1, true},
	[40] = {BH_IP_OUT_MCAST_OCTETS + 1, false},
	[41] = {BH_IP_OUT_MCAST_OCTETS + 1, true},
	[42] = {BH_IP_IN_BCAST + 1, false},
	[43] = {BH_IP_IN_BCAST + 1, true},
	[44] = {BH_IP_OUT_BCAST + 1, false},
	[45] = {BH_IP_OUT_BCAST + 1, true},
};

/* In front of those that only the system's table has, and behind them. */
#define COLUMNS_TO_21 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 17, 18, 19, 20, 21
#define COLUMNS_FROM_23                                                                            \
	23, 24, 25, FRAG_REQDS, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, \
		44, 45, DISCONTINUITY, REFRESH

static bool
counter(const struct bh_stats_ip *sum, uint32_t column, struct bh_value *v)
{
	uint64_t n;

	if (column == FRAG_REQDS)
		return bh_value_counter32(
			v, sum->n[BH_IP_OUT_FRAG_OKS] + sum->n[BH_IP_OUT_FRAG_FAILS]);
	if (column >= sizeof(shown) / sizeof(shown[0]) || shown[column].counter == 0)
		return false;
	n = sum->n[shown[column].counter - 1];
	return shown[column].wide ? bh_value_counter64(v, n) : bh_value_counter32(v, n);
}

/* version: InetVersion, ipv4(1), ipv6(2). */
static bool
value(struct bh_snmp_model *s, uint32_t version, uint32_t ifindex, uint32_t column,
	struct bh_value *v)
{
	struct bh_stats_ip sum;

	if (s->stats == NULL)
		return false;
	if (column == DISCONTINUITY) /* they begin again with the core */
		return bh_value_ticks(v, bh_snmp_ticks_at(s, s->stats->started * 100));
	if (column == REFRESH)
		return bh_value_unsigned(v, REFRESH_MS);
	bh_ip_total(s->stats, version == 1 ? 4 : 6, ifindex, &sum);
	return counter(&sum, column, v);
}

static const void *
system_row(struct bh_snmp_model *s, const struct bh_mib_table *t, struct bh_index *x, bool next)
{
	static const char row;
	uint32_t version = x->n == 0 ? 0 : x->id[0];

	(void)s;
	(void)t;
	if (!next)
		return x->n == 1 && (version == 1 || version == 2) ? &row : NULL;
	if (version >= 2)
		return NULL;
	*x = (struct bh_index){1, {version + 1}};
	return &row;
}

static bool
system_value(struct bh_snmp_model *s, const void *row, const struct bh_index *x, uint32_t column,
	struct bh_value *v)
{
	(void)row;
	return value(s, x->id[0], BH_IP_ALL, column, v);
}

static struct bh_index
behind_version(const struct bh_index *x)
{
	struct bh_index at = {0};

	for (uint32_t i = 1; i < x->n; i++)
		bh_index_add(&at, x->id[i]);
	return at;
}

/* Each interface, for both versions. */
static const void *
if_row(struct bh_snmp_model *s, const struct bh_mib_table *t, struct bh_index *x, bool next)
{
	const struct bh_rows *rows = &s->mirror[BH_MIRROR_INTERFACE].rows;
	uint32_t version = x->n == 0 ? 0 : x->id[0];
	struct bh_index at = behind_version(x);
	const void *row = NULL;

	(void)t;
	if (!next)
		return version == 1 || version == 2 ? bh_rows_find(rows, &at) : NULL;
	if (version == 0)
		version = 1;
	for (; version <= 2; version++, at.n = 0) {
		row = bh_rows_next(rows, &at, &at);
		if (row != NULL)
			break;
	}
	if (row != NULL)
		*x = (struct bh_index){2, {version, at.id[0]}};
	return row;
}

static bool
if_value(struct bh_snmp_model *s, const void *row, const struct bh_index *x, uint32_t column,
	struct bh_value *v)
{
	(void)row;
	return value(s, x->id[0], x->id[1], column, v);
}

static bool
last_change(struct bh_snmp_model *s, const void *row, const struct bh_index *x, uint32_t column,
	struct bh_value *v)
{
	(void)row;
	(void)x;
	(void)column;
	return bh_value_ticks(v, bh_snmp_ticks_at(s, s->if_table_change));
}

static const struct bh_mib_table tables[] = {
	{
		.name = "ipSystemStatsTable",
		BH_ROOT(BH_MIB_2, 4, 31, 1),
		.columns = BH_COLUMNS(COLUMNS_TO_21, OUT_NO_ROUTES, COLUMNS_FROM_23),
		.row = system_row,
		.value = system_value,
	},
	{.name = "ipIfStatsTableLastChange", BH_ROOT(BH_MIB_2, 4, 31, 2), .value = last_change},
	{
		.name = "ipIfStatsTable",
		BH_ROOT(BH_MIB_2, 4, 31, 3),
		.columns = BH_COLUMNS(COLUMNS_TO_21, COLUMNS_FROM_23),
		.row = if_row,
		.value = if_value,
	},
};

const struct bh_snmp_mib bh_ip_stats_mib = {
	.name = "ip-mib",
	.bit = BH_SNMP_IP,
	.tables = tables,
	.n_tables = sizeof(tables) / sizeof(tables[0]),
};
