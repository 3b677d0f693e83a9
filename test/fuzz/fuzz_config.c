/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bulkhead-config from the text of a file to records and boot record. JSON, or XML where the
 * text begins with '<'. What the program would hand on must be what the core and the
 * supervisor take. The YANG context is made once.
 */
#include <errno.h>
#include <libyang/libyang.h>

#include "config/config.h"
#include "test/fuzz/fuzz.h"

static const uint32_t cpus[] = {0, 1, 2, 3};
static struct ly_ctx *ctx;
static FILE *sink;
static struct bh_model model;
static struct bh_boot boot;

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static const char *const dirs[] = {BH_SOURCE_ROOT "/config/yang"};
	struct bh_diag d = {.out = stderr};

	(void)argc;
	(void)argv;
	FUZZ_CHECK(bh_yang_open(dirs, 1, &d, &ctx) == 0);
	sink = fopen("/dev/null", "we");
	FUZZ_CHECK(sink != NULL);
	return 0;
}

static void
check_records(void)
{
	struct bh_record rec;
	size_t off = 0;

	while (bh_records_next(&model.records, &off, &rec)) {
		const struct bh_schema *s = bh_schema(rec.table);

		FUZZ_CHECK(s != NULL && s->owner == BH_ROLE_CONFIG);
		FUZZ_CHECK(rec.key_len == s->key_len);
		FUZZ_CHECK(rec.val_len >= s->val_min && rec.val_len <= s->val_max);
		FUZZ_CHECK(s->key_ok == NULL || s->key_ok(rec.key));
		FUZZ_CHECK(s->val_ok == NULL || s->val_ok(rec.val, rec.val_len));
	}
	bh_records_print(&model.records, sink);
}

static void
check_boot(void)
{
	char why[256] = "", *text = NULL;
	static struct bh_boot again;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	FUZZ_CHECK(out != NULL);
	FUZZ_CHECK(bh_boot_print(out, &boot) == 0);
	fclose(out);
	FUZZ_CHECK(bh_boot_parse(text, len, &again, why, sizeof(why)) == 0);
	free(text);
}

/* As bh_config_load() does it. */
static int
load(const char *text, size_t len, struct bh_diag *d)
{
	struct bh_config_args args = {.file = "input", .cpus = cpus, .n_cpus = 4};
	struct lyd_node *tree = NULL;
	int rc = bh_yang_parse(ctx, args.file, text, len, d, &tree);

	if (rc == 0) {
		rc = bh_model_make(&model, tree, d);
		if (bh_bootrec_make(&boot, tree, &model, &args, d) != 0)
			rc = -EINVAL;
	}
	lyd_free_all(tree);
	return rc;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bh_diag d = {.out = sink, .file = "input"};
	char *text = malloc(size + 1);
	int rc;

	FUZZ_CHECK(text != NULL);
	memcpy(text, data, size);
	text[size] = '\0';
	memset(&model, 0, sizeof(model));
	rc = load(text, size, &d);
	free(text);
	FUZZ_CHECK((rc == 0) == (d.n == 0)); /* no refusal without a message */
	bh_diag_end(&d);
	if (rc == 0) {
		check_records();
		check_boot();
	}
	bh_model_free(&model);
	ly_err_clean(ctx, NULL);
	return 0;
}
