/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Role sockets: a process is what the socket that it inherited says, not its pid and not its
 * own word. The supervisor makes the pair, keeps nothing of it.
 */
#ifndef BH_SUPERVISOR_ROLES_H
#define BH_SUPERVISOR_ROLES_H

#include <sys/types.h>

/* A SOCK_SEQPACKET pair: [0] is the process's end, [1] the core's. 0 or -errno. */
int bh_role_socket(int pair[2]);

/* Sends text and a descriptor as one datagram. The caller still closes its copy. 0 or -errno
 * (-EAGAIN: the socket is non-blocking and full). */
int bh_fd_pass(int sock, const char *text, int fd);

/* Passes the core's end over the core's supervision socket, with word (ROLE, HEIR), the role's name
 * and the pid of the process behind it. The caller still closes its copy. 0 or -errno. */
int bh_role_pass(int core_fd, const char *word, const char *name, pid_t pid, int fd);

#endif
