/* SPDX-License-Identifier: BSD-3-Clause */
/* A libyang context and the way from a file or text to model, boot record and messages. */
#ifndef TEST_CONFIG_FIXTURE_H
#define TEST_CONFIG_FIXTURE_H

#include <check.h>
#include <libyang/libyang.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/config.h"

static struct ly_ctx *ctx;
static struct bh_model model;
static struct bh_boot boot;
static char messages[65536];
static const uint32_t cpus[] = {0, 1, 2, 3};

static void
open_yang(void)
{
	static const char *const dirs[] = {BH_SOURCE_ROOT "/config/yang"};
	struct bh_diag d = {.out = stderr};

	ck_assert_int_eq(bh_yang_open(dirs, 1, &d, &ctx), 0);
}

static void
close_yang(void)
{
	ly_ctx_destroy(ctx);
	ctx = NULL;
}

/* What we make, the core takes: owner, lengths, keys and values by the schema. */
static void
check_schema(void)
{
	struct bh_record rec;
	size_t off = 0;

	while (bh_records_next(&model.records, &off, &rec)) {
		const struct bh_schema *s = bh_schema(rec.table);

		ck_assert_ptr_nonnull(s);
		ck_assert_uint_eq(s->owner, BH_ROLE_CONFIG);
		ck_assert_uint_eq(rec.key_len, s->key_len);
		ck_assert(rec.val_len >= s->val_min && rec.val_len <= s->val_max);
		ck_assert(s->key_ok == NULL || s->key_ok(rec.key));
		ck_assert(s->val_ok == NULL || s->val_ok(rec.val, rec.val_len));
	}
}

/* Loads a file: 0 or -errno of the step that failed; `messages` is what was said. */
static int
load_file(const char *file)
{
	struct bh_config_args args = {.file = file, .cpus = cpus, .n_cpus = 4};
	struct bh_diag d = {.file = file};
	struct lyd_node *tree = NULL;
	int rc;

	memset(messages, 0, sizeof(messages));
	d.out = fmemopen(messages, sizeof(messages) - 1, "w");
	ck_assert_ptr_nonnull(d.out);
	rc = bh_yang_load(ctx, file, -1, &d, &tree, NULL);
	if (rc == 0)
		rc = bh_model_make(&model, tree, &d);
	if (rc == 0)
		rc = bh_bootrec_make(&boot, tree, &model, &args, &d);
	lyd_free_all(tree);
	fclose(d.out);
	if (rc == 0)
		check_schema();
	return rc;
}

static inline int
load_text(const char *text)
{
	char file[] = "/tmp/bh-config-XXXXXX";
	int fd = mkstemp(file), rc;

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	rc = load_file(file);
	unlink(file);
	return rc;
}

static int
run_suite(Suite *s)
{
	SRunner *sr = srunner_create(s);
	int failed;

	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

#endif
