/* SPDX-License-Identifier: BSD-3-Clause */
/* bhctl's output: alignment, expanded lists, JSON, and names and texts. */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "app/ctl/names.h"
#include "app/ctl/render.h"
#include "app/ctl/show.h"

static const struct bh_column columns[] = {
	{.title = "Name", .path = "name"},
	{.title = "Count", .path = "count.sum", .flags = BH_COL_RIGHT},
	{.title = "Via", .path = "via", .flags = BH_COL_SUB},
	{.title = "Ok", .path = "ok"},
	{0},
};
static const struct bh_view view = {
	.list = "things",
	.none = "no things",
	.expand = "hops",
	.columns = columns,
};

static char *text;
static size_t text_len;

static void
render(const char *json, int as_json)
{
	json_t *list = json_loads(json, 0, NULL);
	struct bh_rows rows = bh_rows_of(list);
	FILE *f;

	free(text);
	text = NULL;
	f = open_memstream(&text, &text_len);
	ck_assert_ptr_nonnull(list);
	ck_assert_int_eq(as_json ? bh_render_json(f, &view, &rows)
				 : bh_render_table(f, &view, &rows), 0);
	fclose(f);
	json_decref(list);
}

#define ROWS                                                                                       \
	"[{\"name\":\"a\",\"count\":{\"sum\":18446744},"                                           \
	"\"hops\":[{\"via\":\"x\"},{\"via\":\"yy\"}],\"ok\":true},"                              \
	"{\"name\":\"longer\",\"count\":{\"sum\":7},\"hops\":[],\"ok\":false}]"

START_TEST(table)
{
	render(ROWS, 0);
	ck_assert_str_eq(text,
		"Name       Count  Via  Ok\n"
		"a       18446744  x    yes\n"
		"                  yy\n"
		"longer         7  -    no\n");
}
END_TEST

START_TEST(table_of_nothing)
{
	render("[]", 0);
	ck_assert_str_eq(text, "no things\n");
}
END_TEST

START_TEST(json_rows)
{
	json_t *v;

	render(ROWS, 1);
	v = json_loadb(text, text_len, 0, NULL);
	ck_assert_ptr_nonnull(v);
	ck_assert_uint_eq(json_array_size(json_object_get(v, "things")), 2);
	json_decref(v);
	render("[]", 1);
	ck_assert_str_eq(text, "{\"things\":[]}\n");
}
END_TEST

/* Names come from other processes: no control character may reach a terminal. */
START_TEST(hostile_text)
{
	render("[{\"name\":\"e\\u001b[2Jx\\ny\"}]", 0);
	ck_assert_ptr_null(strchr(text, '\033'));
	ck_assert_ptr_nonnull(strstr(text, "e?[2Jx?y"));
}
END_TEST

START_TEST(utf8_text)
{
	static const char cut[] = {'e', (char)0xc3, 0};
	json_t *v = bh_ctl_json_text(cut, sizeof(cut)), *w = bh_ctl_json_text("abcdef", 3);

	ck_assert_str_eq(json_string_value(v), "e?");
	ck_assert_str_eq(json_string_value(w), "abc"); /* a field without NUL */
	json_decref(v);
	json_decref(w);
	render("[{\"name\":\"\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\",\"ok\":true},"
	       "{\"name\":\"eeeee\",\"ok\":true}]", 0);
	ck_assert_ptr_nonnull(strstr(text, "\xc3\xa9      -  -    yes\n"));
	ck_assert_ptr_nonnull(strstr(text, "eeeee      -  -    yes\n"));
}
END_TEST

START_TEST(scalars)
{
	static const struct {
		const char *json, *text;
	} cases[] = {
		{"[\"a\"]", "a"}, {"[-5]", "-5"}, {"[1.5]", "1.500"}, {"[true]", "yes"},
		{"[null]", "-"}, {"[\"\"]", "-"}, {"[[]]", "-"}, {"[[\"a\",\"b\"]]", "a, b"},
		{"[9007199254740993]", "9007199254740993"},
	};
	char buf[64];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		json_t *v = json_loads(cases[i].json, 0, NULL);

		bh_json_text(json_array_get(v, 0), buf, sizeof(buf));
		ck_assert_str_eq(buf, cases[i].text);
		json_decref(v);
	}
	bh_json_text(NULL, buf, sizeof(buf));
	ck_assert_str_eq(buf, "-");
}
END_TEST

