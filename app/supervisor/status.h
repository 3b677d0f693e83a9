/* SPDX-License-Identifier: BSD-3-Clause */
/* The supervisor's state in one line, as systemctl status shows it. */
#ifndef BH_SUPERVISOR_STATUS_H
#define BH_SUPERVISOR_STATUS_H

#include "app/supervisor/supervise.h"

/* "3 of 4 processes ready; snmp held". Cut to len. Returns buf. */
const char *bh_status_text(const struct bh_supervisor *s, char *buf, size_t len);

/* Tells systemd, if the text is another than the last one told. */
void bh_status_tell(struct bh_supervisor *s);

#endif
