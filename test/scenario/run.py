#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Run the scenario tests: functions test_* of the files s_*.py beside this one, in order.

A test takes one argument, a Test, or two: a scenario with open_bed(test) has its bed opened before
its first such test, given as the second argument, and closed after the last; a failure opens a new
one. A test may set a limit in seconds with LIMITS = {"test_name": seconds} in its file.
"""
import argparse
import importlib
import inspect
import os
import shutil
import signal
import sys
import tempfile
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

from bhtest import netns, process  # noqa: E402  (the path is set above)

LIMIT = 120
LOG_TAIL = 40




class Test:
    """What a test function gets: a directory of its own and a place to name its log files."""

    def __init__(self, name, verbose):
        self.name, self.verbose, self.logs = name, verbose, []
        self.workdir = tempfile.mkdtemp(prefix="bht.")

    def say(self, text):
        """Print a figure under the test's name."""
        print(f"      {self.name}: {text}", flush=True)

    def log_file(self, path):
        """Show the end of this file if the test fails."""
        self.logs.append(path)

    def show_logs(self):
        """Print the end of each log file."""
        for path in self.logs:
            if os.path.exists(path):
                with open(path, encoding="utf-8", errors="replace") as text:
                    lines = text.read().splitlines()
                print(f"--- {os.path.basename(path)}, last lines")
                print("\n".join(lines[-LOG_TAIL * (5 if self.verbose else 1):]))

    def remove(self):
        """Delete the directory."""
        shutil.rmtree(self.workdir, ignore_errors=True)


class Scenario:
    """One file: its tests and, between them, its bed."""

    def __init__(self, name, options):
        self.module, self.options = importlib.import_module(name), options
        self.name, self.bed, self.bed_test = name, None, None
        self.passed = self.failed = 0

    def tests(self):
        """Names of the test functions in the order of the file."""
        found = [(value.__code__.co_firstlineno, key) for key, value in vars(self.module).items()
                 if key.startswith("test_") and inspect.isfunction(value)]
        pattern = self.options.k or ""
        return [key for _, key in sorted(found) if pattern in f"{self.name}.{key}"]

    def run(self):
        """Run every test; the last closes the bed, and its end counts as that test's."""
        names = self.tests()
        for name in names:
            self.one(name, name == names[-1])

    def one(self, name, last):
        """Run one test within its time and report it."""
        test = Test(f"{self.name}.{name}", self.options.v)
        start, limit = time.monotonic(), getattr(self.module, "LIMITS", {}).get(name, LIMIT)
        signal.alarm(limit)
        try:
            self.call(getattr(self.module, name), test)
            if last:
                self.close_bed()
            self.passed += 1
            print(f"ok    {test.name}  {time.monotonic() - start:.1f} s", flush=True)
        except Exception as error:
            signal.alarm(0)
            self.failed += 1
            self.report(test, error)
        finally:
            signal.alarm(0)
            test.remove()

    def call(self, function, test):
        """Call a test with the bed if it wants one."""
        if len(inspect.signature(function).parameters) == 1:
            function(test)
            return
        if not self.bed:
            self.bed_test = Test(self.name, self.options.v)
            self.bed = self.module.open_bed(self.bed_test)
        function(test, self.bed)

    def report(self, test, error):
        """Print why a test failed, and drop the bed that it may have spoilt."""
        first = (str(error) or type(error).__name__).splitlines()[0]
        print(f"FAIL  {test.name}: {first}", flush=True)
        traceback.print_exception(error)
        test.show_logs()
        if self.bed_test:
            self.bed_test.show_logs()
        sys.stdout.flush()
        if self.bed:
            self.bed.kill()
        self.drop_bed()
        process.cleanup()
        netns.cleanup()

    def close_bed(self):
        """End the bed in good order; what it asserts at its end may raise."""
        if self.bed:
            self.bed.close()
            self.drop_bed()

    def drop_bed(self):
        """Forget the bed and delete its directory."""
        if self.bed_test:
            self.bed_test.remove()
        self.bed = self.bed_test = None


def on_alarm(*_):
    """SIGALRM: the test has used up its time."""
    raise TimeoutError("time limit reached")


def on_end(number, _):
    """SIGTERM, SIGHUP: leave by way of the clean-up functions."""
    sys.exit(128 + number)


def main():
    """Parse options, run, count."""
    parser = argparse.ArgumentParser(description="Run the scenario tests.")
    parser.add_argument("-k", metavar="PATTERN", help="only tests whose name contains PATTERN")
    parser.add_argument("-v", action="store_true", help="longer logs of failures")
    options = parser.parse_args()
    signal.signal(signal.SIGALRM, on_alarm)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, on_end)
    passed = failed = 0
    for file in sorted(os.listdir(HERE)):
        if file.startswith("s_") and file.endswith(".py"):
            scenario = Scenario(file[:-3], options)
            scenario.run()
            passed, failed = passed + scenario.passed, failed + scenario.failed
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
