#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Runs a fuzz target of build-fuzz: `fuzz.py NAME SECONDS`; without arguments lists them. Starts
from the seeds in the tree and keeps what it learns in build-fuzz/learnt/NAME, findings in
build-fuzz/crashes. Exit status 1 if there was one."""
import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
BUILD = os.path.join(ROOT, "build-fuzz")
CRASHES = os.path.join(BUILD, "crashes")
MAX_LEN = 2048
ONE_INPUT_SECONDS = 20 # an input that takes longer is a finding
START_SECONDS = 60


def targets():
    """Names, without fuzz_: each has a folder of seeds."""
    return sorted(os.listdir(os.path.join(HERE, "corpus")))


def about(name):
    """The first sentence of the target's own description."""
    with open(os.path.join(HERE, f"fuzz_{name}.c"), encoding="utf-8") as source:
        text = re.findall(r"^/\*(.*?)\*/", source.read(), re.S | re.M)[1]
    return re.split(r"[.:,;](?: |$)", " ".join(text.replace("\n *", " ").split()))[0]


class Result:
    """How a run ended: ok, executions, coverage (edges), features, all of the output."""

    def __init__(self, code, text):
        covered = re.findall(r"cov: (\d+) ft: (\d+)", text)
        runs = re.findall(r"stat::number_of_executed_units:\s*(\d+)", text)
        self.text = text
        self.executions = int(runs[-1]) if runs else 0
        self.edges, self.features = map(int, covered[-1]) if covered else (0, 0)
        self.ok = code == 0 and self.executions > 0

    def __str__(self):
        return f"{self.executions} executions  {self.edges} edges  {self.features} features"


def run(name, seconds, work):
    """Fuzzes for some seconds; new inputs go to the folder `work`."""
    os.makedirs(CRASHES, exist_ok=True)
    os.makedirs(work, exist_ok=True)
    words = os.path.join(HERE, f"{name}.dict")
    cmd = [os.path.join(BUILD, "test/fuzz", f"fuzz_{name}"), f"-max_total_time={seconds}",
           f"-max_len={MAX_LEN}", f"-timeout={ONE_INPUT_SECONDS}", "-print_final_stats=1",
           f"-artifact_prefix={CRASHES}/{name}-", work, os.path.join(HERE, "corpus", name)]
    if os.path.exists(words):
        cmd.append(f"-dict={words}")
    env = {**os.environ, "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1"}
    try:
        done = subprocess.run(cmd, capture_output=True, text=True, errors="replace", env=env,
                              cwd=ROOT, timeout=seconds + START_SECONDS, check=False)
        return Result(done.returncode, done.stdout + done.stderr)
    except (OSError, subprocess.TimeoutExpired) as e:
        return Result(1, f"{e}\n")


def run_briefly(name, seconds):
    """For the tests: what it learns is forgotten."""
    work = tempfile.mkdtemp(prefix="bh-fuzz-")
    try:
        return run(name, seconds, work)
    finally:
        shutil.rmtree(work)


def main():
    names = targets()
    if len(sys.argv) == 1:
        for name in names:
            print(f"{name:10} {about(name)}")
        return 0
    if len(sys.argv) != 3 or sys.argv[1] not in names or not sys.argv[2].isdigit():
        print(f"usage: ./run fuzz [NAME SECONDS]\nNAME: {', '.join(names)}", file=sys.stderr)
        return 64
    name = sys.argv[1]
    before = set(glob.glob(f"{CRASHES}/{name}-*"))
    result = run(name, int(sys.argv[2]), os.path.join(BUILD, "learnt", name))
    print(f"{name}: {result}")
    if result.ok:
        return 0
    print(result.text[-6000:])
    for found in sorted(set(glob.glob(f"{CRASHES}/{name}-*")) - before):
        print(f"again: {BUILD}/test/fuzz/fuzz_{name} {found}")
    return 1


if __name__ == "__main__":
    sys.exit(main())
