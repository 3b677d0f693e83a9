/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * libyang: the context with all modules, and a file as a validated tree.
 *
 * Of several revisions in the search path libyang takes the newest. The package libyuma-base
 * has the NMDA revisions of 2018 and older ones in two folders; one older than 2018 is
 * refused, because the tree would have another shape.
 */
#include <errno.h>
#include <libyang/libyang.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/config.h"

#define FILE_MAX_BYTES (1024u * 1024 * 1024)

static const char *const no_features[] = {NULL};
static const char *const if_features[] = {"arbitrary-names", "pre-provisioning", NULL};
static const char *const ip_features[] = {"ipv4-non-contiguous-netmasks", NULL};

static const struct module {
	const char *name;
	const char *oldest; /* revision */
	const char *const *features;
} modules[] = {
	{"ietf-interfaces", "2018-02-20", if_features},
	{"iana-if-type", "2014-05-08", no_features},
	{"ietf-ip", "2018-02-22", ip_features},
	{"ietf-routing", "2018-03-13", no_features},
	{"ietf-ipv4-unicast-routing", "2018-03-13", no_features},
	{"ietf-ipv6-unicast-routing", "2018-03-13", no_features},
	{"bulkhead", "2026-11-21", no_features},
	{"bulkhead-deviations", "2026-11-21", no_features},
};

/* Directory that is not there is no error: what is missing in the end is told by module. */
static void
add_dir(struct ly_ctx *ctx, const char *dir)
{
	if (dir[0] != '\0')
		ly_ctx_set_searchdir(ctx, dir);
}

static void
add_env_dirs(struct ly_ctx *ctx)
{
	const char *env = getenv("BULKHEAD_YANG_PATH");
	char *copy = env != NULL ? strdup(env) : NULL;
	char *save = NULL;

	for (char *s = copy; s != NULL; s = NULL)
		for (char *dir = strtok_r(s, ":", &save); dir != NULL;
			dir = strtok_r(NULL, ":", &save))
			add_dir(ctx, dir);
	free(copy);
}

