/* SPDX-License-Identifier: BSD-3-Clause */
/* The Internet checksum (RFC 1071) over bytes at any alignment; pure, for any thread. */
#ifndef BH_V6STACK_CKSUM_H
#define BH_V6STACK_CKSUM_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Adds `len` bytes to a sum that is not folded yet; only the last part of several may be odd. */
static inline uint64_t
bh_cksum_add(uint64_t sum, const void *data, size_t len)
{
	const uint8_t *p = data;
	uint32_t word;
	uint16_t half;

	for (; len >= 4; len -= 4, p += 4) {
		memcpy(&word, p, 4);
		sum += word;
	}
	if (len >= 2) {
		memcpy(&half, p, 2);
		sum += half;
		p += 2;
		len -= 2;
	}
	if (len > 0) {
		half = 0;
		memcpy(&half, p, 1);
		sum += half;
	}
	return sum;
}

/* The value for the checksum field, as it lies in memory; 0 over data whose checksum is right. */
static inline uint16_t
bh_cksum_fold(uint64_t sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return ~sum & 0xffff;
}

/* Sum of the pseudo-header of IPv6 (RFC 8200 §8.1). */
static inline uint64_t
bh_cksum_pseudo6(const void *src, const void *dst, uint32_t len, uint8_t proto)
{
	uint8_t tail[8] = {len >> 24, len >> 16, len >> 8, len, 0, 0, 0, proto};

	return bh_cksum_add(bh_cksum_add(bh_cksum_add(0, src, 16), dst, 16), tail, sizeof(tail));
}

#endif
