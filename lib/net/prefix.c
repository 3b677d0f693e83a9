/* SPDX-License-Identifier: BSD-3-Clause */
#include "lib/net/prefix.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>

static int
af_of(uint8_t family)
{
	return family == BH_IP4 ? AF_INET : family == BH_IP6 ? AF_INET6 : -1;
}

int
bh_addr_parse(const char *text, uint8_t addr[16])
{
	uint8_t a[16] = { 0 };
	uint8_t family = strchr(text, ':') != NULL ? BH_IP6 : BH_IP4;

	if (inet_pton(af_of(family), text, a) != 1)
		return -EINVAL;
	memcpy(addr, a, sizeof(a));
	return family;
}

char *
bh_addr_format(uint8_t family, const void *addr, char *buf, size_t size)
{
	return (char *)(uintptr_t)inet_ntop(af_of(family), addr, buf, size);
}

/* One to three digits and nothing else. */
static int
parse_plen(const char *text, unsigned int max)
{
	unsigned int v = 0;
	size_t len = strlen(text);

	if (len == 0 || len > 3 || (len > 1 && text[0] == '0'))
		return -EINVAL;
	for (; *text != '\0'; text++) {
		if (*text < '0' || *text > '9')
			return -EINVAL;
		v = v * 10 + (*text - '0');
	}
	return v <= max ? (int)v : -EINVAL;
}

int
bh_prefix_parse(const char *text, struct bh_prefix *p)
{
	const char *slash = strchr(text, '/');
	size_t len = slash != NULL ? (size_t)(slash - text) : strlen(text);
	char host[BH_ADDR_STRLEN];
	struct bh_prefix r;
	int family, plen;

	if (len >= sizeof(host))
		return -EINVAL;
	memcpy(host, text, len);
	host[len] = '\0';
	family = bh_addr_parse(host, r.addr);
	if (family < 0)
		return family;
	plen = bh_addr_bits(family);
	if (slash != NULL)
		plen = parse_plen(slash + 1, plen);
	if (plen < 0)
		return plen;
	r.family = family;
	r.plen = plen;
	*p = r;
	return 0;
}

char *
bh_prefix_format(const struct bh_prefix *p, char *buf, size_t size)
{
	char host[BH_ADDR_STRLEN];
	int n;

	if (bh_addr_format(p->family, p->addr, host, sizeof(host)) == NULL)
		return NULL;
	n = snprintf(buf, size, "%s/%u", host, p->plen);
	return n > 0 && (size_t)n < size ? buf : NULL;
}

int
bh_prefix_make(struct bh_prefix *p, uint8_t family, const void *addr, uint8_t plen)
{
	size_t len = bh_addr_len(family);

	if (len == 0 || plen > len * 8)
		return -EINVAL;
	*p = (struct bh_prefix){ .family = family, .plen = plen };
	memcpy(p->addr, addr, len);
	return 0;
}

void
bh_addr_mask(uint8_t *addr, size_t len, uint8_t plen)
{
	size_t whole = plen / 8;

	if (whole >= len)
		return;
	addr[whole] &= 0xff00 >> plen % 8;
	memset(addr + whole + 1, 0, len - whole - 1);
}

void
bh_prefix_mask(struct bh_prefix *p)
{
	bh_addr_mask(p->addr, bh_addr_len(p->family), p->plen);
}

bool
bh_addr_match(const void *a, const void *b, uint8_t plen)
{
	const uint8_t *x = a, *y = b;
	size_t whole = plen / 8;
	unsigned int rest = plen % 8;

	if (memcmp(x, y, whole) != 0)
		return false;
	return rest == 0 || (x[whole] ^ y[whole]) >> (8 - rest) == 0;
}

bool
bh_prefix_covers(const struct bh_prefix *p, const struct bh_prefix *q)
{
	return p->family == q->family && p->plen <= q->plen &&
		bh_addr_match(p->addr, q->addr, p->plen);
}

int
bh_prefix_cmp(const struct bh_prefix *a, const struct bh_prefix *b)
{
	int c;

	if (a->family != b->family)
		return a->family - b->family;
	c = memcmp(a->addr, b->addr, sizeof(a->addr));
	return c != 0 ? c : a->plen - b->plen;
}
