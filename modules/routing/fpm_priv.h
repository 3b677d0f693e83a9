/* SPDX-License-Identifier: BSD-3-Clause */
/* What the parts of the source of zebra's routes (fpm*.c) share. */
#ifndef BH_ROUTING_FPM_PRIV_H
#define BH_ROUTING_FPM_PRIV_H

#include "modules/routing/fpm.h"

/* ---- fpm.c: what is held of a prefix ---- */

/* NULL: nothing is known of it. */
struct bh_fpm_entry *bh_fpm_find(struct bh_fpm *f, const struct bh_prefix *p);
/* Made as gone if it is new. */
struct bh_fpm_entry *bh_fpm_get(struct bh_fpm *f, const struct bh_prefix *p);
/* It is there, of that epoch, the last of its protocol. */
void bh_fpm_touch(struct bh_fpm *f, struct bh_fpm_entry *e, uint8_t proto, uint32_t epoch);
/* What it uses from now on, or NULL. The set first: its id may be all that holds it. */
void bh_fpm_use_set(struct bh_fpm *f, struct bh_fpm_entry *e, struct bh_fpm_set *s);
void bh_fpm_use_nhg(struct bh_fpm *f, struct bh_fpm_entry *e, struct bh_fpm_nhg *g);
/* Has the RIB hold what the entry says. */
void bh_fpm_offer(struct bh_fpm *f, struct bh_fpm_entry *e);
/* Takes it back, from the info base too. */
void bh_fpm_delete(struct bh_fpm *f, struct bh_fpm_entry *e);
/* What a zebra that came back takes away, or does not tell yet, is left as it is for now. */
bool bh_fpm_keeps(const struct bh_fpm *f);
/* As if it had not been told in this epoch. */
void bh_fpm_unsay(struct bh_fpm *f, struct bh_fpm_entry *e);
/* Frees one that is gone and has no record. */
void bh_fpm_forget(struct bh_fpm *f, struct bh_fpm_entry *e);
/* Prefixes of a family. */
uint32_t *bh_fpm_count(struct bh_fpm *f, uint8_t family);

/* A record that was recovered: stale. */
void bh_fpm_put(struct bh_fpm *f, const struct bh_prefix *p, const struct bh_fpm_route *r);
/* Takes all back; records stay what they are. */
void bh_fpm_drop_all(struct bh_fpm *f);
/* Takes back at most budget stale routes of a protocol; how many. */
unsigned int bh_fpm_sweep_slot(struct bh_fpm *f, uint8_t proto, unsigned int budget);

/* ---- fpm_rec.c ---- */

/* The record is not any more what the info base holds. */
void bh_fpm_mark(struct bh_fpm *f, struct bh_fpm_entry *e);

/* The tables in the order of recovery and of replay. */
#define BH_FPM_TABLES 3
extern const uint16_t bh_fpm_tables[BH_FPM_TABLES];

/* Whether a reply tells only that the core is gone, which is noted. */
bool bh_fpm_is_lost(struct bh_fpm *f, const struct bh_msg *msg);

#endif
