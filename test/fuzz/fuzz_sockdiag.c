/* SPDX-License-Identifier: BSD-3-Clause */
/* An answer of the kernel about sockets: netlink messages, sequence number 7. */
#include "lib/net/prefix.h"
#include "modules/v6stack/sockdiag.h"
#include "test/fuzz/fuzz.h"

/* What is told is a row that the schema takes. */
static void
check_row(void *arg, const struct bh_sock_row *row)
{
	static const uint8_t none[12];

	(void)arg;
	FUZZ_CHECK(row->key.family == BH_IP4 || row->key.family == BH_IP6);
	FUZZ_CHECK(row->key.family == BH_IP6 || (memcmp(row->key.laddr + 4, none, 12) == 0 &&
		memcmp(row->key.raddr + 4, none, 12) == 0));
	FUZZ_CHECK(memcmp(row->key.pad, none, sizeof(row->key.pad)) == 0);
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *msg = malloc(size > 0 ? size : 1);
	uint64_t odd = 0;

	FUZZ_CHECK(msg != NULL);
	memcpy(msg, data, size);
	FUZZ_CHECK(bh_sockdiag_parse(msg, size, 7, check_row, NULL, &odd) <= BH_SOCKDIAG_BROKEN);
	free(msg);
	return 0;
}
