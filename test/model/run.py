#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Models of the doorbells, checked by spin. `run.py [PATTERN]` takes only checks whose name
contains PATTERN. A right model must be searched to its end without error; a mutant must show one.
Bounded in memory, depth and time. The last line counts."""
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor

HERE = os.path.dirname(os.path.abspath(__file__))
MEMORY_MB = 900  # of one check's states
AT_ONCE = 2
DEPTH = 3_000_000
CPU_SECONDS = 100  # of one check, at most
SECONDS = 400  # the same by the clock, on a busy machine
COMPRESSED = {"gather.pml": ["-DCOLLAPSE"]}  # slower: only what needs it
LIVE = ["-a", "-f"]  # liveness under weak fairness; without: assertions and the watchdog

# name, model, definitions, property (None: assertions only), whether it is right
CHECKS = [
    ("doorbell", "doorbell.pml", "", "served", True),
    ("doorbell, loops, time-outs", "doorbell.pml", "-DLOOP", "served", True),
    ("doorbell, late answers", "doorbell.pml", "-DLATER", "served", True),
    ("doorbell, 2 reply slots", "doorbell.pml", "-DREP=2", None, True),
    ("doorbell, death", "doorbell.pml", "-DDEATH", "told", True),
    ("bell", "bell.pml", "", "served", True),
    ("gathered bells", "gather.pml", "", None, True),
    ("doorbell without fences", "doorbell.pml", "-DNO_FENCE", "served", False),
    ("doorbell without the sleeper's fence", "doorbell.pml", "-DNO_FENCE_SLEEP", "served", False),
    ("doorbell without the flush's fence", "doorbell.pml", "-DNO_FENCE_FLUSH", "served", False),
    ("doorbell without the fence for space", "doorbell.pml", "-DNO_FENCE_SPACE", "served", False),
    ("doorbell without the second look", "doorbell.pml", "-DNO_RECHECK", "served", False),
    ("doorbell without the look for space", "doorbell.pml", "-DNO_SPACE_LOOK", "served", False),
    ("doorbell without the look for the end", "doorbell.pml", "-DDEATH -DNO_EOF_LOOK", "told", False),
    ("bell without fences", "bell.pml", "-DNO_FENCE", "served", False),
    ("bell without the sleeper's fence", "bell.pml", "-DNO_FENCE_SLEEP", "served", False),
    ("bell without the ringer's fence", "bell.pml", "-DNO_FENCE_FLUSH", "served", False),
    ("bell without the second look", "bell.pml", "-DNO_RECHECK", "served", False),
    ("gathered bells without fences", "gather.pml", "-DNO_FENCE", None, False),
    ("gathered bells without the second look", "gather.pml", "-DNO_RECHECK", None, False),
    ("gathered bells, main keeps the last", "gather.pml", "-DMAIN_KEEPS", None, False),
    ("gathered bells, the worker keeps the last", "gather.pml", "-DWORKER_KEEPS", None, False),
    ("gathered bells, news rings nobody", "gather.pml", "-DNO_NEWS", None, False),
]


def limit():
    size = (MEMORY_MB + 1024) << 20  # the depth-first stack comes on top of pan's own bound
    resource.setrlimit(resource.RLIMIT_AS, (size, size))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))


def run(cmd, where, bounded=False):
    """Status and output; a status of -1 when time was over."""
    try:
        done = subprocess.run(cmd, cwd=where, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, errors="replace", timeout=SECONDS, check=False,
                              preexec_fn=limit if bounded else None)
        return done.returncode, done.stdout
    except subprocess.TimeoutExpired as e:
        return -1, f"{(e.stdout or b'').decode(errors='replace')}\nno end after {SECONDS} s"


def search(where, model, defs, prop, optimize):
    """spin's verifier of a model, made and run; status and output of the step that failed or was
    last."""
    steps = [["spin", "-a", *defs.split(), os.path.join(HERE, model)],
             ["gcc", optimize, "-w", f"-DMEMLIM={MEMORY_MB}", *COMPRESSED.get(model, []),
              "-DNFAIR=3", "-o", "pan", "pan.c"]]
    for cmd in steps:
        code, text = run(cmd, where)
        if code != 0:
            return code, text
    # -E: a process that was killed stays where it was; deadlocks are the watchdog's
    how = [*LIVE, "-N", prop] if prop else ["-noclaim"]
    return run(["./pan", "-E", f"-m{DEPTH}", *how], where, bounded=True)


def figure(text, pattern):
    found = re.search(pattern, text)
    return found[1] if found else "-"


def whole(code, text):
    """True when the search came to its end."""
    bad = ("Search not completed", "max search depth too small", "reached -DMEMLIM", "aborting")
    return code == 0 and "errors: " in text and not any(b in text for b in bad)


def check(name, model, defs, prop, right):
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="bh-model-") as where:
        code, text = search(where, model, defs, prop, "-O2" if right else "-O0")
    errors = figure(text, r"errors: (\d+)")
    if right:
        ok = whole(code, text) and errors == "0"
    else:
        ok = errors not in ("-", "0") and ("acceptance cycle" in text or "assertion violated" in text)
    states = figure(text, r"([0-9.e+]+) states, stored")
    depth = figure(text, r"depth reached (\d+)")
    line = (f"{'ok  ' if ok else 'FAIL'} {name} ({prop or 'assertions'}): states {states}, "
            f"depth {depth}, errors: {errors}{'' if right else ', as it must'}  "
            f"{time.monotonic() - began:.1f} s")
    return ok, line if ok else f"{line}\n{text[-3000:]}"


def main():
    pattern = sys.argv[1] if len(sys.argv) > 1 else ""
    results = []
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for ok, report in pool.map(lambda c: check(*c), [c for c in CHECKS if pattern in c[0]]):
            print(report, flush=True)
            results.append(ok)
    print(f"{results.count(True)} passed, {results.count(False)} failed")
    return 1 if False in results else 0


if __name__ == "__main__":
    sys.exit(main())
