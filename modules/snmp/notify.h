/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Notifications: linkUp and linkDown (RFC 2863), bhModuleUp and bhModuleDown.
 *
 * What was told is remembered, and what is to be told is the difference to what is. So nothing is
 * queued while there is no master: when it returns it hears how things are now. What was told is
 * kept in the table `snmp`, so that a link or module that fails while this process is dead is told
 * by its successor.
 */
#ifndef BH_SNMP_NOTIFY_H
#define BH_SNMP_NOTIFY_H

#include "modules/snmp/agent.h"
#include "modules/snmp/model.h"

struct bh_notify_ops {
	/* Hands a notification to the master. 0, or -errno: there is none, or no memory. */
	int (*send)(void *ctx, const struct bh_oid *trap, const struct bh_varbind *vars,
		unsigned int n);
	/* Puts a record into the table `snmp`, or (val NULL) takes it out. 0; -EAGAIN: not now. */
	int (*save)(void *ctx, const struct bh_snmp_key *key, const struct bh_snmp *val);
};

struct bh_notify {
	struct bh_snmp_model *s;
	const struct bh_notify_ops *ops;
	void *ctx;
	struct bh_rows told; /* struct told, by kind and index */
	bool primed;	     /* what is new from now on is told */
};

void bh_notify_init(struct bh_notify *n, struct bh_snmp_model *s, const struct bh_notify_ops *ops,
	void *ctx);
void bh_notify_fini(struct bh_notify *n);

/* A record that a predecessor left; what is none of ours is left out. Before the first look. */
void bh_notify_recover(
	struct bh_notify *n, const struct bh_snmp_key *key, const struct bh_snmp *val);

/* All that was told is to be saved again: the core is a new one, or we are its new owner. */
void bh_notify_unsaved(struct bh_notify *n);

/* Tells what is new, to somebody if `loud`, saves what was told. Once the tables are complete;
 * again whenever they have changed, or the master has come. false: there is more to save later. */
bool bh_notify_look(struct bh_notify *n, bool loud);

#endif
