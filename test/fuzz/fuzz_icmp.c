/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ICMP and ICMPv6: a frame about which an error is asked for, or an echo reply. First byte: its
 * low half the reason (10 and more: echo), 0x10 no source address, 0x20 no room in the answer, 0x40
 * nothing is ours; then the value (4 bytes), then the frame, cut off in the heap.
 */
#include <errno.h>

#include "lib/net/prefix.h"
#include "modules/v6stack/cksum.h"
#include "modules/v6stack/icmp.h"
#include "modules/v6stack/ip6ext.h"
#include "test/fuzz/fuzz.h"

#define NO_SOURCE 0x10
#define NO_ROOM 0x20
#define NOT_OURS 0x40

static bool
source(void *arg, uint8_t family, uint32_t ifindex, const uint8_t *dst, uint8_t *src)
{
	FUZZ_CHECK(ifindex == 5 && dst != NULL);
	memset(src, 0x20, bh_addr_len(family));
	return !(*(uint8_t *)arg & NO_SOURCE);
}

static bool
is_local(void *arg, uint8_t family, const uint8_t *addr)
{
	return !(*(uint8_t *)arg & NOT_OURS) && addr[0] == 0x0a + 0x16 * (family == BH_IP6);
}

static bool
is_broadcast4(void *arg, const uint8_t *addr)
{
	(void)arg;
	return addr[3] == 255;
}

/* What is made is a whole packet with right checksums, to the asker, and never an error to one. */
static void
check4(const uint8_t *made, size_t len, const uint8_t *asked)
{
	FUZZ_CHECK(made[0] == 0x45 && (size_t)(made[2] << 8 | made[3]) == len);
	FUZZ_CHECK(memcmp(made + 16, asked + 12, 4) == 0);
	FUZZ_CHECK(bh_cksum_fold(bh_cksum_add(0, made, 20)) == 0);
	FUZZ_CHECK(bh_cksum_fold(bh_cksum_add(0, made + 20, len - 20)) == 0);
	FUZZ_CHECK(asked[9] != 1 || made[20] == 0 || asked[(asked[0] & 0xf) * 4] < 3 ||
		asked[(asked[0] & 0xf) * 4] > 5);
}

static void
check6(const uint8_t *made, size_t len, const uint8_t *asked)
{
	struct bh_ip6_walk w;
	uint64_t sum;

	FUZZ_CHECK(made[0] >> 4 == 6 && (size_t)(made[4] << 8 | made[5]) == len - 40);
	FUZZ_CHECK(memcmp(made + 24, asked + 8, 16) == 0);
	sum = bh_cksum_pseudo6(made + 8, made + 24, len - 40, 58);
	FUZZ_CHECK(bh_cksum_fold(bh_cksum_add(sum, made + 40, len - 40)) == 0);
	FUZZ_CHECK(bh_ip6_walk(asked, 40 + (size_t)(asked[4] << 8 | asked[5]), &w) == 0);
	FUZZ_CHECK(w.proto != 58 || !w.first || asked[w.offset] >= 128);
}

static void
check_made(const uint8_t *made, size_t len, const struct bh_icmp_in *in, bool echo)
{
	FUZZ_CHECK(len <= (echo ? in->len : BH_ICMP_ERROR_MAX));
	FUZZ_CHECK(memcmp(made, in->frame + 6, 6) == 0);
	if (in->frame[12] == 8)
		check4(made + 14, len - 14, in->frame + 14);
	else
		check6(made + 14, len - 14, in->frame + 14);
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
	static const struct bh_icmp_ops ops = {source, is_local, is_broadcast4};
	static struct bh_ratelimit limit;
	struct fuzz_in src = {data, size};
	uint8_t flags = fuzz_u8(&src);
	uint32_t value = fuzz_u32(&src);
	size_t room = flags & NO_ROOM ? src.left / 2 : src.left + BH_ICMP_ERROR_MAX;
	uint8_t *frame = malloc(src.left + 1), *out = malloc(room + 1);
	struct bh_icmp_in in = {.frame = frame, .len = src.left, .ifindex = 5, .now = 1};
	bool echo = (flags & 0xf) >= BH_ICMP_WHYS;
	struct bh_icmp ic;
	int rc;

	FUZZ_CHECK(frame != NULL && out != NULL);
	frame = realloc(frame, src.left > 0 ? src.left : 1);
	out = realloc(out, room > 0 ? room : 1);
	in.frame = frame;
	memcpy(frame, src.p, src.left);
	bh_ratelimit_init(&limit, &BH_RATELIMIT_DEFAULT, 1);
	bh_icmp_init(&ic, &ops, &flags, &limit);
	rc = echo ? bh_icmp_echo(&ic, &in, out, room) :
		bh_icmp_error(&ic, &in, flags & 0xf, value, out, room);
	if (rc > 0) {
		FUZZ_CHECK((size_t)rc <= room);
		check_made(out, rc, &in, echo);
	} else {
		FUZZ_CHECK(rc == -EBADMSG || rc == -EPERM || rc == -EADDRNOTAVAIL ||
			rc == -EMSGSIZE || (echo && rc == -ENOENT));
	}
	free(frame);
	free(out);
	return 0;
}
