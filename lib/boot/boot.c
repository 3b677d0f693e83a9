/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reading and writing the text of a boot record.
 *
 * The reader is a pure function of its input: one line at a time is cut into decoded fields
 * in a buffer on the stack and handed to the function of its first word. Whatever
 * bh_boot_print() would not write is refused.
 */
#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "lib/boot/boot.h"

#define LINE_MAX_BYTES 8192
#define FIELDS_MAX (4 + BH_BOOT_ARGS)

struct reader {
	struct bh_boot *boot;
	char *err;
	size_t err_len;
	unsigned int line;
	unsigned int seen;	/* bit of each item that was read */
	unsigned int groups;	/* bit of each group that was read */
	bool ended;
	unsigned int n;		/* fields of the line, the first word included */
	char *field[FIELDS_MAX];
	char text[LINE_MAX_BYTES];
};

static int
refuse(const struct reader *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static int
refuse(const struct reader *r, const char *fmt, ...)
{
	char what[160];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	snprintf(r->err, r->err_len, "boot record, line %u: %s", r->line, what);
	return -EINVAL;
}

static int
number(const struct reader *r, unsigned int i, uint32_t max, uint32_t *out)
{
	const char *s = r->field[i];
	uint64_t v = 0;

	if (s[0] == '0' && s[1] != '\0')
		return refuse(r, "leading zero in '%.32s'", s);
	for (const char *p = s; *p != '\0'; p++) {
		if (*p < '0' || *p > '9')
			return refuse(r, "'%.32s' is no number", s);
		v = v * 10 + (uint64_t)(*p - '0');
		if (v > max)
			return refuse(r, "%.32s is more than %u", s, max);
	}
	*out = (uint32_t)v;
	return 0;
}

static int
yes_no(const struct reader *r, unsigned int i, bool *out)
{
	*out = strcmp(r->field[i], "yes") == 0;
	return *out || strcmp(r->field[i], "no") == 0
		? 0 : refuse(r, "'%.32s' is neither yes nor no", r->field[i]);
}

static int
string(const struct reader *r, unsigned int i, char *out, size_t size)
{
	size_t len = strlen(r->field[i]);

	if (len >= size)
		return refuse(r, "'%.32s...' is longer than %zu bytes", r->field[i], size - 1);
	memcpy(out, r->field[i], len + 1);
	return 0;
}

static int
read_memory(struct reader *r)
{
	return number(r, 1, BH_BOOT_MEMORY_MAX, &r->boot->memory);
}

static int
read_hugepages(struct reader *r)
{
	return yes_no(r, 1, &r->boot->hugepages);
}

static int
read_mbufs(struct reader *r)
{
	return number(r, 1, BH_BOOT_MBUFS_MAX, &r->boot->mbufs);
}

static int
read_kernel_vdev(struct reader *r)
{
	return yes_no(r, 1, &r->boot->kernel_vdev);
}

static int
read_host_stack(struct reader *r)
{
	return yes_no(r, 1, &r->boot->host_stack);
}

static int
read_eal(struct reader *r)
{
	if (r->boot->n_eal == BH_BOOT_EAL)
		return refuse(r, "more than %d eal lines", BH_BOOT_EAL);
	return string(r, 1, r->boot->eal[r->boot->n_eal++], sizeof(r->boot->eal[0]));
}

static int
read_lcore(struct reader *r)
{
	struct bh_boot_lcore *l = &r->boot->lcores[r->boot->n_lcores];
	int role = bh_boot_role_find(r->field[3]);
	int rc;

	if (r->boot->n_lcores == BH_BOOT_LCORES)
		return refuse(r, "more than %d lcores", BH_BOOT_LCORES);
	if (role < 0)
		return refuse(r, "no role '%.32s'", r->field[3]);
	rc = number(r, 1, BH_BOOT_LCORE_ID_MAX, &l->id);
	if (rc == 0)
		rc = number(r, 2, BH_BOOT_CPU_MAX, &l->cpu);
	l->role = (uint32_t)role;
	r->boot->n_lcores++;
	return rc;
}

static int
read_group(struct reader *r)
{
	int group = bh_boot_group_find(r->field[1]);

	if (group < 0)
		return refuse(r, "no group '%.32s'", r->field[1]);
	if (r->groups & 1u << group)
		return refuse(r, "group %s is there twice", r->field[1]);
	r->groups |= 1u << group;
	return number(r, 2, BH_BOOT_LCORE_ID_MAX, &r->boot->group_lcore[group]);
}

static int
read_interface(struct reader *r)
{
	struct bh_boot_interface *p = &r->boot->interfaces[r->boot->n_interfaces];
	int rc;

	if (r->boot->n_interfaces == BH_IF_MAX)
		return refuse(r, "more than %d interfaces", BH_IF_MAX);
	rc = string(r, 1, p->name, sizeof(p->name));
	if (rc == 0)
		rc = string(r, 2, p->device, sizeof(p->device));
	r->boot->n_interfaces++;
	return rc;
}

static int
read_control_cpu(struct reader *r)
{
	if (r->boot->n_control_cpus == BH_BOOT_LCORES)
		return refuse(r, "more than %d control CPUs", BH_BOOT_LCORES);
	return number(r, 1, BH_BOOT_CPU_MAX, &r->boot->control_cpus[r->boot->n_control_cpus++]);
}

static int
read_module(struct reader *r)
{
	struct bh_boot_module *m = &r->boot->modules[r->boot->n_modules];
	int rc;

	if (r->boot->n_modules == BH_BOOT_MODULES)
		return refuse(r, "more than %d modules", BH_BOOT_MODULES);
	rc = string(r, 1, m->name, sizeof(m->name));
	if (rc == 0)
		rc = yes_no(r, 2, &m->enabled);
	if (rc == 0)
		rc = string(r, 3, m->program, sizeof(m->program));
	for (unsigned int i = 4; rc == 0 && i < r->n; i++)
		rc = string(r, i, m->args[m->n_args++], sizeof(m->args[0]));
	r->boot->n_modules++;
	return rc;
}

static int
read_end(struct reader *r)
{
	r->ended = true;
	return 0;
}

static const struct item {
	const char *word;
	unsigned int min, max; /* fields, the word included */
	bool single;	       /* exactly one such line */
	int (*read)(struct reader *r);
} items[] = {
	{"memory", 2, 2, true, read_memory},
	{"hugepages", 2, 2, true, read_hugepages},
	{"mbufs", 2, 2, true, read_mbufs},
	{"kernel-vdev", 2, 2, true, read_kernel_vdev},
	{"host-stack", 2, 2, true, read_host_stack},
	{"end", 1, 1, true, read_end},
	{"eal", 2, 2, false, read_eal},
	{"lcore", 4, 4, false, read_lcore},
	{"group", 3, 3, false, read_group},
	{"interface", 3, 3, false, read_interface},
	{"control-cpu", 2, 2, false, read_control_cpu},
	{"module", 4, FIELDS_MAX, false, read_module},
};

#define N_ITEMS (sizeof(items) / sizeof(items[0]))

static int
hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

static bool
must_encode(unsigned char c)
{
	return c <= ' ' || c == '%' || c == 0x7f;
}

/* Decodes one character at s (len bytes are left) into *c; bytes taken, or 0. */
static size_t
decode(const char *s, size_t len, char *c)
{
	int hi, lo;

	*c = s[0];
	if (s[0] != '%')
		return must_encode((unsigned char)s[0]) ? 0 : 1;
	if (len < 3)
		return 0;
	hi = hex(s[1]);
	lo = hex(s[2]);
	if (hi < 0 || lo < 0)
		return 0;
	*c = (char)(hi << 4 | lo);
	return *c != '\0' && must_encode((unsigned char)*c) ? 3 : 0;
}

/* Cuts a line into r->field. */
static int
split(struct reader *r, const char *s, size_t len)
{
	char *out = r->text;
	size_t i = 0;

	r->n = 0;
	if (len >= sizeof(r->text))
		return refuse(r, "longer than %d bytes", LINE_MAX_BYTES - 1);
	do {
		if (r->n == FIELDS_MAX)
			return refuse(r, "more than %d fields", FIELDS_MAX);
		r->field[r->n++] = out;
		while (i < len && s[i] != ' ') {
			size_t took = decode(s + i, len - i, out++);

			if (took == 0)
				return refuse(r, "bad character or encoding at column %zu", i + 1);
			i += took;
		}
		if (out == r->field[r->n - 1])
			return refuse(r, "empty field at column %zu", i + 1);
		*out++ = '\0';
	} while (i++ < len);
	return 0;
}

static int
read_line(struct reader *r, const char *s, size_t len)
{
	int rc;

	if (r->ended)
		return refuse(r, "text behind the end");
	rc = split(r, s, len);
	if (rc != 0)
		return rc;
	for (unsigned int i = 0; i < N_ITEMS; i++) {
		if (strcmp(r->field[0], items[i].word) != 0)
			continue;
		if (r->n < items[i].min || r->n > items[i].max)
			return refuse(r, "wrong number of fields for %s", items[i].word);
		if (items[i].single && (r->seen & 1u << i))
			return refuse(r, "%s is there twice", items[i].word);
		r->seen |= 1u << i;
		return items[i].read(r);
	}
	return refuse(r, "unknown item '%.32s'", r->field[0]);
}

static int
read_version(struct reader *r, const char *s, size_t len)
{
	uint32_t version = 0;
	int rc = split(r, s, len);

	if (rc != 0)
		return rc;
	if (r->n != 2 || strcmp(r->field[0], "bulkhead-boot") != 0)
		return refuse(r, "no boot record");
	rc = number(r, 1, UINT32_MAX, &version);
	if (rc == 0 && version != BH_BOOT_VERSION)
		rc = refuse(r, "version %u, this program knows %d", version, BH_BOOT_VERSION);
	return rc;
}

/* Nothing that must be there is missing. */
static int
read_whole(const struct reader *r)
{
	if (!r->ended)
		return refuse(r, "no end");
	for (unsigned int i = 0; i < N_ITEMS; i++)
		if (items[i].single && !(r->seen & 1u << i))
			return refuse(r, "no line %s", items[i].word);
	for (unsigned int g = 0; g < BH_GROUP_MAX; g++)
		if (!(r->groups & 1u << g))
			return refuse(r, "no line for group %s", bh_boot_group_name(g));
	return 0;
}

int
bh_boot_parse(const char *text, size_t len, struct bh_boot *boot, char *err, size_t err_len)
{
	struct reader r = {.boot = boot, .err = err, .err_len = err_len};
	const char *end = text + len;
	int rc = 0;

	memset(boot, 0, sizeof(*boot));
	if (len == 0 || len > BH_BOOT_TEXT_MAX)
		return refuse(&r, "%s", len == 0 ? "empty" : "too long");
	while (rc == 0 && text < end) {
		const char *nl = memchr(text, '\n', (size_t)(end - text));

		r.line++;
		if (nl == NULL)
			return refuse(&r, "no newline at its end");
		if (r.line == 1)
			rc = read_version(&r, text, (size_t)(nl - text));
		else
			rc = read_line(&r, text, (size_t)(nl - text));
		text = nl + 1;
	}
	if (rc == 0)
		rc = read_whole(&r);
	if (rc == 0)
		rc = bh_boot_check(boot, err, err_len);
	return rc;
}

static void
put(FILE *out, const char *value)
{
	fputc(' ', out);
	for (const char *p = value; *p != '\0'; p++) {
		if (must_encode((unsigned char)*p))
			fprintf(out, "%%%02X", (unsigned char)*p);
		else
			fputc(*p, out);
	}
}

static void
put_module(FILE *out, const struct bh_boot_module *m)
{
	fputs("module", out);
	put(out, m->name);
	put(out, m->enabled ? "yes" : "no");
	put(out, m->program);
	for (unsigned int i = 0; i < m->n_args; i++)
		put(out, m->args[i]);
	fputc('\n', out);
}

int
bh_boot_print(FILE *out, const struct bh_boot *b)
{
	fprintf(out, "bulkhead-boot %d\nmemory %u\nhugepages %s\nmbufs %u\nkernel-vdev %s\n"
		"host-stack %s\n",
		BH_BOOT_VERSION, b->memory, b->hugepages ? "yes" : "no", b->mbufs,
		b->kernel_vdev ? "yes" : "no", b->host_stack ? "yes" : "no");
	for (unsigned int i = 0; i < b->n_eal; i++) {
		fputs("eal", out);
		put(out, b->eal[i]);
		fputc('\n', out);
	}
	for (unsigned int i = 0; i < b->n_lcores; i++)
		fprintf(out, "lcore %u %u %s\n", b->lcores[i].id, b->lcores[i].cpu,
			bh_lcore_role_name(b->lcores[i].role));
	for (unsigned int g = 0; g < BH_GROUP_MAX; g++)
		fprintf(out, "group %s %u\n", bh_boot_group_name(g), b->group_lcore[g]);
	for (unsigned int i = 0; i < b->n_interfaces; i++) {
		fputs("interface", out);
		put(out, b->interfaces[i].name);
		put(out, b->interfaces[i].device);
		fputc('\n', out);
	}
	for (unsigned int i = 0; i < b->n_control_cpus; i++)
		fprintf(out, "control-cpu %u\n", b->control_cpus[i]);
	for (unsigned int i = 0; i < b->n_modules; i++)
		put_module(out, &b->modules[i]);
	fputs("end\n", out);
	return fflush(out) != 0 || ferror(out) ? -EIO : 0;
}
