/* SPDX-License-Identifier: BSD-3-Clause */
#include "test/unit/ctl_json.h"

#include <stdio.h>

json_t *doc;

json_t *
run_json(bh_show_fn fn, const char *command, const char *name)
{
	char text[256];

	snprintf(text, sizeof(text), "%s -j", command);
	json_decref(doc);
	ck_assert_msg(fake_run(fn, text) == 0, "%s: %s", command, fake_err);
	ck_assert_str_eq(fake_err, "");
	doc = json_loads(fake_out, 0, NULL);
	ck_assert_ptr_nonnull(doc);
	ck_assert_ptr_nonnull(json_object_get(doc, name));
	return json_object_get(doc, name);
}

const char *
str(const json_t *v, const char *path)
{
	const char *s = json_string_value(bh_json_at(v, path));

	return s == NULL ? "(none)" : s;
}

long long
num(const json_t *v, const char *path)
{
	const json_t *n = bh_json_at(v, path);

	ck_assert_msg(json_is_integer(n), "%s is no integer", path);
	return json_integer_value(n);
}

bool
is(const json_t *v, const char *path)
{
	const json_t *b = bh_json_at(v, path);

	ck_assert_msg(json_is_boolean(b), "%s is no boolean", path);
	return json_is_true(b);
}

int
run_shows(const char *name, const TTest *const *tests, size_t n)
{
	Suite *s = suite_create(name);
	TCase *tc = tcase_create("shows");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(tc, fake_router, NULL);
	tcase_set_timeout(tc, 120);
	for (size_t i = 0; i < n; i++)
		tcase_add_test(tc, tests[i]);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
