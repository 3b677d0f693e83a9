/* SPDX-License-Identifier: BSD-3-Clause */
/* `bhctl module`: orders to the supervisor by supervisor.sock (app/supervisor/ctlsock.h). */
#ifndef BH_CTL_MODULE_H
#define BH_CTL_MODULE_H

#include "app/ctl/args.h"

/* Gives the order of args and waits for its outcome, which is printed. An enum bh_ctl_exit. */
int bh_ctl_module(const struct bh_ctl_args *args);

/* Gives an order in words ("replay routing") to the supervisor of args and waits for its answer,
 * "OK ..." or "FAILED ...", in text. 0 or -errno. */
int bh_ctl_order(const struct bh_ctl_args *args, const char *words, char *text, size_t len);

#endif
