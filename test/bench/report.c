/* SPDX-License-Identifier: BSD-3-Clause */
#include "test/bench/report.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static struct {
	const char *bench;
	char dir[256];
	FILE *json;
	unsigned int n;
} report;

static void
fail(const char *what)
{
	fprintf(stderr, "bench: %s: %s\n", what, strerror(errno));
	exit(1);
}

uint64_t
report_now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * UINT64_C(1000000000) + ts.tv_nsec;
}

void
report_progress(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fprintf(stderr, "bench %s: ", report.bench);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
}

/* The CPU's name as the kernel gives it, and how many there are. */
static void
machine(char *buf, size_t size)
{
	FILE *f = fopen("/proc/cpuinfo", "r");
	char line[256], name[128] = "unknown CPU";

	while (f != NULL && fgets(line, sizeof(line), f) != NULL)
		if (sscanf(line, "model name : %127[^\"\\\n]", name) == 1)
			break;
	if (f != NULL)
		fclose(f);
	snprintf(buf, size, "%s, %ld CPUs", name, sysconf(_SC_NPROCESSORS_ONLN));
}

void
report_begin(const char *bench)
{
	const char *build = getenv("BH_BUILD");
	char path[320], cpu[192], date[32];
	time_t now = time(NULL);

	report.bench = bench;
	snprintf(report.dir, sizeof(report.dir), "%s/bench", build != NULL ? build : "build");
	snprintf(path, sizeof(path), "%s/%s.json", report.dir, bench);
	if (mkdir(report.dir, 0777) < 0 && errno != EEXIST)
		fail(report.dir);
	report.json = fopen(path, "w");
	if (report.json == NULL)
		fail(path);
	machine(cpu, sizeof(cpu));
	strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%SZ", gmtime(&now));
	fprintf(report.json, "{\n \"machine\": \"%s\",\n \"date\": \"%s\",\n \"figures\": [", cpu, date);
}

static int
by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double
report_median(double *values, unsigned int n)
{
	qsort(values, n, sizeof(*values), by_value);
	return n % 2 != 0 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

void
report_round(struct report_rounds *r, double value, double reference)
{
	if (r->n == REPORT_ROUNDS)
		return;
	r->value[r->n] = value;
	r->reference[r->n++] = reference;
}

/* Four significant digits are what these figures are good for. */
static const char *
text(double v, char *buf, size_t size)
{
	if (fabs(v) >= 1000 || v == 0)
		snprintf(buf, size, "%.0f", v);
	else
		snprintf(buf, size, "%.4g", v);
	return buf;
}

struct figure {
	double value, min, max, reference_value, ratio;
};

static void
emit(const char *name, const char *unit, const struct figure *f, const char *reference)
{
	char v[32], w[32];

	if (reference != NULL)
		printf("%s %s %s | %s %s | %.2f\n", name, text(f->value, v, sizeof(v)), unit,
			reference, text(f->reference_value, w, sizeof(w)), f->ratio);
	else
		printf("%s %s %s | - | -\n", name, text(f->value, v, sizeof(v)), unit);
	fflush(stdout);
	fprintf(report.json, "%s\n  {\"name\": \"%s\", \"value\": %.6g, \"min\": %.6g, \"max\": %.6g, "
		"\"unit\": \"%s\", ", report.n++ > 0 ? "," : "", name, f->value, f->min, f->max, unit);
	if (reference != NULL)
		fprintf(report.json, "\"reference\": \"%s\", \"reference_value\": %.6g, "
			"\"ratio\": %.4g}", reference, f->reference_value, f->ratio);
	else
		fprintf(report.json, "\"reference\": null, \"reference_value\": null, "
			"\"ratio\": null}");
}

static struct figure
figure_of(const struct report_rounds *r)
{
	struct figure f;
	double v[REPORT_ROUNDS];

	if (r->n == 0) {
		errno = ENODATA;
		fail("a figure without a round");
	}
	memcpy(v, r->value, sizeof(v));
	f.value = report_median(v, r->n);
	f.min = v[0];
	f.max = v[r->n - 1];
	f.reference_value = f.ratio = 0;
	return f;
}

void
report_rounds(const char *name, const char *unit, const struct report_rounds *r,
	const char *reference)
{
	struct figure f = figure_of(r);
	double ref[REPORT_ROUNDS], ratio[REPORT_ROUNDS];

	if (reference == NULL) {
		emit(name, unit, &f, NULL);
		return;
	}
	for (unsigned int i = 0; i < r->n; i++) {
		ref[i] = r->reference[i];
		ratio[i] = r->value[i] / r->reference[i];
	}
	f.reference_value = report_median(ref, r->n);
	f.ratio = report_median(ratio, r->n);
	emit(name, unit, &f, reference);
}

void
report_target(const char *name, const char *unit, const struct report_rounds *r, double target)
{
	struct figure f = figure_of(r);

	f.reference_value = target;
	f.ratio = f.value / target;
	emit(name, unit, &f, "target");
}

void
report_value(const char *name, const char *unit, double value)
{
	struct figure f = {value, value, value, 0, 0};

	emit(name, unit, &f, NULL);
}

void
report_end(void)
{
	fprintf(report.json, "\n ]\n}\n");
	if (fclose(report.json) != 0)
		fail("writing the report");
}
