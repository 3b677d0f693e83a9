#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""The router on NICs bound to vfio-pci, in a guest that QEMU emulates. `run.py [NIC...]`.

Each NIC (default e1000e) gets a guest with an IOMMU and the cases of CASES in order, each on what
the one before left; the first gets a guest without an IOMMU too. The last line counts.
"""
import os
import shutil
import signal
import sys
import tempfile
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path[:0] = [HERE, os.path.join(ROOT, "test", "scenario")]
sys.dont_write_bytecode = True
os.environ.setdefault("BH_BUILD", os.path.join(ROOT, "build"))

from bhtest import process  # noqa: E402  (the path is set above)

import cases  # noqa: E402
import image  # noqa: E402
from vm import OPTIONS, Vm  # noqa: E402

LIMIT = 180  # seconds for one case


def on_alarm(*_):
    """SIGALRM: the case has used up its time."""
    raise TimeoutError("time limit reached")


def on_end(number, _):
    """SIGTERM, SIGHUP: leave by way of the clean-up functions."""
    sys.exit(128 + number)


def one(name, function, bed):
    """Run one case within its time; whether it passed."""
    began = time.monotonic()
    signal.alarm(LIMIT)
    try:
        function(bed)
    except Exception as error:
        signal.alarm(0)
        print(f"FAIL  {name}: {str(error).splitlines()[0] if str(error) else repr(error)}")
        traceback.print_exception(error)
        print(f"--- guest's console, last lines\n{bed.vm.console_tail()}")
        print(f"--- router's counters\n{bed.router.counters()}")
        print(f"--- router's log\n{bed.router.log()[-6000:]}", flush=True)
        return False
    finally:
        signal.alarm(0)
    print(f"ok    {name}  {time.monotonic() - began:.1f} s", flush=True)
    return True


def guest(files, nic, functions, iommu=True):
    """Boot a guest and run cases in it: (passed, failed)."""
    label = f"{nic}{'' if iommu else ', no IOMMU'}"
    folder = tempfile.mkdtemp(prefix="bhvm.")
    vm = Vm(files, nic, folder, iommu)
    try:
        bed = cases.Bed(vm)
        if not one(f"{label}: boot", lambda bed: bed.vm.boot(), bed):
            return 0, 1 + len(functions)
        results = [one(f"{label}: {f.__name__}", f, bed) for f in functions]
        return 1 + sum(results), len(results) - sum(results)
    finally:
        vm.close()
        shutil.rmtree(folder, ignore_errors=True)


def main():
    """Run the guests, count."""
    nics = sys.argv[1:] or ["e1000e"]
    if nics == ["all"]:
        nics = list(OPTIONS)
    unknown = [nic for nic in nics if nic not in OPTIONS]
    if unknown:
        sys.exit(f"no such NIC: {unknown[0]}; there are: all {' '.join(OPTIONS)}")
    signal.signal(signal.SIGALRM, on_alarm)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, on_end)
    files = image.build(os.path.join(ROOT, "build", "vm"))
    passed = failed = 0
    for n, nic in enumerate(nics):
        for functions, iommu in ((cases.CASES, True), (cases.BARE, False))[:1 if n else 2]:
            ok, bad = guest(files, nic, functions, iommu)
            passed, failed = passed + ok, failed + bad
    process.cleanup()
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
