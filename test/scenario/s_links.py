# SPDX-License-Identifier: BSD-3-Clause
"""Links that go and come: a peer may end at any moment, and the core goes on."""
import os

from bhtest import pcap
from bhtest.bed import Bed, base_config, flow, host4
from bhtest.process import until
from bhtest.traffic import Link, Traffic, sockets

ENDS = 30
LIMITS = {"test_peers_vanish_under_traffic": 240}


def open_link_bed(t):
    """Two ports, traffic without end from 0 to 1, which nobody stops before the peer ends."""
    config = base_config(t.workdir, 2).route("20.0.0.0/8", host4(1))
    source = os.path.join(t.workdir, "source.pcap")
    pcap.write(source, (flow(f"20.0.0.{n}", seq=n) for n in range(1, 200)))
    return config, [Link(path, 10 + 2 * n, None if n else source, infinite=not n)
                    for n, path in enumerate(sockets(t.workdir, 2))]


def test_peers_vanish_under_traffic(t):
    """SIGKILL of the peer while packets flow, ENDS times: same core, links down, up, traffic."""
    config, links = open_link_bed(t)
    with Bed(t, config, links) as bed:
        core = bed.router.module_pid("core")
        for n in range(ENDS):
            bed.traffic.go()
            bed.traffic.wait_received(20000)
            bed.traffic.kill()
            until(lambda: not bed.router.links_up(), 10, "links down", 0.05)
            bed.traffic = Traffic(links, os.path.join(t.workdir, f"testpmd{n}.log"))
            bed.traffic.connect()
            bed.router.settled(config.interfaces, config.prefixes())
        assert bed.router.module_pid("core") == core, "the core was restarted"
        assert bed.router.process("core")["restarts"] == 0
        t.say(f"{ENDS} peers killed under traffic, core {core} unharmed")
