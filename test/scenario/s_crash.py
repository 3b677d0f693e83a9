# SPDX-License-Identifier: BSD-3-Clause
"""The routing module is killed while traffic flows: restarted, routes unchanged, nothing lost."""
import json
import os
import signal
import time

from bhtest import pcap
from bhtest.bed import Bed, base_config, flow, host4, host6
from bhtest.process import until
from bhtest.traffic import Link, sockets

ROUTES = 500
DEATHS = 2


def open_running_bed(t):
    """Two ports and traffic of both families from 0 to 1 over ROUTES routes each."""
    config = base_config(t.workdir, 2)
    for n in range(ROUTES):
        config.route(f"20.{n >> 8}.{n & 255}.0/24", host4(1, n % 4))
        config.route(f"2001:dba:{n:x}::/48", host6(1, n % 4))
    source = os.path.join(t.workdir, "source.pcap")
    pcap.write(source, (flow(dst, seq=n) for n in range(ROUTES)
                        for dst in (f"20.{n >> 8}.{n & 255}.9", f"2001:dba:{n:x}::9")))
    paths = sockets(t.workdir, 2)
    return Bed(t, config, [Link(paths[0], 10, source, infinite=True), Link(paths[1], 12)])


def routes(router):
    """Every route as text, with its next hops, their id and whether it is stale."""
    return sorted(json.dumps(row, sort_keys=True) for row in router.rows("routes"))


def nothing_lost(t, bed):
    """End the traffic; every packet sent came back."""
    bed.traffic.stop_sources()
    sent, received = bed.traffic.drain()
    t.say(f"{sent[0]} sent, {sent[0] - received[1]} lost")
    assert sent[0] == received[1], f"sent {sent[0]}, received {received[1]}"


def test_routing_killed(t):
    """SIGKILL, DEATHS times; the restart is waited for each time."""
    with open_running_bed(t) as bed:
        before, drops = routes(bed.router), bed.router.drops()
        core = bed.router.module_pid("core")
        bed.traffic.go()
        for _ in range(DEATHS):
            bed.traffic.wait_received(100000)
            pid, start = bed.router.module_pid("routing"), time.monotonic()
            os.kill(pid, signal.SIGKILL)
            until(lambda: bed.router.process("routing")["pid"] not in (0, pid), 20,
                  "routing restarted")
            t.say(f"seen restarted after {time.monotonic() - start:.3f} s")
            until(lambda: bed.router.process("routing")["state"] == "ready", 20,
                  "routing ready")
            bed.traffic.wait_received(100000)
            until(lambda: routes(bed.router) == before, 20, "the routes of before, none stale")
        nothing_lost(t, bed)
        assert bed.router.module_pid("core") == core, "the core was restarted too"
        assert bed.router.drops() == drops, "packets dropped"


def test_routing_killed_then_change(t):
    """After a restart the module still takes changes of configuration."""
    with open_running_bed(t) as bed:
        pid = bed.router.module_pid("routing")
        os.kill(pid, signal.SIGKILL)
        until(lambda: bed.router.process("routing")["pid"] not in (0, pid), 20,
              "routing restarted")
        bed.router.reload(bed.config.route("198.51.100.0/24", host4(1)).delete_route("20.0.9.0/24"))
        until(lambda: "198.51.100.0/24" in bed.router.prefixes(), 20, "new route", 0.1)
        until(lambda: "20.0.9.0/24" not in bed.router.prefixes(), 20, "old route gone", 0.1)
