/* SPDX-License-Identifier: BSD-3-Clause */
/* What v6stack may ask of the supervisor for a TAP: a datagram, as it was sent. */
#include <errno.h>

#include "lib/net/hostask.h"
#include "lib/net/prefix.h"
#include "test/fuzz/fuzz.h"

/* Whatever was taken can be told the kernel without a further look. */
static void
check_taken(const struct bh_hostask *h)
{
	FUZZ_CHECK(h->name[0] != '\0' && memchr(h->name, '\0', sizeof(h->name)) != NULL);
	FUZZ_CHECK(h->mtu >= 68 && h->mtu <= BH_HOSTASK_MTU_MAX && h->n <= BH_HOSTASK_ADDRS);
	FUZZ_CHECK((h->flags & ~BH_HOSTASK_FLAGS) == 0 && !(h->mac[0] & 1));
	for (unsigned int i = 0; i < h->n; i++) {
		const struct bh_hostask_addr *a = &h->addr[i];

		FUZZ_CHECK(a->family == BH_IP4 || a->family == BH_IP6);
		FUZZ_CHECK(a->plen > 0 && a->plen <= bh_addr_bits(a->family));
		for (unsigned int j = 0; j < i; j++)
			FUZZ_CHECK(h->addr[j].family != a->family ||
				memcmp(h->addr[j].addr, a->addr, sizeof(a->addr)) != 0);
	}
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
	static struct bh_hostask h;
	uint8_t *msg = malloc(size > 0 ? size : 1);
	int rc;

	FUZZ_CHECK(msg != NULL);
	memcpy(msg, data, size);
	rc = bh_hostask_read(&h, msg, size);
	FUZZ_CHECK(rc == 0 || rc == -EBADMSG || rc == -EINVAL || rc == -ENOSPC);
	if (rc == 0)
		check_taken(&h);
	free(msg);
	return 0;
}
