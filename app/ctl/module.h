/* SPDX-License-Identifier: BSD-3-Clause */
/* `bhctl module`: orders to the supervisor by supervisor.sock (app/supervisor/ctlsock.h). */
#ifndef BH_CTL_MODULE_H
#define BH_CTL_MODULE_H

#include "app/ctl/args.h"

/* Gives the order of args and waits for its outcome, which is printed. An enum bh_ctl_exit. */
int bh_ctl_module(const struct bh_ctl_args *args);

#endif
