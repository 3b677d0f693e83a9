/* SPDX-License-Identifier: BSD-3-Clause */
#include "modules/routing/nexthops.h"

#include <stdlib.h>
#include <string.h>

#include "modules/routing/alloc.h"

static size_t
key_used(const struct bh_nexthop_key *key)
{
	return offsetof(struct bh_nexthop_key, m) + key->n * sizeof(key->m[0]);
}

struct bh_nh *
bh_nh_intern(struct bh_nh_table *t, const struct bh_nexthop_key *key)
{
	uint32_t hash = bh_hash(0, key, key_used(key));
	struct bh_hnode *node;
	struct bh_nh *nh;

	for (node = bh_htab_first(&t->tab, hash); node != NULL; node = bh_htab_next(node)) {
		nh = bh_container_of(node, struct bh_nh, node);
		if (memcmp(&nh->key, key, sizeof(*key)) == 0)
			return bh_nh_ref(nh);
	}
	nh = bh_must_calloc(1, sizeof(*nh));
	nh->key = *key;
	nh->table = t;
	nh->refs = 1;
	TAILQ_INIT(&nh->waiters);
	bh_htab_insert(&t->tab, &nh->node, hash);
	return nh;
}

struct bh_nh *
bh_nh_ref(struct bh_nh *nh)
{
	nh->refs++;
	return nh;
}

void
bh_nh_unref(struct bh_nh *nh)
{
	if (nh == NULL || --nh->refs > 0)
		return;
	bh_htab_remove(&nh->table->tab, &nh->node);
	free(nh);
}

static int
member_cmp(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct bh_nh_member));
}

/* The same adjacency, whatever the weights. */
static bool
member_same(const struct bh_nh_member *a, const struct bh_nh_member *b)
{
	return a->ifindex == b->ifindex && a->family == b->family &&
	       memcmp(a->addr, b->addr, sizeof(a->addr)) == 0;
}

static void
member_join(struct bh_nh_member *to, const struct bh_nh_member *m)
{
	to->weight = to->weight + m->weight > 255 ? 255 : to->weight + m->weight;
}

void
bh_nh_key_canon(struct bh_nexthop_key *key, struct bh_nh_member *m, unsigned int n)
{
	unsigned int i, j, k = 0;

	for (i = 0; i < n; i++) {
		for (j = 0; j < k && !member_same(&m[j], &m[i]); j++)
			;
		if (j < k)
			member_join(&m[j], &m[i]);
		else
			m[k++] = m[i];
	}
	if (k == 1)
		m[0].weight = 1;
	qsort(m, k, sizeof(m[0]), member_cmp);
	memset(key, 0, sizeof(*key));
	key->type = BH_NH_GROUP;
	key->n = k > BH_ECMP_MAX ? BH_ECMP_MAX : k;
	memcpy(key->m, m, key->n * sizeof(m[0]));
}

void
bh_nh_walk(struct bh_nh_table *t, void (*fn)(void *arg, struct bh_nh *nh), void *arg)
{
	uint32_t i;

	for (i = 0; t->tab.bucket != NULL && i <= t->tab.mask; i++)
		for (struct bh_hnode *n = t->tab.bucket[i]; n != NULL; n = n->next)
			fn(arg, bh_container_of(n, struct bh_nh, node));
}

void
bh_nh_table_fini(struct bh_nh_table *t)
{
	struct bh_hnode *n;

	while ((n = bh_htab_any(&t->tab)) != NULL) {
		bh_htab_remove(&t->tab, n);
		free(bh_container_of(n, struct bh_nh, node));
	}
	bh_htab_fini(&t->tab);
}
