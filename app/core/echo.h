/* SPDX-License-Identifier: BSD-3-Clause */
/* The echo service (BH_SERVICE_ECHO): answers every BH_V_NOP with its body; else -EOPNOTSUPP. */
#ifndef BH_CORE_ECHO_H
#define BH_CORE_ECHO_H

#include "app/core/service_conf.h"

struct bh_echo {
	struct bh_service *svc; /* set after bh_service_create(), before launch */
};

/* The handler; ctx: struct bh_echo *. */
extern const struct bh_service_ops bh_echo_ops;

#endif
