/* SPDX-License-Identifier: BSD-3-Clause */
/* First contacts with the small core by hand: with the directed service, step by step. */
#ifndef TEST_MINI_CONTACT_H
#define TEST_MINI_CONTACT_H

#include "test/unit/mini_core.h"

#define MINI_CONTACT_MS 15000 /* at most, for what must come; less than a lingering socket's 30 s */

/* A socket that is connected to the core, or -1. */
int mini_dial(void);
/* A hello whose first request is this verb. */
void mini_hello(int fd, uint8_t verb);
/* Status of the welcome that comes within ms; 1: none came or the socket was closed. */
int mini_welcome(int fd, int ms);
/* Our end of a role's socket, whose other end this proxy has. */
int mini_role(unsigned int proxy, uint16_t role);

/* What a test that failed has held back does not wait for the next one. */
void mini_let_go(void);

#endif
