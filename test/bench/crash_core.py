# SPDX-License-Identifier: BSD-3-Clause
"""The core's part of bench_crash.py: SIGKILL of bulkhead-core under traffic on virtual ports.

testpmd holds the server end of each memif link, so that its end outlives the core's. It may die when
its peer does while it polls (net_memif of DPDK 22.11), so it stands still from just before the kill
until it has seen its links go, then sends on at once. What comes out of the router is counted where
it ends, in the sink: a memif's own counters begin anew with a peer.
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


def came_out(bed):
    """Packets that the sink of the second link took."""
    return bed.traffic.pmd.port_stats()[bed.traffic.sinks[1]]["TX-packets"]


def records(rows):
    """{table: records} of what the modules keep."""
    return {row["name"]: row["records"] for row in rows
            if row["name"] in ("route4", "route6", "nexthop", "cfg_route4", "cfg_route6")}


def whole_again(router, before):
    """Whether the new core's tables hold what the old one's did, none of it stale."""
    rows = router.look("tables")
    return rows is not None and records(rows) == before and not any(row["stale"] for row in rows)


def one_death(bed, before):
    """(ms until packets came out again, ms until all routes were there)."""
    router, core = bed.router, bed.router.module_pid("core")
    bed.traffic.halt()
    began = time.monotonic()
    os.kill(core, signal.SIGKILL)
    links = set(bed.traffic.memifs.values())
    until(lambda: not links & bed.traffic.pmd.links_up(), 10, "links of the dead core down", STEP)
    start = came_out(bed)
    bed.traffic.go()
    until(lambda: came_out(bed) > start, 60, "packets come out again", STEP)
    forwards = time.monotonic() - began
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
        before, first, whole = records(bed.router.rows("tables")), [], []
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
