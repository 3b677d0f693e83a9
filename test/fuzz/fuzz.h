/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the fuzz targets share: taking values from the input, and checks that are never
 * compiled out. A target is a pure function of its input: what it needs is made once, in
 * LLVMFuzzerInitialize(), and is as before when an input ends.
 */
#ifndef TEST_FUZZ_H
#define TEST_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* libFuzzer's names. */
int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What must hold for every input: libFuzzer keeps the one for which it does not. */
#define FUZZ_CHECK(cond)                                                                           \
	do {                                                                                       \
		if (!(cond)) {                                                                     \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #cond);         \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

/* The rest of the input. Behind its end everything is 0. */
struct fuzz_in {
	const uint8_t *p;
	size_t left;
};

static inline void
fuzz_take(struct fuzz_in *in, void *to, size_t n)
{
	size_t have = n < in->left ? n : in->left;

	memset(to, 0, n);
	if (have > 0)
		memcpy(to, in->p, have);
	in->p += have;
	in->left -= have;
}

static inline uint8_t
fuzz_u8(struct fuzz_in *in)
{
	uint8_t v;

	fuzz_take(in, &v, sizeof(v));
	return v;
}

static inline uint16_t
fuzz_u16(struct fuzz_in *in)
{
	uint16_t v;

	fuzz_take(in, &v, sizeof(v));
	return v;
}

static inline uint32_t
fuzz_u32(struct fuzz_in *in)
{
	uint32_t v;

	fuzz_take(in, &v, sizeof(v));
	return v;
}

/* EAL on one lcore with ordinary memory; for targets that link fuzz_eal.c. */
void fuzz_eal_start(const char *mib);

#endif
