/* SPDX-License-Identifier: BSD-3-Clause */
/* One file from its text to records and boot record; of libyang only the context stays. */
#include <errno.h>
#include <libyang/libyang.h>
#include <malloc.h>

#include "config/config.h"

static int
exit_code(int rc)
{
	switch (rc) {
	case 0:
		return BH_EXIT_OK;
	case -EINVAL:
		return BH_EXIT_INVALID;
	default:
		return BH_EXIT_INTERNAL;
	}
}

static int
load(const struct bh_config_args *args, int fd, struct bh_model *m, struct bh_boot *boot,
	struct bh_diag *d)
{
	struct lyd_node *tree = NULL;
	uint64_t digest = 0;
	int rc = bh_yang_load(args->ctx, args->file, fd, d, &tree, &digest);

	if (rc != 0) {
		lyd_free_all(tree);
		return rc == -EINVAL ? BH_EXIT_INVALID
			: rc == -ENOMEM ? BH_EXIT_INTERNAL : BH_EXIT_UNREADABLE;
	}
	rc = bh_model_make(m, tree, d);
	m->digest = digest;
	if (rc != -ENOMEM && bh_bootrec_make(boot, tree, m, args, d) != 0)
		rc = -EINVAL;
	lyd_free_all(tree);
	return exit_code(rc);
}

int
bh_config_open(struct bh_config_args *args)
{
	struct bh_diag d = {.out = stderr};

	return bh_yang_open(args->dirs, args->n_dirs, &d, &args->ctx) == 0 ? BH_EXIT_OK :
									     BH_EXIT_NO_YANG;
}

void
bh_config_close(struct bh_config_args *args)
{
	ly_ctx_destroy(args->ctx);
	args->ctx = NULL;
}

int
bh_config_load(const struct bh_config_args *args, int fd, struct bh_model *m,
	struct bh_boot *boot)
{
	struct bh_diag d = {.out = stderr, .file = args->file};
	int code = load(args, fd, m, boot, &d);

	if (code == BH_EXIT_INTERNAL)
		bh_diag(&d, NULL, "Out of memory.");
	bh_diag_end(&d);
	malloc_trim(0); /* the tree of many routes is many times the size of their records */
	return code;
}
