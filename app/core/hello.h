/* SPDX-License-Identifier: BSD-3-Clause */
/* The first thing that anybody who may connect can send to the core: is it a hello? */
#ifndef BH_CORE_HELLO_H
#define BH_CORE_HELLO_H

#include <stddef.h>

#include "lib/channel/msg.h"

#define BH_HELLO_LEN_MAX (sizeof(struct bh_hello) + BH_FIRST_MAX)

/*
 * Checks a datagram of len bytes, of which the first BH_HELLO_LEN_MAX (or len) are at `data`,
 * aligned to 8: hello and first request, nothing more or less. 0: the name is printable and
 * NUL-terminated, the service is one that may be, and the request has its whole length. Else how
 * it is refused: -EPROTO (no hello), -EPROTONOSUPPORT (another version), -EMSGSIZE (too long),
 * -EBADMSG (length), -EINVAL (name), -ENOENT (service). Pure.
 */
int bh_hello_check(const void *data, size_t len);

#endif
