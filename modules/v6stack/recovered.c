/* SPDX-License-Identifier: BSD-3-Clause */
/* What a predecessor left in the tables of the stack, until it is taken up. */
#include <stdlib.h>
#include <string.h>

#include "lib/hash/alloc.h"
#include "lib/log/log.h"
#include "modules/v6stack/stack.h"

struct recovered {
	struct bh_hnode node;
	uint16_t table;
	struct bh_if_addr_key key;
	union {
		struct bh_address address;
		struct bh_neighbor neighbor;
	};
};

static uint32_t
hash_of(uint16_t table, const struct bh_if_addr_key *key)
{
	return bh_hash(bh_hash(0, &table, sizeof(table)), key, sizeof(*key));
}

void
bh_stack_recover(void *arg, const struct bh_change *c)
{
	struct bh_stack *s = arg;
	struct recovered *r;

	if (c->op != BH_OP_PUT || (c->table != BH_T_ADDRESS && c->table != BH_T_NEIGHBOR))
		return;
	r = bh_must_calloc(1, sizeof(*r));
	r->table = c->table;
	memcpy(&r->key, c->key, sizeof(r->key));
	if (c->table == BH_T_ADDRESS)
		memcpy(&r->address, c->val, sizeof(r->address));
	else
		memcpy(&r->neighbor, c->val, sizeof(r->neighbor));
	bh_htab_insert(&s->recovered, &r->node, hash_of(r->table, &r->key));
}

uint8_t
bh_stack_recovered_address(struct bh_stack *s, const struct bh_if_addr_key *key)
{
	struct bh_hnode *n = bh_htab_first(&s->recovered, hash_of(BH_T_ADDRESS, key));
	uint8_t state;

	for (; n != NULL; n = bh_htab_next(n)) {
		struct recovered *r = bh_container_of(n, struct recovered, node);

		if (r->table != BH_T_ADDRESS || memcmp(&r->key, key, sizeof(*key)) != 0)
			continue;
		state = r->address.state;
		bh_htab_remove(&s->recovered, n);
		free(r);
		return state;
	}
	return BH_ADDR_TENTATIVE;
}

static void
adopt(struct bh_stack *s, const struct recovered *r)
{
	struct bh_netif *i = bh_netif_get(s, r->key.ifindex);
	struct bh_neigh *n;

	if (i == NULL || !bh_netif_has(i, r->key.family) ||
		!bh_ifaddr_on_link(i, r->key.family, r->key.addr) ||
		r->neighbor.state == BH_NUD_INCOMPLETE || r->neighbor.state > BH_NUD_PROBE ||
		bh_neigh_find(s, i, r->key.family, r->key.addr) != NULL)
		return;
	n = bh_neigh_make(s, i, r->key.family, r->key.addr);
	if (n != NULL)
		bh_nud_recover(s, n, &r->neighbor);
}

void
bh_recovered_adopt(struct bh_stack *s)
{
	struct bh_hnode *n;

	for (uint32_t b = 0; s->recovered.bucket != NULL && b <= s->recovered.mask; b++) {
		for (n = s->recovered.bucket[b]; n != NULL; n = n->next) {
			struct recovered *r = bh_container_of(n, struct recovered, node);

			if (r->table == BH_T_NEIGHBOR)
				adopt(s, r);
		}
	}
	if (s->neighs.n > 0)
		bh_info("stack", "%u neighbors recovered", s->neighs.n);
	bh_recovered_fini(s);
}

void
bh_recovered_fini(struct bh_stack *s)
{
	struct bh_hnode *n;

	while ((n = bh_htab_any(&s->recovered)) != NULL) {
		bh_htab_remove(&s->recovered, n);
		free(bh_container_of(n, struct recovered, node));
	}
	bh_htab_fini(&s->recovered);
}
