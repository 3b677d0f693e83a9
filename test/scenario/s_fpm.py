# SPDX-License-Identifier: BSD-3-Clause
"""zebra's side of FPM, played by a few lines of Python, towards the real router.

The router runs in a namespace with the stack, so its ports have TAPs there, whose ifindexes the
routes carry. Ports are as in bhtest.bed: pN with 10.0.N.1/24, hosts .2 up to .7 behind it.
"""
import copy
import ipaddress
import os
import random
import signal
import struct
import time

from bhtest import fpm, pcap
from bhtest.bed import Bed, base_config, flow, host4, host6, host_mac
from bhtest.fpm import OSPF, Hop, Speaker, frame, group, nexthop, route, withdraw
from bhtest.netns import Netns
from bhtest.process import until
from bhtest.traffic import Link, sockets

LIMITS = {"test_full_table": 240, "test_hostile": 240}
SETTLE, REPLAY_LIMIT = 2, 6
PLAN = {"modules": {"module": [{"name": "v6stack"}]},
        "fpm": {"settle": SETTLE, "replay-limit": REPLAY_LIMIT}}
MANY4, MANY6 = 100000, 20000


class Box(Bed):
    """A router with two ports in a namespace, to which a speaker can connect."""

    def __init__(self, t, links=None, **interface):
        self.space = Netns("bhbox")
        try:
            super().__init__(t, base_config(t.workdir, 2, plan=copy.deepcopy(PLAN),
                                            **interface), links,
                             space=self.space)
        except BaseException:
            self.space.destroy()
            raise
        self.tap = {name: self.index(name) for name in ("p0", "p1")}

    def index(self, name):
        """The kernel's ifindex of a TAP."""
        return int(self.space.run("cat", f"/sys/class/net/{name}/ifindex").stdout)

    def zebra(self):
        """A new connection, once the router listens."""
        def connect():
            try:
                with self.space.entered():
                    return Speaker()
            except ConnectionRefusedError:
                return None
        return until(connect, 30, "routing listens")

    def four(self, n, weight=1):
        """Host n behind port 1 as a next hop; six() the same of IPv6."""
        return Hop(self.tap["p1"], host4(1, n), weight)

    def six(self, n):
        """See four()."""
        return Hop(self.tap["p1"], host6(1, n))

    def shown(self):
        """The routes of FPM by prefix."""
        return {row["prefix"]: row for row in self.router.rows("routes")
                if row["source"] == "fpm"}

    def status(self):
        """`bhctl show fpm`."""
        return self.router.rows("fpm")

    def has(self, **values):
        """Wait until `bhctl show fpm` says these; _ for -."""
        def same():
            said = self.router.look("fpm")
            return said and all(said[key.replace("_", "-")] == value
                                for key, value in values.items())
        until(same, 60, f"fpm: {values}", 0.1)

    def routes(self, *prefixes):
        """Wait until FPM has brought just these prefixes."""
        until(lambda: set(self.shown()) == set(prefixes), 30, f"routes {prefixes}", 0.1)

    def takes(self, dst, *hosts, n=1):
        """n flows to dst leave port 1 to these hosts behind it, each of them to some."""
        flows = [flow(dst, sport=2000 + i, seq=i) for i in range(n)]
        caught = self.burst({0: flows}, expect=n)[1]
        assert len(caught) == n, (dst, len(caught), n)
        assert {got[:6].hex(":") for got in caught} == {host_mac(1, host) for host in hosts}, dst

    def kill_routing(self):
        """SIGKILL; its successor serves when this returns."""
        before = self.router.process("routing")
        os.kill(before["pid"], signal.SIGKILL)
        until(lambda: self.router.process("routing")["restarts"] > before["restarts"] and
              self.router.process("routing")["state"] == "ready", 30, "routing is back")

    def memory(self):
        """KiB that routing has in memory."""
        with open(f"/proc/{self.router.module_pid('routing')}/status", encoding="ascii") as text:
            return int(next(line for line in text if line.startswith("VmRSS")).split()[1])

    def kill(self):
        super().kill()
        self.space.destroy()

    def close(self):
        super().close()
        self.space.destroy()


def open_bed(t):
    """Two ports, FPM on loopback."""
    return Box(t)


