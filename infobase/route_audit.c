/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The route workers' part of BH_V_AUDIT (audit.h). The cursor is a slot of the table, then, with
 * its highest bit set, a place of the FIB.
 */
#include <errno.h>
#include <string.h>

#include "infobase/audit.h"
#include "infobase/route_audit.h"

#define FIB_WALK 0x80000000u

struct audit {
	const struct bh_route_audited *of;
	struct bh_audit_turn *turn;
	unsigned int addr_len;
};

static bool
is_full(const struct audit *a)
{
	return a->turn->n == a->turn->most;
}

static void
note(struct audit *a, enum bh_audit_what what, const uint8_t *key, uint32_t wanted,
	uint32_t found, bool repaired)
{
	struct bh_audit_diff *d = &a->turn->diff[a->turn->n++];

	*d = (struct bh_audit_diff){ .what = what, .repaired = repaired, .plen = key[a->addr_len],
		.wanted = wanted, .found = found };
	memcpy(d->addr, key, a->addr_len);
	a->turn->sum.differing++;
	a->turn->sum.repaired += repaired;
}

/* What is wrong with the prefix, or 0. wanted 0: it should not be in the FIB. */
static enum bh_audit_what
compare(const struct audit *a, const uint8_t *key, uint32_t wanted, uint32_t *found)
{
	struct bh_fib *fib = a->of->fib;
	uint8_t plen = key[a->addr_len];

	*found = 0;
	bh_fib_lookup_exact(fib, key, plen, found); /* none: it stays 0 */
	if (*found != wanted)
		return *found == 0 ? BH_AUDIT_MISSING :
			wanted == 0 ? BH_AUDIT_SURPLUS : BH_AUDIT_OTHER_HOP;
	return wanted == 0 || bh_fib_agrees(fib, key, plen) ? 0 : BH_AUDIT_LOOKUP;
}

static bool
repair(const struct audit *a, enum bh_audit_what what, const uint8_t *key, uint32_t wanted)
{
	struct bh_fib *fib = a->of->fib;
	uint8_t plen = key[a->addr_len];
	uint32_t found;
	int rc;

	if (!a->turn->repair)
		return false;
	if (what == BH_AUDIT_SURPLUS && bh_table_get(a->of->table, key) != NULL)
		rc = bh_fib_hold(fib, key, plen); /* a waiting route keeps its place in the order */
	else if (what == BH_AUDIT_SURPLUS)
		rc = bh_fib_del(fib, key, plen);
	else if (what == BH_AUDIT_LOOKUP)
		rc = bh_fib_renew(fib, key, plen);
	else
		rc = bh_fib_set(fib, key, plen, wanted);
	if (rc == 0 && what != BH_AUDIT_LOOKUP && compare(a, key, wanted, &found) == BH_AUDIT_LOOKUP)
		rc = bh_fib_renew(fib, key, plen);
	return rc == 0 && compare(a, key, wanted, &found) == 0;
}

static void
look(struct audit *a, const uint8_t *key, uint32_t wanted)
{
	uint32_t found;
	enum bh_audit_what what = compare(a, key, wanted, &found);

	if (what != 0)
		note(a, what, key, wanted, found, repair(a, what, key, wanted));
}

/* Records from the cursor on. True: all were looked at. */
static bool
walk_records(struct audit *a, unsigned int *budget)
{
	struct bh_audit_turn *turn = a->turn;
	const struct bh_record *rec;
	struct bh_route v;

	while (*budget > 0 && !is_full(a)) {
		rec = bh_table_next(a->of->table, &turn->cursor);
		if (rec == NULL)
			return true;
		memcpy(&v, bh_record_val(rec, bh_table_schema(a->of->table)), sizeof(v));
		if (v.flags & BH_ROUTE_UNRESOLVED)
			turn->sum.waiting++;
		look(a, bh_record_key(rec), v.flags & BH_ROUTE_UNRESOLVED ? 0 : v.nh);
		turn->sum.checked++;
		--*budget;
	}
	return false;
}

/* Prefixes of the FIB from the cursor on, of which no record is. */
static bool
walk_fib(struct audit *a, unsigned int *budget)
{
	struct bh_audit_turn *turn = a->turn;
	uint8_t key[sizeof(struct bh_route6_key)];
	uint32_t nh;
	int rc;

	for (; *budget > 0 && !is_full(a); --*budget) {
		memset(key, 0, sizeof(key));
		rc = bh_fib_at(a->of->fib, turn->cursor & ~FIB_WALK, key, &key[a->addr_len], &nh);
		if (rc == -ERANGE)
			return true;
		turn->cursor++;
		if (rc < 0)
			continue;
		turn->sum.checked++;
		if (bh_table_get(a->of->table, key) == NULL)
			look(a, key, 0);
	}
	return false;
}

void
bh_route_audit(const struct bh_route_audited *of, struct bh_audit_turn *turn)
{
	struct audit a = { of, turn, bh_table_schema(of->table)->key_len ==
		sizeof(struct bh_route4_key) ? 4 : 16 };
	unsigned int budget = BH_AUDIT_BUDGET;

	if (!(turn->cursor & FIB_WALK) && walk_records(&a, &budget))
		turn->cursor = FIB_WALK;
	if ((turn->cursor & FIB_WALK) && walk_fib(&a, &budget))
		turn->cursor = BH_DUMP_END;
	turn->sum.published = bh_fib_count(of->fib);
}
