/* SPDX-License-Identifier: BSD-3-Clause */
/* Records of the base in words. */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "routing_fake.h"

static const char *const nh_names[] = {[BH_NH_ATTACHED] = "attached",
	[BH_NH_LOCAL] = "receive",
	[BH_NH_BLACKHOLE] = "blackhole",
	[BH_NH_UNREACHABLE] = "unreachable",
	[BH_NH_PROHIBIT] = "prohibit"};

void
fake_text_nh(const struct bh_nexthop_key *k, char *text)
{
	char addr[BH_ADDR_STRLEN];
	unsigned int i;

	if (k->type == BH_NH_ATTACHED) {
		sprintf(text, "attached@%u", k->m[0].ifindex);
	} else if (k->type != BH_NH_GROUP) {
		strcpy(text, nh_names[k->type]);
	} else {
		for (i = 0; i < k->n; i++) {
			bh_addr_format(k->m[i].family, k->m[i].addr, addr, sizeof(addr));
			text += sprintf(text, "%s%s@%u", i ? " " : "", addr, k->m[i].ifindex);
			if (k->m[i].weight != 1)
				text += sprintf(text, "*%u", k->m[i].weight);
		}
	}
}

const char *
fake_fpm(struct fake *f, const char *prefix)
{
	static char text[FAKE_TEXT];
	char addr[BH_ADDR_STRLEN], *at = text;
	uint8_t key[sizeof(struct bh_route6_key)];
	struct bh_fpm_route v = {0};
	struct bh_prefix p;
	struct fake_rec *r;

	ck_assert_int_eq(bh_prefix_parse(prefix, &p), 0);
	bh_key_route(&p, key);
	r = fake_find(f, p.family == 4 ? BH_T_FPM_ROUTE4 : BH_T_FPM_ROUTE6, key);
	if (r == NULL)
		return "none";
	memcpy(&v, r->val, r->val_len);
	at += sprintf(at, "%u", v.proto);
	if (v.type != BH_NH_GROUP)
		sprintf(at, " %s", nh_names[v.type]);
	for (unsigned int i = 0; i < v.n; i++) {
		const struct bh_fpm_hop *h = &v.hop[i];

		at += sprintf(at, " %s@%u", h->family == 0 ? "-" :
			bh_addr_format(h->family, h->addr, addr, sizeof(addr)), h->ifindex);
		if (h->weight != 1)
			at += sprintf(at, "*%u", h->weight);
	}
	return text;
}

const char *
fake_route(struct fake *f, const char *prefix)
{
	static const char *const protos[] = {"?", "connected", "local", "static", "fpm"};
	static char text[FAKE_TEXT];
	uint8_t key[sizeof(struct bh_route6_key)];
	struct bh_prefix p;
	struct fake_rec *r;

	ck_assert_int_eq(bh_prefix_parse(prefix, &p), 0);
	bh_key_route(&p, key);
	r = fake_find(f, p.family == 4 ? BH_T_ROUTE4 : BH_T_ROUTE6, key);
	if (r == NULL)
		return "none";
	sprintf(text, "%s %u ", protos[r->route.proto], r->route.preference);
	fake_text_nh((const void *)f->by_id[r->route.nh]->key, text + strlen(text));
	return text;
}
