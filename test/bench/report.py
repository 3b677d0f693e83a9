# SPDX-License-Identifier: BSD-3-Clause
"""report.h for benches in Python: a line a figure, and build/bench/NAME.json."""
import json
import os
import statistics
import sys
import time


def machine():
    """Model of the CPU and how many there are."""
    with open("/proc/cpuinfo", encoding="ascii", errors="replace") as text:
        names = [line.split(":")[1].strip() for line in text if line.startswith("model name")]
    return f"{names[0] if names else 'unknown'}, {os.cpu_count()} CPUs"


def text(value):
    """Four significant digits."""
    return f"{value:.0f}" if abs(value) >= 1000 or value == 0 else f"{value:.4g}"


class Report:
    """Figures of one bench."""

    def __init__(self, bench):
        self.bench, self.figures = bench, []
        self.date = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())

    @staticmethod
    def progress(what):
        """What is going on, to standard error."""
        print(f"  {what}", file=sys.stderr, flush=True)

    def _emit(self, name, unit, values, reference, reference_value):
        value = statistics.median(values)
        ratio = None
        line = f"{name} {text(value)} {unit} | - | -"
        if reference:
            ratio = value / reference_value
            line = f"{name} {text(value)} {unit} | {reference} {text(reference_value)} | {ratio:.2f}"
        print(line, flush=True)
        self.figures.append({"name": name, "value": value, "min": min(values), "max": max(values),
                             "unit": unit, "reference": reference,
                             "reference_value": reference_value, "ratio": ratio})

    def target(self, name, unit, values, target):
        """The median of values beside a fixed value."""
        self._emit(name, unit, values, "target", target)

    def value(self, name, unit, value):
        """A figure that was measured once."""
        self._emit(name, unit, [value], None, None)

    def end(self):
        """Writes the JSON file."""
        folder = os.path.join(os.environ.get("BH_BUILD", "build"), "bench")
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, f"{self.bench}.json"), "w", encoding="utf-8") as out:
            json.dump({"machine": machine(), "date": self.date, "figures": self.figures}, out,
                      indent=1)
            out.write("\n")
