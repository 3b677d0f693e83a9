/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Life of the published tables. Arrays are allocated whole, so that an index from a table needs
 * no check on the fast path; FIB nodes are taken as routes come.
 */
#include "app/forwarding/tables.h"

#include <errno.h>
#include <string.h>

#include <rte_errno.h>
#include <rte_hash.h>
#include <rte_jhash.h>
#include <rte_malloc.h>
#include <rte_random.h>

#include "app/forwarding/publish_priv.h"

#define ROUTES4_MAX (2u << 20)
#define ROUTES6_MAX (1u << 20)
#define HASH_SLACK 2 /* twice the keys: inserting finds room without long chains of moves */

static void *
zalloc(const char *name, size_t size, int socket_id)
{
	return rte_zmalloc_socket(name, size, RTE_CACHE_LINE_SIZE, socket_id);
}

static int
create_qsbr(struct bh_fwd_tables *t, unsigned int n_fwd, int socket_id)
{
	t->qsbr = zalloc("bh_fwd_qsbr", rte_rcu_qsbr_get_memsize(n_fwd), socket_id);
	if (t->qsbr == NULL)
		return -ENOMEM;
	return rte_rcu_qsbr_init(t->qsbr, n_fwd) == 0 ? 0 : -EINVAL;
}

static int
create_arrays(struct bh_fwd_tables *t, int socket_id)
{
	t->ifs = zalloc("bh_fwd_ifs", sizeof(*t->ifs) * BH_IF_MAX, socket_id);
	t->nhs = zalloc("bh_fwd_nhs", sizeof(*t->nhs) * BH_NH_MAX, socket_id);
	t->adjs = zalloc("bh_fwd_adjs", sizeof(*t->adjs) * BH_ADJ_MAX, socket_id);
	t->publish = zalloc("bh_fwd_publish", sizeof(*t->publish), socket_id);
	return t->ifs && t->nhs && t->adjs && t->publish ? 0 : -ENOMEM;
}

/* The seed is random: who chooses addresses cannot choose hash chains. */
static int
create_attached(struct bh_fwd_tables *t, int socket_id)
{
	struct rte_hash_parameters params = {
		.name = "bh_attached",
		.entries = BH_ADJ_MAX * HASH_SLACK,
		.key_len = sizeof(struct bh_fwd_attached_key),
		.hash_func = rte_jhash,
		.hash_func_init_val = (uint32_t)rte_rand(),
		.socket_id = socket_id,
		.extra_flag = RTE_HASH_EXTRA_FLAGS_RW_CONCURRENCY_LF,
	};
	struct rte_hash_rcu_config rcu = { .v = t->qsbr, .mode = RTE_HASH_QSBR_MODE_DQ };

	t->attached = rte_hash_create(&params);
	if (t->attached == NULL)
		return -rte_errno;
	return rte_hash_rcu_qsbr_add(t->attached, &rcu) == 0 ? 0 : -rte_errno;
}

static int
create_fibs(struct bh_fwd_tables *t, int socket_id)
{
	struct bh_fib_conf conf = { .name = "fib4", .family = BH_FIB_IP4,
		.max_routes = ROUTES4_MAX, .socket_id = socket_id, .qsbr = t->qsbr };

	t->fib4 = bh_fib_create(&conf);
	if (t->fib4 == NULL)
		return -errno;
	conf.name = "fib6";
	conf.family = BH_FIB_IP6;
	conf.max_routes = ROUTES6_MAX;
	t->fib6 = bh_fib_create(&conf);
	return t->fib6 == NULL ? -errno : 0;
}

int
bh_fwd_tables_create(struct bh_fwd_tables *t, unsigned int n_fwd, int socket_id)
{
	int rc;

	memset(t, 0, sizeof(*t));
	if (n_fwd == 0)
		return -EINVAL;
	rc = create_qsbr(t, n_fwd, socket_id);
	if (rc == 0)
		rc = create_arrays(t, socket_id);
	if (rc == 0)
		rc = create_attached(t, socket_id);
	if (rc == 0)
		rc = create_fibs(t, socket_id);
	if (rc < 0)
		bh_fwd_tables_destroy(t);
	return rc;
}

void
bh_fwd_tables_destroy(struct bh_fwd_tables *t)
{
	bh_fib_destroy(t->fib6);
	bh_fib_destroy(t->fib4);
	rte_hash_free(t->attached);
	rte_free(t->publish);
	rte_free(t->adjs);
	rte_free(t->nhs);
	rte_free(t->ifs);
	rte_free(t->qsbr);
	memset(t, 0, sizeof(*t));
}
