/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What each child of the supervisor is given at its start: descriptors, CPUs, identity. And what
 * the supervisor itself is given by the core: its table.
 */
#ifndef BH_SUPERVISOR_SPAWN_H
#define BH_SUPERVISOR_SPAWN_H

#include "app/supervisor/supervise.h"

/* Whether it is the configuration module. */
bool bh_is_config(const struct bh_child *c);
/* Whether it is the protocol stack, which gets the TAPs. */
bool bh_is_v6stack(const struct bh_child *c);
bool bh_is_routing(const struct bh_child *c);

/* Starts a child, or an heir; a module's role socket goes to the core. 0 or -errno. */
int bh_spawn_core(struct bh_supervisor *s, struct bh_child *c, int life_fd);
int bh_spawn_module(struct bh_supervisor *s, struct bh_child *c, int life_fd);

/* A module that outlived the core gets a socket of its role to the new one. 0 or -errno. */
int bh_spawn_renew_role(struct bh_supervisor *s, const struct bh_child *c);

/* Opens the table `process` of a core that is ready, and writes every record. 0 or -errno. */
int bh_spawn_table(struct bh_supervisor *s);

#endif