def test_plain(t, bed):
    """A route of each family comes, is named by its protocol, forwards, and is withdrawn."""
    zebra = bed.zebra()
    zebra.say(route("203.0.113.0/24", bed.four(1)),
              route("2001:db8:ff::/48", bed.six(2), proto=OSPF),
              route("10.0.1.0/24", Hop(bed.tap["p1"]), proto=fpm.KERNEL))
    bed.routes("203.0.113.0/24", "2001:db8:ff::/48")
    rows = bed.shown()
    assert rows["203.0.113.0/24"]["protocol"] == "bgp", rows
    assert rows["203.0.113.0/24"]["preference"] == 20, rows
    assert rows["2001:db8:ff::/48"]["protocol"] == "ospf", rows
    bed.takes("203.0.113.9", 1)
    bed.takes("2001:db8:ff::9", 2)
    bed.has(state="replaying", ignored=1, ipv4_routes=1, ipv6_routes=1, stale=0)
    assert "ignored:" in bed.router.ctl("show", "fpm").stdout
    bed.has(state="connected")
    zebra.say(withdraw("203.0.113.0/24"), withdraw("2001:db8:ff::/48", OSPF))
    bed.routes()
    zebra.close()
    bed.has(state="listening")


def test_next_hops(t, bed):
    """Groups by id, several next hops with weights, an IPv6 one of IPv4, blackholes."""
    zebra = bed.zebra()
    zebra.say(nexthop(11, bed.four(1)), nexthop(12, bed.four(2)), group(20, (11, 1), (12, 3)),
              route("203.0.113.0/24", nh_id=20), route("203.0.114.0/24", nh_id=11),
              route("203.0.115.0/24", bed.four(3), bed.four(4, 2)),
              route("203.0.116.0/24", bed.six(5)), route("203.0.117.0/24", rtype=fpm.BLACKHOLE),
              route("203.0.118.0/24", Hop(99, host4(1, 0))))
    bed.routes(*(f"203.0.{n}.0/24" for n in range(113, 118)))
    bed.has(held=1, next_hop_groups=3)
    bed.takes("203.0.113.9", 1, 2, n=60)
    bed.takes("203.0.114.9", 1)
    bed.takes("203.0.115.9", 3, 4, n=60)
    bed.takes("203.0.116.9", 5)
    before = bed.router.drops()["nexthop_blackhole"]
    bed.burst({0: [flow("203.0.117.9")]}, expect=0)
    until(lambda: bed.router.drops()["nexthop_blackhole"] == before + 1, 10, "a dropped packet")
    zebra.say(nexthop(11, bed.four(0)))  # all its routes and groups
    until(lambda: bed.shown()["203.0.114.0/24"]["next-hops"][0]["address"] == host4(1, 0), 20,
          "another next hop")
    bed.takes("203.0.113.9", 0, 2, n=60)
    bed.takes("203.0.114.9", 0)
    zebra.say(*(withdraw(f"203.0.{n}.0/24") for n in range(113, 119)))
    bed.routes()
    zebra.close()
    bed.has(state="listening")


def test_zebra_dies(t, bed):
    """Without zebra its routes stay; the next one replays, and what it does not say is swept."""
    zebra = bed.zebra()
    zebra.say(route("203.0.113.0/24", bed.four(1)), route("203.0.114.0/24", bed.four(2)),
              route("203.0.115.0/24", bed.four(3), proto=OSPF))
    bed.has(ipv4_routes=3, state="connected")
    zebra.close()
    bed.has(state="listening", stale=3)
    bed.takes("203.0.114.9", 2)
    time.sleep(REPLAY_LIMIT + 1)  # it is not to be waited for: nothing happens
    bed.has(stale=3)
    zebra = bed.zebra()
    zebra.say(route("203.0.113.0/24", bed.four(1), port=9))
    bed.has(ipv4_routes=2)  # of BGP all is told
    bed.takes("203.0.113.9", 1)
    bed.takes("203.0.115.9", 3)
    bed.has(ipv4_routes=1, stale=0, state="connected")  # OSPF had its time
    bed.routes("203.0.113.0/24")
    zebra.say(withdraw("203.0.113.0/24"))
    bed.routes()
    zebra.close()


def test_routing_dies(t, bed):
    """Routing is killed, then it and zebra: forwarding goes on, the routes are there at once."""
    zebra = bed.zebra()
    zebra.say(nexthop(11, bed.four(1)), route("203.0.113.0/24", nh_id=11),
              route("203.0.114.0/24", bed.four(2)), route("2001:db8:ff::/48", bed.six(3)))
    bed.has(ipv4_routes=2, ipv6_routes=1, state="connected", queued=0)
    drops = bed.router.drops()["ip4_no_route"]
    for both in (False, True):
        if both:
            zebra.close()
        bed.kill_routing()
        bed.takes("203.0.113.9", 1)
        bed.takes("203.0.114.9", 2)
        bed.takes("2001:db8:ff::9", 3)
        assert both or zebra.is_closed()
        bed.has(ipv4_routes=2, ipv6_routes=1, stale=3)
        zebra = bed.zebra()
        zebra.say(nexthop(11, bed.four(1)), route("203.0.113.0/24", nh_id=11),
                  route("203.0.114.0/24", bed.four(2)), route("2001:db8:ff::/48", bed.six(3)))
        bed.has(stale=0, state="connected")
    assert bed.router.drops()["ip4_no_route"] == drops
    bed.kill_routing()
    zebra = bed.zebra()
    zebra.say(route("203.0.114.0/24", bed.four(2)))  # the others were withdrawn meanwhile
    bed.routes("203.0.114.0/24")
    zebra.say(withdraw("203.0.114.0/24"))
    bed.routes()
    zebra.close()


