/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A mirror: the records of one table of the info base in the order that a MIB wants, kept by a
 * watch. What it holds stays while there is no core; what the next watch does not renew is swept
 * once it is synced, or complete. One thread.
 */
#ifndef BH_SNMP_MIRROR_H
#define BH_SNMP_MIRROR_H

#include "lib/client/bulkhead.h"
#include "modules/snmp/rows.h"

struct bh_mirror;

struct bh_mirror_spec {
	uint16_t table;
	/* The index of a record's row, made of its key alone. false: never in this mirror. */
	bool (*index)(const void *key, struct bh_index *x);
	/* Whether a record is shown; NULL: every one. */
	bool (*shown)(const void *key, const void *val);
	/* A record is new (was NULL), changed, or gone (is NULL); called before the row is. May be
	 * NULL. arg: of bh_mirror_init(). */
	void (*changed)(void *arg, const void *key, const void *was, const void *is);
	/* Its owner is always there: what a new core does not have stays until the owner has ended
	 * its replay, so that a restart is not seen as the end of everything. */
	bool lasting;
};

struct bh_mirror {
	const struct bh_mirror_spec *spec;
	void *arg;
	struct bh_rows rows; /* key and value: bh_mirror_key(), bh_mirror_val() */
	uint32_t mark;	     /* of the watch or resync that goes on */
	bool synced;	     /* all that the table holds was seen */
	bool complete;	     /* and its owner's end-of-replay */
	bool lost;	     /* a record found no memory: only the next core's watch brings it */
};

void bh_mirror_init(struct bh_mirror *m, const struct bh_mirror_spec *spec, void *arg);
void bh_mirror_fini(struct bh_mirror *m);

/* A watch begins: what is there becomes stale. */
void bh_mirror_begin(struct bh_mirror *m);

/* A bh_change_fn; arg: the mirror. */
void bh_mirror_change(void *arg, const struct bh_change *c);

/* Of the data of a row: the record, aligned to 8, val zero up to the schema's longest. */
const void *bh_mirror_key(const void *row);
const void *bh_mirror_val(const struct bh_mirror *m, const void *row);

/* The value of the record of that key, or NULL. */
const void *bh_mirror_get(const struct bh_mirror *m, const void *key);

#endif
