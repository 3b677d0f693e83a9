#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""All tests: unit tests of build/ and build-asan/, models, fuzz targets of build-fuzz/, scenarios.
`run.py [PATTERN]` takes only tests whose name contains PATTERN. The last line counts."""
import json
import os
import re
import subprocess
import sys
import time

sys.dont_write_bytecode = True
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "test/fuzz"))
import fuzz  # noqa: E402

UNIT_SECONDS = 300
FUZZ_SECONDS = 4 # of each target, behind its seeds
MODEL_SECONDS = 1200
SCENARIO_SECONDS = 1200
CHECKS = re.compile(r"^\d+%: Checks: (\d+), Failures: (\d+), Errors: (\d+)", re.M)


def unit_programs(build):
    """(name, command, environment) of each unit test that meson knows in a build folder."""
    out = subprocess.run(["meson", "introspect", "--tests", build], capture_output=True,
                         text=True, check=True).stdout
    return [(t["name"], t["cmd"], t["env"]) for t in json.loads(out) if "bulkhead:unit" in t["suite"]]


def run_unit(label, name, cmd, env):
    """Runs one Check program; returns (passed, failed)."""
    began = time.monotonic()
    env = {**os.environ, **env, "CK_VERBOSITY": "normal", "BH_BUILD": os.path.join(ROOT, label),
           "ASAN_OPTIONS": "detect_leaks=1:abort_on_error=0", "UBSAN_OPTIONS": "halt_on_error=1"}
    try:
        done = subprocess.run(cmd, capture_output=True, text=True, errors="replace",
                              timeout=UNIT_SECONDS, env=env, cwd=ROOT, check=False)
        text, code = done.stdout + done.stderr, done.returncode
    except subprocess.TimeoutExpired as e:
        text, code = f"{e.stdout or ''}{e.stderr or ''}\nno end after {UNIT_SECONDS} s", 1
    passed = failed = 0
    for checks, failures, errors in CHECKS.findall(text):
        failed += int(failures) + int(errors)
        passed += int(checks) - int(failures) - int(errors)
    if code != 0 and failed == 0:
        failed = 1
    if code == 0 and passed + failed == 0:
        failed, text = 1, text + "\nit ran no check"
    verdict = "ok  " if failed == 0 else "FAIL"
    print(f"{verdict} {label}/{name}  {passed} checks  {time.monotonic() - began:.1f} s", flush=True)
    if failed:
        print(text[-6000:], flush=True)
    return passed, failed


def run_units(build, pattern):
    passed = failed = 0
    for name, cmd, env in unit_programs(os.path.join(ROOT, build)):
        if pattern in name:
            ok, bad = run_unit(build, name, cmd, env)
            passed += ok
            failed += bad
    return passed, failed


def run_fuzz(pattern):
    """Each target for some seconds: (passed, failed)."""
    passed = failed = 0
    for name in fuzz.targets():
        if pattern not in f"fuzz_{name}":
            continue
        result = fuzz.run_briefly(name, FUZZ_SECONDS)
        print(f"{'ok  ' if result.ok else 'FAIL'} fuzz_{name}  {result}", flush=True)
        passed += result.ok
        failed += not result.ok
        if not result.ok:
            print(result.text[-6000:], flush=True)
    return passed, failed


def run_counted(title, cmd, seconds):
    """A runner of its own, which prints as it goes; its last line counts."""
    env = {**os.environ, "BH_BUILD": os.path.join(ROOT, "build"), "PYTHONDONTWRITEBYTECODE": "1"}
    last, began = "", time.monotonic()
    with subprocess.Popen(cmd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          errors="replace", env=env) as proc:
        for line in proc.stdout:
            last = line
            if not re.fullmatch(r"\d+ passed, \d+ failed\n?", line):
                print(line, end="", flush=True)
            if time.monotonic() - began > seconds:
                proc.terminate()
        code = proc.wait()
    counts = re.fullmatch(r"(\d+) passed, (\d+) failed\n?", last)
    if counts is None:
        print(f"FAIL {title}: the runner ended with status {code} and no count")
        return 0, 1
    passed, failed = int(counts[1]), int(counts[2])
    return passed, failed or (1 if code else 0)


def run_models(pattern):
    cmd = ["/usr/bin/python3", os.path.join(ROOT, "test/model/run.py"), pattern]
    return run_counted("models", cmd, MODEL_SECONDS)


def run_scenarios(pattern):
    cmd = ["/usr/bin/python3", os.path.join(ROOT, "test/scenario/run.py")]
    if pattern:
        cmd += ["-k", pattern]
    return run_counted("scenarios", cmd, SCENARIO_SECONDS)


def main():
    pattern = sys.argv[1] if len(sys.argv) > 1 else ""
    total = [0, 0]
    for title, part in (("unit tests", lambda: run_units("build", pattern)),
                        ("unit tests under ASan and UBSan", lambda: run_units("build-asan", pattern)),
                        ("fuzz targets", lambda: run_fuzz(pattern)),
                        ("models under spin", lambda: run_models(pattern)),
                        ("scenarios", lambda: run_scenarios(pattern))):
        print(f"== {title}", flush=True)
        passed, failed = part()
        total[0] += passed
        total[1] += failed
    print(f"{total[0]} passed, {total[1]} failed")
    return 1 if total[1] or not total[0] else 0


if __name__ == "__main__":
    sys.exit(main())