def test_upgrade(t, bed):
    """An upgrade of routing under packets: the heir has zebra's routes, and then listens."""
    zebra = bed.zebra()
    zebra.say(nexthop(11, bed.four(1)), route("203.0.113.0/24", nh_id=11),
              route("2001:db8:ff::/48", bed.six(3)))
    bed.has(ipv4_routes=1, ipv6_routes=1, state="connected", queued=0)
    before, drops = bed.router.module_pid("routing"), bed.router.drops()["ip4_no_route"]
    bed.router.ctl("module", "upgrade", "routing", timeout=60)
    assert bed.router.module_pid("routing") != before
    assert zebra.is_closed()
    bed.takes("203.0.113.9", 1)
    bed.takes("2001:db8:ff::9", 3)
    zebra = bed.zebra()
    zebra.say(route("203.0.113.0/24", bed.four(2)), withdraw("2001:db8:ff::/48"))
    bed.routes("203.0.113.0/24")
    bed.takes("203.0.113.9", 2)
    assert bed.router.drops()["ip4_no_route"] == drops
    zebra.say(withdraw("203.0.113.0/24"))
    bed.routes()
    zebra.close()


def servers(t):
    """Links whose memifs are testpmd's, which outlive the core."""
    links = [Link(path, 12 if n else 10, os.path.join(t.workdir, f"send{n}.pcap"),
                  capture=os.path.join(t.workdir, f"got{n}.pcap"), role="server")
             for n, path in enumerate(sockets(t.workdir, 2))]
    for link in links:
        pcap.write(link.send, ())
    return links


def test_core_dies(t):
    """The core is killed: routing has zebra's routes in memory, and the connection goes on."""
    with Box(t, servers(t), role="client") as bed:
        zebra = bed.zebra()
        zebra.say(route("203.0.113.0/24", bed.four(1)), route("2001:db8:ff::/48", bed.six(2)))
        bed.routes("203.0.113.0/24", "2001:db8:ff::/48")
        bed.traffic.halt()
        before = bed.router.process("core")
        os.kill(before["pid"], signal.SIGKILL)
        zebra.say(route("203.0.114.0/24", bed.four(3)))
        until(lambda: (bed.router.look("processes") or []) and
              bed.router.process("core")["restarts"] > before["restarts"], 60, "the core is back")
        until(lambda: set(bed.traffic.memifs.values()) <= bed.traffic.pmd.links_up(), 60, "links")
        bed.routes("203.0.113.0/24", "203.0.114.0/24", "2001:db8:ff::/48")
        until(lambda: all(row["complete"] and not row["stale"] for row in bed.router.rows("tables")
                          if row["owner"] == "routing"), 30, "routing has replayed", 0.1)
        bed.takes("203.0.113.9", 1)
        bed.takes("203.0.114.9", 3)
        bed.takes("2001:db8:ff::9", 2)
        bed.has(connections=1, stale=0, ipv4_routes=2)
        zebra.close()


def test_reload(t, bed):
    """FPM is taken out of the configuration and put back."""
    zebra = bed.zebra()
    zebra.say(route("203.0.113.0/24", bed.four(1)))
    bed.routes("203.0.113.0/24")
    fpm_plan = bed.config.plan.pop("fpm")
    bed.router.reload()
    assert zebra.is_closed()
    bed.routes()
    until(lambda: bed.status() is None, 20, "no record of FPM")
    bed.config.plan["fpm"] = {**fpm_plan, "protocol": [{"name": "bgp", "distance": 77}]}
    bed.router.reload()
    zebra = bed.zebra()
    zebra.say(route("203.0.113.0/24", bed.four(1)))
    bed.routes("203.0.113.0/24")
    assert bed.shown()["203.0.113.0/24"]["preference"] == 77
    zebra.say(withdraw("203.0.113.0/24"))
    bed.routes()
    zebra.close()


def many(bed, host):
    """The full table, by a host behind port 1."""
    for n in range(MANY4):
        net = ipaddress.ip_network((0x64000000 + (n << 8), 24))
        yield frame(route(str(net), bed.four((host + n) % 6)))
    for n in range(MANY6):
        net = ipaddress.ip_network(((0x20010db9 << 96) + (n << 64), 64))
        yield frame(route(str(net), bed.six((host + n) % 6)))


def records(bed):
    """Routes of both families in the info base."""
    rows = {row["name"]: row["records"] for row in bed.router.rows("tables")}
    return rows["route4"], rows["route6"]


