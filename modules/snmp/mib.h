/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a MIB is to the agent: objects and tables of columns, read row by row from the model. A MIB
 * is one file that ends in one struct bh_snmp_mib and has its line in `bh_snmp_mibs` (mibs.c).
 *
 * Nothing here knows net-snmp (agent.c does), nothing waits for another process but the core.
 */
#ifndef BH_SNMP_MIB_H
#define BH_SNMP_MIB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "infobase/schema.h"
#include "modules/snmp/rows.h"

struct bh_snmp_model;

#define BH_OID_MAX 128 /* RFC 2578 §7.1.3 */

struct bh_oid {
	uint32_t n;
	uint32_t id[BH_OID_MAX];
};

enum bh_value_type {
	BH_VALUE_INTEGER, /* INTEGER, Integer32, TruthValue */
	BH_VALUE_UNSIGNED, /* Unsigned32, Gauge32 */
	BH_VALUE_COUNTER32,
	BH_VALUE_COUNTER64,
	BH_VALUE_TICKS,
	BH_VALUE_OCTETS,
	BH_VALUE_OID,
};

struct bh_value {
	enum bh_value_type type;
	int32_t integer;
	uint64_t number;     /* of the unsigned types */
	const void *octets;  /* lives until the next change of the model, or is `room` */
	size_t len;
	char room[256];
	struct bh_oid oid;
};

/* Setters; all return true, so that they can end a value function. */
bool bh_value_integer(struct bh_value *v, int32_t n);
bool bh_value_unsigned(struct bh_value *v, uint64_t n); /* what is larger: the largest */
bool bh_value_counter32(struct bh_value *v, uint64_t n); /* its lower half */
bool bh_value_counter64(struct bh_value *v, uint64_t n);
bool bh_value_ticks(struct bh_value *v, uint64_t hundredths); /* modulo 2^32 */
bool bh_value_octets(struct bh_value *v, const void *octets, size_t len);
bool bh_value_text(struct bh_value *v, const char *text, size_t room); /* NUL-padded */
bool bh_value_truth(struct bh_value *v, bool b);		 /* TruthValue, RFC 2579 */
/* DateAndTime (RFC 2579) in UTC of seconds since the epoch; all zero for 0. */
bool bh_value_date(struct bh_value *v, uint64_t s);

/* A table, whose entries are at root.1.column.index; or, without columns, one scalar at root.0. */
struct bh_mib_table {
	const char *name;
	uint32_t root[14], root_len;
	const uint8_t *columns; /* that can be read, ascending, 0 behind the last; NULL: a scalar */
	unsigned int mirror;	/* for bh_mib_mirror_row() */
	unsigned int hidden;	/* the same: last sub-identifiers that only tell its rows apart */
	/* The row at the index, or (next) the first behind it, whose index is put into *x; NULL:
	 * none. What it returns lives until the next call. Scalars have none. */
	const void *(*row)(struct bh_snmp_model *s, const struct bh_mib_table *t,
		struct bh_index *x, bool next);
	/* The value in a column of a row, or of the scalar (column 0). false: it has none. */
	bool (*value)(struct bh_snmp_model *s, const void *row, const struct bh_index *x,
		uint32_t column, struct bh_value *v);
};

#define BH_ROOT(...)                                                                               \
	.root = {__VA_ARGS__}, .root_len = sizeof((uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t)
#define BH_MIB_2 1, 3, 6, 1, 2, 1
#define BH_COLUMNS(...) (const uint8_t[]){__VA_ARGS__, 0}

struct bh_snmp_mib {
	const char *name;  /* as users write it */
	uint32_t bit;	   /* BH_SNMP_* of the configuration */
	const struct bh_mib_table *tables;
	unsigned int n_tables;
	/* Both may be NULL. Once, before the sandbox; 0 or -errno. */
	int (*init)(struct bh_snmp_model *s);
	void (*fini)(struct bh_snmp_model *s);
};

extern const struct bh_snmp_mib *const bh_snmp_mibs[]; /* NULL behind the last */

/* A row function over the rows of mirror t->mirror. The row is for bh_mirror_key() and _val(). */
const void *bh_mib_mirror_row(
	struct bh_snmp_model *s, const struct bh_mib_table *t, struct bh_index *x, bool next);

/* The value at that name. 0; -ENOENT: there is no such instance; -ENXIO: no such object. */
int bh_mib_get(struct bh_snmp_model *s, const struct bh_mib_table *t, const struct bh_oid *name,
	struct bh_value *v);
/* The first value behind that name, which becomes its own. 0; -ENOENT: none in this table. */
int bh_mib_next(struct bh_snmp_model *s, const struct bh_mib_table *t, struct bh_oid *name,
	struct bh_value *v);

#endif
