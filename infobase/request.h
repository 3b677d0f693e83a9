/* SPDX-License-Identifier: BSD-3-Clause */
/* What of a request can be judged from its bytes and its sender's role alone. */
#ifndef BH_INFOBASE_REQUEST_H
#define BH_INFOBASE_REQUEST_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/channel/msg.h"

/*
 * Checks a private copy of a request; body: msg->len - sizeof(*msg) bytes, of any alignment. Any
 * thread; pure. 0, or:
 * -EMSGSIZE   length of the message or of its body is not the verb's and the table's
 * -EOPNOTSUPP no such verb, or not of this table
 * -ENXIO      no such table
 * -EPERM      only the table's owner may do that; its heir may RECOVER only; or only an admin
 * -EINVAL     flags, aux, or a key or value that is not well formed
 */
int bh_ib_check_request(uint16_t role, bool heir, const struct bh_msg *msg, const void *body);

#endif
