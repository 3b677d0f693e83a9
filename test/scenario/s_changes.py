# SPDX-License-Identifier: BSD-3-Clause
"""Routes are deleted, added and changed under traffic; other routes lose no packet.

Port 0 sends without pause to kept prefixes, which leave by port 1: every packet is counted. Port 2
sends to the prefix that changes, which leaves by port 3 or 4 or nowhere: that shows the moment.
"""
import os

from bhtest import pcap
from bhtest.bed import Bed, base_config, flow, host4, host6
from bhtest.process import until
from bhtest.traffic import Link, sockets

KEPT, HOSTS = 200, 4
VICTIM4, VICTIM6 = "198.51.100.0/24", "2001:dbe::/32"
ROUNDS = 5
LIMITS = {"test_other_routes_lose_nothing": 240, "test_covering_routes_lose_nothing": 180}


def open_changing_bed(t):
    """Five ports, the kept routes, the source files, and a link for each port."""
    config = base_config(t.workdir, 5)
    for n in range(KEPT):
        config.route(f"20.0.{n}.0/24", host4(1, n % HOSTS))
        config.route(f"2001:dba:{n:x}::/48", host6(1, n % HOSTS))
    point(config, 3)
    kept, victim = (os.path.join(t.workdir, name) for name in ("kept.pcap", "victim.pcap"))
    pcap.write(kept, (flow(dst, seq=n) for n in range(KEPT)
                      for dst in (f"20.0.{n}.200", f"2001:dba:{n:x}::200")))
    pcap.write(victim, [flow("198.51.100.7", port=2), flow("2001:dbe::7", port=2)] * 64)
    paths = sockets(t.workdir, 5)
    return Bed(t, config, [Link(paths[0], 10, kept, infinite=True), Link(paths[1], 12),
                           Link(paths[2], 10, victim, infinite=True), Link(paths[3], 12),
                           Link(paths[4], 12)])


def point(config, port):
    """Route the victim prefixes by a port."""
    config.route(VICTIM4, host4(port)).route(VICTIM6, host6(port))


def moves(bed, port, timeout=20):
    """Wait until victims arrive at a port and, counting from then, at no other."""
    other = {3: 4, 4: 3}[port]

    def only_there():
        before = bed.traffic.received()
        bed.traffic.wait_received(10000)
        now = bed.traffic.received()
        return now[port] > before[port] and now[other] == before[other]
    until(only_there, timeout, f"traffic of the changed route at port {port}")


def stops(bed, timeout=20):
    """Wait until victims arrive nowhere while the others still do."""
    def silent():
        before = bed.traffic.received()
        bed.traffic.wait_received(10000)
        now = bed.traffic.received()
        return now[3] == before[3] and now[4] == before[4] and now[1] > before[1]
    until(silent, timeout, "traffic of the deleted route ends")


def all_kept_arrived(t, bed):
    """End the traffic and compare the kept flows' counts."""
    bed.traffic.stop_sources()
    sent, received = bed.traffic.drain()
    t.say(f"{sent[0]} packets to kept routes, {sent[0] - received[1]} lost")
    assert sent[0] == received[1], f"kept routes: sent {sent[0]}, received {received[1]}"


def test_other_routes_lose_nothing(t):
    """Delete, add and change routes, several rounds."""
    with open_changing_bed(t) as bed:
        config = bed.config
        bed.traffic.go()
        moves(bed, 3)
        for _ in range(ROUNDS):
            bed.router.reload(config.delete_route(VICTIM4).delete_route(VICTIM6))
            stops(bed)
            point(config, 4)
            bed.router.reload()
            moves(bed, 4)
            point(config, 3)
            bed.router.reload()
            moves(bed, 3)
        all_kept_arrived(t, bed)


def test_covering_routes_lose_nothing(t):
    """Prefixes shorter and longer than the kept ones, over and beside them, come and go."""
    with open_changing_bed(t) as bed:
        base, near = bed.config, bed.config.copy()
        near.route("20.0.0.0/8", host4(3)).route("0.0.0.0/0", host4(3))
        near.route("2001:dba::/32", host6(3)).route("::/0", host6(3))
        for n in range(KEPT):
            near.route(f"20.0.{n}.0/25", host4(3)).route(f"2001:dba:{n:x}:1::/64", host6(3))
            near.route(f"20.0.{n}.201/32", host4(3))
        extra = near.prefixes() - base.prefixes()
        bed.traffic.go()
        for _ in range(ROUNDS):
            bed.router.reload(near)
            until(lambda: extra <= bed.router.prefixes(), 20, "covering routes present", 0.1)
            bed.traffic.wait_received(10000)
            bed.router.reload(base)
            until(lambda: not extra & bed.router.prefixes(), 20, "covering routes gone", 0.1)
            bed.traffic.wait_received(10000)
        all_kept_arrived(t, bed)
