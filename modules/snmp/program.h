/* SPDX-License-Identifier: BSD-3-Clause */
/* Inside bulkhead-snmp: the process, and what it owns in the info base (owner.c). One thread. */
#ifndef BH_SNMP_PROGRAM_H
#define BH_SNMP_PROGRAM_H

#include "lib/module/module.h"
#include "modules/snmp/model.h"
#include "modules/snmp/notify.h"

struct program {
	struct bh_module m;
	struct bh_snmp_model snmp;
	struct bh_notify notify;
	struct event *master;
	int master_fd;	   /* that `master` waits for */
	bool was_connected; /* to the master, at the last look */
	bool owner;	   /* the table snmp is ours to write, in this core */
	bool recovered;	   /* what a predecessor left was read */
	bool replayed;	   /* all that was told is saved, in this core */
	bool unsaved;	   /* there was no room to save all */
	uint32_t changes;  /* of the model, at the last look */
};

/* What the process gives to struct bh_notify. */
extern const struct bh_notify_ops bh_owner_ops;

/* A turn: takes over the table snmp when it is ours, tells and saves what is new. 0 or -errno. */
int bh_owner_turn(struct program *p);

/* The connection to the core has ended. */
void bh_owner_lost(struct program *p);

#endif