/* `yang` beside the program: a tree that is not installed. */
static void
add_own_dir(struct ly_ctx *ctx)
{
	char path[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", path, sizeof(path) - sizeof("/yang"));

	while (len > 0 && path[len - 1] != '/')
		len--;
	if (len <= 0)
		return;
	strcpy(path + len, "yang");
	add_dir(ctx, path);
}

static int
load_module(struct ly_ctx *ctx, const struct module *m, struct bh_diag *d)
{
	const struct lys_module *mod = ly_ctx_load_module(ctx, m->name, NULL,
		(const char **)m->features);

	if (mod == NULL) {
		bh_diag_libyang(d, ctx);
		bh_diag(d, NULL, "YANG module %s is missing or broken%s", m->name,
			strncmp(m->name, "bulkhead", 8) == 0
				? ": add its folder by -p or BULKHEAD_YANG_PATH"
				: ": apt install libyuma-base, or add a folder by -p");
		return -ENOENT;
	}
	if (mod->revision == NULL || strcmp(mod->revision, m->oldest) < 0) {
		bh_diag(d, NULL, "YANG module %s@%s (%s) is older than %s: apt install libyuma-base",
			m->name, mod->revision != NULL ? mod->revision : "none",
			mod->filepath != NULL ? mod->filepath : "?", m->oldest);
		return -ENOENT;
	}
	return 0;
}

int
bh_yang_open(const char *const *dirs, unsigned int n, struct bh_diag *d, struct ly_ctx **out)
{
	struct ly_ctx *ctx = NULL;
	int rc = 0;

	ly_log_options(LY_LOSTORE);
	if (ly_ctx_new(NULL, LY_CTX_NO_YANGLIBRARY | LY_CTX_DISABLE_SEARCHDIR_CWD, &ctx) !=
		LY_SUCCESS)
		return -ENOMEM;
	for (unsigned int i = 0; i < n; i++)
		add_dir(ctx, dirs[i]);
	add_env_dirs(ctx);
	add_own_dir(ctx);
	add_dir(ctx, BH_YANGDIR);
	add_dir(ctx, "/usr/share/yuma/nmda-modules/ietf");
	add_dir(ctx, "/usr/share/yuma/modules/ietf");
	ly_err_clean(ctx, NULL);
	for (size_t i = 0; rc == 0 && i < sizeof(modules) / sizeof(modules[0]); i++)
		rc = load_module(ctx, &modules[i], d);
	if (rc != 0) {
		ly_ctx_destroy(ctx);
		return rc;
	}
	*out = ctx;
	return 0;
}

/* The whole file with a NUL behind it. *len: without the NUL. */
static int
read_stream(FILE *f, char **text, size_t *len)
{
	size_t size = 65536, n = 0, got;
	char *buf = malloc(size), *bigger;

	while (buf != NULL) {
		got = fread(buf + n, 1, size - n - 1, f);
		n += got;
		if (got == 0)
			break;
		if (n < size - 1)
			continue;
		bigger = n > FILE_MAX_BYTES ? NULL : realloc(buf, size *= 2);
		if (bigger == NULL)
			free(buf);
		buf = bigger;
	}
	if (buf == NULL)
		return n > FILE_MAX_BYTES ? -EFBIG : -ENOMEM;
	if (ferror(f)) {
		free(buf);
		return -EIO;
	}
	buf[n] = '\0';
	*text = buf;
	*len = n;
	return 0;
}

static int
read_file(const char *file, int fd, char **text, size_t *len)
{
	FILE *f = fd < 0 ? fopen(file, "re") : fdopen(fd, "r");
	struct stat st;
	int rc = -errno;

	if (f == NULL) {
		if (fd >= 0)
			close(fd);
		return rc;
	}
	if (fstat(fileno(f), &st) == 0 && S_ISDIR(st.st_mode))
		rc = -EISDIR;
	else
		rc = read_stream(f, text, len);
	fclose(f);
	return rc;
}

static LYD_FORMAT
format_of(const char *file, const char *text)
{
	const char *dot = strrchr(file, '.');

	if (dot != NULL && strcasecmp(dot, ".json") == 0)
		return LYD_JSON;
	if (dot != NULL && strcasecmp(dot, ".xml") == 0)
		return LYD_XML;
	return text[strspn(text, " \t\r\n")] == '<' ? LYD_XML : LYD_JSON;
}

/* libyang reads one JSON object and does not look at what stands behind it. */
static int
check_rest(struct ly_in *in, const char *text, struct bh_diag *d)
{
	size_t parsed = ly_in_parsed(in);
	const char *rest = text + parsed + strspn(text + parsed, " \t\r\n");

	if (*rest == '\0')
		return 0;
	bh_diag(d, NULL, "text behind the end of the data, at offset %zu", (size_t)(rest - text));
	return -EINVAL;
}

static int
parse(struct ly_ctx *ctx, const char *text, LYD_FORMAT format, struct bh_diag *d,
	struct lyd_node **tree)
{
	struct ly_in *in = NULL;
	int rc = 0;

	if (ly_in_new_memory(text, &in) != LY_SUCCESS)
		return -ENOMEM;
	if (lyd_parse_data(ctx, NULL, in, format, LYD_PARSE_STRICT | LYD_PARSE_NO_STATE,
		    LYD_VALIDATE_NO_STATE, tree) != LY_SUCCESS) {
		bh_diag_libyang(d, ctx);
		if (d->n == 0)
			bh_diag(d, NULL, "libyang refuses the file without a message");
		rc = -EINVAL;
	} else if (format == LYD_JSON) {
		rc = check_rest(in, text, d);
	}
	ly_in_free(in, 0);
	return rc;
}

int
bh_yang_parse(struct ly_ctx *ctx, const char *file, const char *text, size_t len,
	struct bh_diag *d, struct lyd_node **tree)
{
	*tree = NULL;
	if (strlen(text) != len) {
		bh_diag(d, NULL, "a NUL byte at offset %zu", strlen(text));
		return -EINVAL;
	}
	if (text[strspn(text, " \t\r\n")] == '\0') {
		bh_diag(d, NULL, "the file is empty");
		return -EINVAL;
	}
	return parse(ctx, text, format_of(file, text), d, tree);
}

int
bh_yang_load(struct ly_ctx *ctx, const char *file, int fd, struct bh_diag *d,
	struct lyd_node **tree, uint64_t *digest)
{
	struct bh_digest dig;
	char *text = NULL;
	size_t len = 0;
	int rc = read_file(file, fd, &text, &len);

	*tree = NULL;
	if (rc != 0) {
		bh_diag(d, NULL, "cannot read: %s", strerror(-rc));
		return rc == -EINVAL ? -EIO : rc;
	}
	rc = bh_yang_parse(ctx, file, text, len, d, tree);
	if (digest != NULL) {
		bh_digest_begin(&dig);
		bh_digest_add(&dig, text, len);
		*digest = bh_digest_end(&dig);
	}
	free(text);
	return rc;
}

const struct lyd_node *
bh_yang_child(const struct lyd_node *parent, const char *name)
{
	const struct lyd_node *node;

	LY_LIST_FOR(parent != NULL ? lyd_child(parent) : NULL, node)
		if (node->schema != NULL && strcmp(node->schema->name, name) == 0)
			return node;
	return NULL;
}

const struct lyd_node *
bh_yang_top(const struct lyd_node *tree, const char *module, const char *name)
{
	const struct lyd_node *node;

	LY_LIST_FOR(tree != NULL ? lyd_first_sibling(tree) : NULL, node)
		if (node->schema != NULL && strcmp(node->schema->name, name) == 0 &&
			strcmp(node->schema->module->name, module) == 0)
			return node;
	return NULL;
}

const char *
bh_yang_string(const struct lyd_node *parent, const char *name)
{
	return lyd_get_value(bh_yang_child(parent, name));
}

uint32_t
bh_yang_number(const struct lyd_node *parent, const char *name)
{
	const char *value = bh_yang_string(parent, name);

	return value != NULL ? (uint32_t)strtoul(value, NULL, 10) : 0;
}

bool
bh_yang_bool(const struct lyd_node *parent, const char *name)
{
	const char *value = bh_yang_string(parent, name);

	return value != NULL && strcmp(value, "true") == 0;
}
