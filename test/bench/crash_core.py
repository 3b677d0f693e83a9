# SPDX-License-Identifier: BSD-3-Clause
"""The core's part of bench_crash.py: SIGKILL of bulkhead-core under traffic on virtual ports.

testpmd holds the server end of each memif link, so that its end outlives the core's. What comes out
of the router is counted where it ends, in the sink: a memif's own counters begin anew with a peer.
"""
import os
import signal
import time

from bench_crash import Folder, HEALTHY, config_of, source
from bhtest.bed import Bed
from bhtest.process import until
from bhtest.traffic import Link, sockets

ROUTES = 100000
STEP = 0.002
QUIET = 5  # looks without a packet: what the old core had sent is through


def came_out(bed):
    """Packets that the sink of the second link took."""
    return bed.traffic.pmd.port_stats()[bed.traffic.sinks[1]]["TX-packets"]


def records(router):
    """{table: records} of what the modules keep."""
    return {row["name"]: row["records"] for row in router.rows("tables")
            if row["name"] in ("route4", "route6", "nexthop", "cfg_route4", "cfg_route6")}


def whole_again(router, before):
    """Whether the new core's tables hold what the old one's did, none of it stale."""
    if router.ctl("show", "tables", check=False).returncode:
        return False
    try:
        return records(router) == before and \
            not any(row["stale"] for row in router.rows("tables"))
    except AssertionError:
        return False


def one_death(bed, before):
    """(ms until packets came out again, ms until all routes were there)."""
    router, core = bed.router, bed.router.module_pid("core")
    began = time.monotonic()
    os.kill(core, signal.SIGKILL)
    quiet, last, forwards = 0, came_out(bed), None
    deadline = began + 60
    while forwards is None:
        now = came_out(bed)
        if quiet >= QUIET and now > last:
            forwards = time.monotonic() - began
        quiet, last = (quiet + 1 if now == last else 0), now
        if time.monotonic() > deadline:
            raise AssertionError("no packet came out for 60 s after the core's death")
        time.sleep(STEP)
    until(lambda: whole_again(router, before), 60, "all routes there again", STEP)
    return forwards * 1000, (time.monotonic() - began) * 1000


def run(kills, bench):
    """That many deaths of the core."""
    folder = Folder()
    config = config_of(folder, ROUTES, role="client")
    paths = sockets(folder.workdir, 2)
    links = [Link(paths[0], 10, source(folder, ROUTES), infinite=True, role="server"),
             Link(paths[1], 12, role="server")]
    name = f"core_{ROUTES}"
    bench.progress(f"{name}: start")
    bed = None
    try:
        bed = Bed(folder, config, links, options=["--healthy", HEALTHY])
        before, first, whole = records(bed.router), [], []
        bed.traffic.go()
        for n in range(kills):
            bench.progress(f"{name}: kill, {n} of {kills}")
            start = came_out(bed)
            until(lambda: came_out(bed) > start + 100000, 30, "traffic")
            again, complete = one_death(bed, before)
            first.append(again)
            whole.append(complete)
        bench.target(f"{name}_forward_again_ms", "ms", first, 1000)
        bench.target(f"{name}_replayed_ms", "ms", whole, 3000)
        bed.close()
    finally:
        if bed:
            bed.kill()
        folder.remove()