def test_full_table(t, bed):
    """100,000 IPv4 and 20,000 IPv6 routes come, routing dies, they are replayed and withdrawn."""
    data, changed = b"".join(many(bed, 0)), b"".join(many(bed, 1))
    base4, base6 = records(bed)
    zebra = bed.zebra()
    zebra.sock.settimeout(120)
    begin = time.monotonic()
    zebra.raw(data)
    until(lambda: records(bed) == (base4 + MANY4, base6 + MANY6), 120, "all routes", 0.01)
    took = time.monotonic() - begin
    t.say(f"{(MANY4 + MANY6) / took:,.0f} routes/s from the socket to the FIB")
    bed.takes("100.0.5.9", 5)
    bed.takes("101.134.159.9", 99999 % 6)
    bed.has(queued=0, lag_ms=0)
    begin = time.monotonic()
    bed.kill_routing()
    t.say(f"routing is back after {time.monotonic() - begin:.2f} s with all of them")
    bed.has(stale=MANY4 + MANY6)
    assert records(bed) == (base4 + MANY4, base6 + MANY6)
    zebra = bed.zebra()
    zebra.sock.settimeout(120)
    before = bed.memory()
    for _ in range(3):
        zebra.raw(changed)
        zebra.raw(data)
    bed.has(stale=0, queued=0, lag_ms=0, messages=6 * (MANY4 + MANY6))
    assert bed.memory() < before + 20000, (bed.memory(), before)
    bed.takes("100.0.5.9", 5)
    zebra.raw(b"".join(frame(withdraw(str(ipaddress.ip_network((0x64000000 + (n << 8), 24)))))
                       for n in range(MANY4)))
    zebra.raw(b"".join(frame(withdraw(str(ipaddress.ip_network(((0x20010db9 << 96) + (n << 64),
                                                                64))))) for n in range(MANY6)))
    until(lambda: records(bed) == (base4, base6), 120, "all are gone", 0.1)
    zebra.close()


def damaged(rng, data):
    """The same bytes with some of them others, or cut."""
    data = bytearray(data)
    for _ in range(rng.randrange(1, 6)):
        data[rng.randrange(4, len(data))] = rng.choice((0, 1, 3, 4, 0x7f, 0xff, rng.randrange(256)))
    return bytes(data[:rng.randrange(4, len(data) + 1)] if rng.random() < 0.2 else data)


def test_hostile(t, bed):
    """Bytes that are no frames end the connection; messages that are wrong are counted; routing
    lives, and takes no memory for them."""
    rng = random.Random(4711)
    pid, before = bed.router.module_pid("routing"), bed.memory()
    for start in (b"GET / HTTP/1.1\r\n\r\n", bytes(100), b"\1\2\0\x10" + bytes(12),
                  b"\1\1\0\3", frame(struct.pack("=IHHII", 15, 24, 0, 0, 0)),
                  frame(struct.pack("=IHHII", 0xffffffff, 24, 0, 0, 0))):
        zebra = bed.zebra()
        zebra.raw(start)
        assert zebra.is_closed(), start
        zebra.close()
    good = frame(route("203.0.113.0/24", bed.four(1), bed.four(2)), nexthop(5, bed.six(1)),
                 group(6, (5, 1), (7, 2)), route("2001:db8:ff::/48", nh_id=6))
    for _ in range(300):  # a frame that is well begun and goes on at random
        zebra = bed.zebra()
        try:
            for _ in range(20):
                data = damaged(rng, good)
                zebra.raw(struct.pack("!BBH", 1, 1, len(data)) + data[4:])
        except (ConnectionResetError, BrokenPipeError):
            pass
        zebra.close()
    zebra = bed.zebra()  # ids without end, groups of each other, one that is always another
    try:
        for n in range(1, 100000, 100):
            zebra.raw(b"".join(frame(group(i, (i + 1, 1), (i + 2, 1)), nexthop(1, bed.four(i % 6)))
                               for i in range(n + 1, n + 101)))
        zebra.say(*(fpm.message(kind, bytes(24)) for kind in range(16, 120)))
    finally:
        zebra.close()
    zebra = bed.zebra()
    zebra.say(route("203.0.113.0/24", bed.four(3)))
    bed.has(ipv4_routes=1, ipv6_routes=0, stale=0, state="connected")
    bed.takes("203.0.113.9", 3)
    said = bed.status()["refused"]
    assert said["unknown_message"] and said["too_many"] and said["bad_length"], said
    assert bed.router.module_pid("routing") == pid
    assert bed.memory() < before + 60000, (bed.memory(), before)
    assert bed.status()["last-error"]["text"], bed.status()
    zebra.say(withdraw("203.0.113.0/24"))
    bed.routes()
    zebra.close()
