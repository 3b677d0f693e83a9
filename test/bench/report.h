/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How every bench reports: one line a figure on standard output,
 *
 *     name value unit | reference value | ratio
 *
 * and all of them in $BH_BUILD/bench/NAME.json (`build` without BH_BUILD). A figure is the median of
 * its rounds. With a reference that was measured in the same rounds the ratio is the median of the
 * rounds' ratios; with a fixed one (a target) it is the figure's ratio to it.
 */
#ifndef TEST_BENCH_REPORT_H
#define TEST_BENCH_REPORT_H

#include <stdint.h>

#define REPORT_ROUNDS 64 /* of one figure, at most */

/* Rounds of one figure. value and reference of a round were measured one after the other. */
struct report_rounds {
	unsigned int n;
	double value[REPORT_ROUNDS];
	double reference[REPORT_ROUNDS];
};

/* Begins the report of this bench. Exits the program when something fails, as all here. */
void report_begin(const char *bench);

void report_round(struct report_rounds *r, double value, double reference);

/* One figure. reference: name of what was measured beside it, NULL: nothing was. */
void report_rounds(const char *name, const char *unit, const struct report_rounds *r,
	const char *reference);

/* One figure beside a fixed value. */
void report_target(const char *name, const char *unit, const struct report_rounds *r,
	double target);

/* One figure that was measured once and has no reference. */
void report_value(const char *name, const char *unit, double value);

/* Writes the JSON file. */
void report_end(void);

/* What is going on, to standard error. */
void report_progress(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Median of n values; sorts them. */
double report_median(double *values, unsigned int n);

uint64_t report_now_ns(void);

#endif
