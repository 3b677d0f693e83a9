/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Longest prefix match in a table, for the verb `lookup`: an exact get per prefix length in
 * use, longest first. Packets have the FIB; this answers people and modules.
 */
#include <string.h>

#include "infobase/table_priv.h"

/* Both keys are an address, then plen. */
static unsigned int
addr_len(const struct bh_table *t)
{
	return t->schema->key_len == sizeof(struct bh_route4_key) ? 4 : 16;
}

void
bh_table_count_plen(struct bh_table *t, const void *key, int by)
{
	unsigned int plen = ((const uint8_t *)key)[addr_len(t)];

	if (plen <= BH_PLEN_MAX)
		t->plen_count[plen] += by;
}

/* Clears the bits of addr behind the first plen. */
static void
cut(uint8_t *addr, unsigned int len, unsigned int plen)
{
	unsigned int whole = plen / 8;

	if (plen % 8 != 0)
		addr[whole++] &= 0xff << (8 - plen % 8);
	memset(addr + whole, 0, len - whole);
}

const struct bh_record *
bh_table_lookup(const struct bh_table *t, const void *key)
{
	unsigned int len = addr_len(t);
	const struct bh_record *rec;
	uint8_t k[sizeof(struct bh_route6_key)];
	int plen;

	bh_table_check_lcore(t);
	memcpy(k, key, t->schema->key_len);
	k[len + 1] = 0; /* pad */
	for (plen = len * 8; plen >= 0; plen--) {
		if (t->plen_count[plen] == 0)
			continue;
		cut(k, len, plen);
		k[len] = plen;
		rec = bh_table_get(t, k);
		if (rec != NULL)
			return rec;
	}
	return NULL;
}
