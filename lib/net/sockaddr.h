/* SPDX-License-Identifier: BSD-3-Clause */
/* Where a stream socket is, as users write it. Pure. */
#ifndef BH_NET_SOCKADDR_H
#define BH_NET_SOCKADDR_H

#include <sys/socket.h>

/* Reads unix:PATH (absolute) or tcp:IP:PORT (IPv6 in brackets, no names, no zone) to a socket
 * address. 0 or -EINVAL. */
int bh_sockaddr_parse(const char *text, struct sockaddr_storage *to, socklen_t *len);

#endif
