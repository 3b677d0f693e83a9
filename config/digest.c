/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a configuration was made of, as a number: SipHash-1-3 (Aumasson and Bernstein 2012) over
 * the program's version and the text. It tells a file that was edited from one that was not; who
 * may write the file need not be kept from making two that are alike, so the key is fixed.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/config.h"

static uint64_t
rotl(uint64_t x, unsigned int n)
{
	return x << n | x >> (64 - n);
}

static void
sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[2] += v[3];
	v[1] = rotl(v[1], 13) ^ v[0];
	v[3] = rotl(v[3], 16) ^ v[2];
	v[0] = rotl(v[0], 32);
	v[2] += v[1];
	v[0] += v[3];
	v[1] = rotl(v[1], 17) ^ v[2];
	v[3] = rotl(v[3], 21) ^ v[0];
	v[2] = rotl(v[2], 32);
}

static void
take_word(uint64_t v[4], uint64_t m)
{
	v[3] ^= m;
	sip_round(v);
	v[0] ^= m;
}

void
bh_digest_begin(struct bh_digest *d)
{
	static const uint64_t start[4] = {0x736f6d6570736575u, 0x646f72616e646f6du,
		0x6c7967656e657261u, 0x7465646279746573u};

	*d = (struct bh_digest){0};
	memcpy(d->v, start, sizeof(start));
	bh_digest_add(d, BH_VERSION, sizeof(BH_VERSION));
}

void
bh_digest_add(struct bh_digest *d, const void *data, size_t len)
{
	const uint8_t *p = data;
	uint64_t v[4], m;

	memcpy(v, d->v, sizeof(v));
	for (d->len += len; len > 0 && d->n_tail > 0; len--) {
		d->tail[d->n_tail++] = *p++;
		if (d->n_tail < sizeof(m))
			continue;
		memcpy(&m, d->tail, sizeof(m));
		take_word(v, m);
		d->n_tail = 0;
	}
	for (; len >= sizeof(m); len -= sizeof(m), p += sizeof(m)) {
		memcpy(&m, p, sizeof(m));
		take_word(v, m);
	}
	memcpy(d->v, v, sizeof(v));
	if (len == 0)
		return;
	memcpy(d->tail, p, len);
	d->n_tail = len;
}

uint64_t
bh_digest_end(struct bh_digest *d)
{
	uint64_t m = 0;

	memcpy(&m, d->tail, d->n_tail);
	take_word(d->v, m | d->len << 56);
	d->v[2] ^= 0xff;
	for (int i = 0; i < 3; i++)
		sip_round(d->v);
	return d->v[0] ^ d->v[1] ^ d->v[2] ^ d->v[3];
}

int
bh_digest_file(int fd, uint64_t *digest)
{
	static uint8_t buf[1 << 18];
	struct bh_digest d;
	struct stat st;
	ssize_t n;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return -ENOTSUP;
	bh_digest_begin(&d);
	while ((n = read(fd, buf, sizeof(buf))) != 0) {
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0)
			bh_digest_add(&d, buf, n);
	}
	*digest = bh_digest_end(&d);
	return lseek(fd, 0, SEEK_SET) < 0 ? -errno : 0;
}
