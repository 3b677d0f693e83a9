/* SPDX-License-Identifier: BSD-3-Clause */
/* What a show prints as JSON, taken apart. */
#ifndef TEST_CTL_JSON_H
#define TEST_CTL_JSON_H

#include <check.h>
#include <jansson.h>
#include <stdbool.h>

#include "test/unit/ctl_fake.h"

/* The whole document of the last run_json(), freed by the next one. */
extern json_t *doc;

/* Runs with -j and parses; the member of that name. */
json_t *run_json(bh_show_fn fn, const char *command, const char *name);

/* Members of v by path (bh_json_at()); str(): "(none)" if it is no string. */
const char *str(const json_t *v, const char *path);
long long num(const json_t *v, const char *path);
bool is(const json_t *v, const char *path);

/* The tests, each with the records of fake_router(). The exit status. */
int run_shows(const char *name, const TTest *const *tests, size_t n);

#endif
