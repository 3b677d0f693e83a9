/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Addresses and prefixes of IPv4 and IPv6: parse, format, mask, compare, and which addresses a
 * router must not forward.
 *
 * All functions are pure and may be called from any thread; those on the fast path are inline.
 * Addresses are in network order everywhere.
 */
#ifndef BH_LIB_NET_PREFIX_H
#define BH_LIB_NET_PREFIX_H

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define BH_IP4 4
#define BH_IP6 6
#define BH_IP4_BITS 32
#define BH_IP6_BITS 128

#define BH_ADDR_STRLEN 46	/* longest IPv6 address with its NUL: INET6_ADDRSTRLEN */
#define BH_PREFIX_STRLEN 50	/* the same with "/128" */

/* An address with a length: a prefix if no host bits are set, else an interface's address. */
struct bh_prefix {
	uint8_t family;		/* BH_IP4 or BH_IP6 */
	uint8_t plen;
	uint8_t addr[16];	/* IPv4 in the first 4, the rest 0 */
};

/* Length of an address in bits or bytes; 0 for a family that is none. */
static inline unsigned int
bh_addr_bits(uint8_t family)
{
	return family == BH_IP4 ? BH_IP4_BITS : family == BH_IP6 ? BH_IP6_BITS : 0;
}

static inline size_t
bh_addr_len(uint8_t family)
{
	return bh_addr_bits(family) / 8;
}

/*
 * Parse an address ("192.0.2.1", "2001:db8::1"; inet_pton()'s forms, no zone) into `addr`, 16 bytes
 * of which IPv4 fills 4 and zeroes the rest. Returns its family or -EINVAL.
 */
int bh_addr_parse(const char *text, uint8_t addr[16]);

/*
 * Format an address into `buf` (BH_ADDR_STRLEN bytes are enough) as RFC 5952 asks.
 * Returns `buf`, or NULL if it is too small or the family is none.
 */
char *bh_addr_format(uint8_t family, const void *addr, char *buf, size_t size);

/*
 * Parse "address/length"; host bits may be set. An address alone gets its full length.
 * Returns 0, or -EINVAL with `*p` unchanged.
 */
int bh_prefix_parse(const char *text, struct bh_prefix *p);

/* The same with "/length" (BH_PREFIX_STRLEN bytes are enough). */
char *bh_prefix_format(const struct bh_prefix *p, char *buf, size_t size);

/* Make a prefix from raw parts. Returns 0, or -EINVAL (family, length). Host bits are kept. */
int bh_prefix_make(struct bh_prefix *p, uint8_t family, const void *addr, uint8_t plen);

/* Clear the bits after the first `plen` of `len` bytes. */
void bh_addr_mask(uint8_t *addr, size_t len, uint8_t plen);

/* Clear the host bits. */
void bh_prefix_mask(struct bh_prefix *p);

/* Whether two addresses agree in their first `plen` bits. */
bool bh_addr_match(const void *a, const void *b, uint8_t plen);

/* Whether every address of `q` lies in `p`. */
bool bh_prefix_covers(const struct bh_prefix *p, const struct bh_prefix *q);

/*
 * Total order for sorting: family, then address, then length, so that a prefix comes right before
 * those that it covers. Returns < 0, 0, > 0.
 */
int bh_prefix_cmp(const struct bh_prefix *a, const struct bh_prefix *b);

static inline bool
bh_ip4_in(uint32_t addr_be, uint32_t net, unsigned int plen)
{
	return (be32toh(addr_be) ^ net) >> (32 - plen) == 0;
}

static inline bool
bh_ip4_is_multicast(uint32_t addr_be)
{
	return bh_ip4_in(addr_be, 0xe0000000, 4);
}

/* 169.254/16: a router must not forward from or to it (RFC 3927 §2.7). */
static inline bool
bh_ip4_is_link_local(uint32_t addr_be)
{
	return bh_ip4_in(addr_be, 0xa9fe0000, 16);
}

/*
 * Sources a router must not forward (RFC 1812 §5.3.7, RFC 6890): 0/8, 127/8, 224/4, 240/4 with the
 * limited broadcast. Link-local has a test of its own.
 */
static inline bool
bh_ip4_src_is_martian(uint32_t src_be)
{
	uint8_t net = be32toh(src_be) >> 24;

	return net == 0 || net == 127 || net >= 224;
}

/* Destinations a router must not forward: 0/8, 127/8, 240/4. Multicast is not martian here. */
static inline bool
bh_ip4_dst_is_martian(uint32_t dst_be)
{
	uint8_t net = be32toh(dst_be) >> 24;

	return net == 0 || net == 127 || net >= 240;
}

static inline bool
bh_ip6_is_multicast(const uint8_t *addr)
{
	return addr[0] == 0xff;
}

/* fe80::/10: a router must not forward from or to it (RFC 4291 §2.5.6). */
static inline bool
bh_ip6_is_link_local(const uint8_t *addr)
{
	return addr[0] == 0xfe && (addr[1] & 0xc0) == 0x80;
}

/* ::, ::1 (RFC 4291 §2.5.2, §2.5.3) or ::ffff:0:0/96, never on a wire (RFC 6890 §2.2.3). */
static inline bool
bh_ip6_dst_is_martian(const uint8_t *dst)
{
	uint64_t hi, lo;

	memcpy(&hi, dst, sizeof(hi));
	memcpy(&lo, dst + 8, sizeof(lo));
	lo = be64toh(lo);
	return hi == 0 && (lo <= 1 || lo >> 32 == 0xffff);
}

/* The same and multicast (RFC 4291 §2.7: never a source). */
static inline bool
bh_ip6_src_is_martian(const uint8_t *src)
{
	return bh_ip6_is_multicast(src) || bh_ip6_dst_is_martian(src);
}

#endif