START_TEST(list_is_cut)
{
	json_t *v = json_loads("[\"aaaa\",\"bbbb\",\"cccc\"]", 0, NULL);
	char buf[8];

	bh_json_text(v, buf, sizeof(buf));
	ck_assert_str_eq(buf, "aaaa, b");
	json_decref(v);
}
END_TEST

START_TEST(value)
{
	json_t *v = json_loads("{\"a\":1,\"b\":{\"c\":\"x\"}}", 0, NULL);
	FILE *f;

	free(text);
	f = open_memstream(&text, &text_len);
	bh_render_value(f, v);
	fclose(f);
	ck_assert_str_eq(text,
		"a:                    1\n"
		"b:\n"
		"  c:                    x\n");
	json_decref(v);
}
END_TEST

START_TEST(bytes)
{
	static const struct {
		json_int_t n;
		const char *text;
	} cases[] = {
		{0, "0"}, {999, "999"}, {1000, "1.0k"}, {1949, "1.9k"}, {15000, "15k"},
		{1200000000, "1.2G"}, {INT64_MAX, "9.2E"},
	};
	char buf[32];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		json_t *v = json_integer(cases[i].n);

		bh_cell_bytes(v, buf, sizeof(buf));
		ck_assert_str_eq(buf, cases[i].text);
		json_decref(v);
	}
}
END_TEST

START_TEST(texts)
{
	char buf[96];

	ck_assert_str_eq(bh_ctl_exit_text(-1, buf, sizeof(buf)), "none");
	ck_assert_str_eq(bh_ctl_exit_text(W_EXITCODE(3, 0), buf, sizeof(buf)), "exit status 3");
	ck_assert_str_eq(bh_ctl_exit_text(W_EXITCODE(0, 9), buf, sizeof(buf)),
		"killed by signal 9 (Killed)");
	ck_assert_str_eq(bh_ctl_duration_text(59, buf, sizeof(buf)), "59s");
	ck_assert_str_eq(bh_ctl_duration_text(200, buf, sizeof(buf)), "3m 20s");
	ck_assert_str_eq(bh_ctl_duration_text(7500, buf, sizeof(buf)), "2h 5m");
	ck_assert_str_eq(bh_ctl_duration_text(367200, buf, sizeof(buf)), "4d 6h");
	ck_assert_str_eq(bh_ctl_oper_name(BH_OPER_NOT_PRESENT), "not-present");
	ck_assert_str_eq(bh_ctl_oper_name(200), "unknown");
	ck_assert_str_eq(bh_ctl_nh_type_name(0), "unknown");
	ck_assert_str_eq(bh_ctl_nh_type_name(BH_NH_GROUP), "unicast");
}
END_TEST

/* Figures of a process that is surely there: this one. */
START_TEST(memory)
{
	static struct bh_stats st = {
		.channels = 3, .channel_bytes = 307200, .channels_made = 9, .sockets = 4, .relays = 10,
		.refused_contacts = 2,
	};
	json_t *v;

	st.core_pid = getpid();
	st.table[1].watchers = 2;
	st.table[BH_T_MAX - 1].watchers = 5;
	v = bh_json_memory(&st);
	ck_assert_int_eq(json_integer_value(json_object_get(v, "channels")), 3);
	ck_assert_int_eq(json_integer_value(json_object_get(v, "channel-bytes")), 307200);
	ck_assert_int_eq(json_integer_value(json_object_get(v, "channels-made")), 9);
	ck_assert_int_eq(json_integer_value(json_object_get(v, "sockets")), 4);
	ck_assert_int_eq(json_integer_value(json_object_get(v, "watches")), 7);
	ck_assert_int_ge(json_integer_value(json_object_get(v, "core-descriptors")), 3);
	ck_assert_int_gt(json_integer_value(json_object_get(v, "core-resident-bytes")), 100000);
	json_decref(v);
	st.core_pid = UINT32_MAX;
	v = bh_json_memory(&st);
	ck_assert(json_is_null(json_object_get(v, "core-descriptors")));
	ck_assert(json_is_null(json_object_get(v, "core-resident-bytes")));
	json_decref(v);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("ctl_render");
	TCase *tc = tcase_create("render");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_test(tc, table);
	tcase_add_test(tc, table_of_nothing);
	tcase_add_test(tc, json_rows);
	tcase_add_test(tc, hostile_text);
	tcase_add_test(tc, utf8_text);
	tcase_add_test(tc, scalars);
	tcase_add_test(tc, list_is_cut);
	tcase_add_test(tc, value);
	tcase_add_test(tc, bytes);
	tcase_add_test(tc, texts);
	tcase_add_test(tc, memory);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
