# SPDX-License-Identifier: BSD-3-Clause
"""BGP of FRR on the router's machine: 100,000 IPv4 and 20,000 IPv6 routes of a peer behind a port,
to the FIB by zebra and FPM, under traffic, while zebra and the routing module are killed.

Ports 0 and 1 are links of testpmd (bhtest.bed), port p2 leads to the peer. What the peer announces
has its next hops behind port 1, in turn its hosts 0 and 1.
"""
import os
import signal
import time

from bhtest import pcap
from bhtest.bed import Bed, base_config, flow, host4, host6
from bhtest.frr import Frr
from bhtest.netns import Netns, Veth
from bhtest.process import until
from bhtest.traffic import Link, sockets

ROUTES = {4: 100000, 6: 20000}
GONE = 500  # of each family, withdrawn while nobody listens
SAMPLE = 200  # of each family, to which traffic goes
PLAN = {"memory": {"size": 768}, "modules": {"module": [{"name": "v6stack"}]},
        "fpm": {"settle": 5, "replay-limit": 60}}
BOX = """
hostname box
fpm address 127.0.0.1 port 2620
router bgp 65000
 bgp router-id 10.0.9.1
 neighbor 10.0.9.2 remote-as 65000
 neighbor 10.0.9.2 timers connect 1
 address-family ipv6 unicast
  neighbor 10.0.9.2 activate
 exit-address-family
"""
PEER = """
router bgp 65000
 bgp router-id 10.0.9.2
 no bgp network import-check
 neighbor 10.0.9.1 remote-as 65000
 neighbor 10.0.9.1 timers connect 1
 address-family ipv4 unicast
{four}
 exit-address-family
 address-family ipv6 unicast
  neighbor 10.0.9.1 activate
{six}
 exit-address-family
"""
MAPS = "".join(f"route-map HOST{n} permit 10\n set ip next-hop {host4(1, n)}\n"
               f" set ipv6 next-hop global {host6(1, n)}\n" for n in (0, 1))
LIMITS = {"test_kills": 300, "test_reconcile": 180, "test_routes_come": 180}


def prefix(family, n):
    """The n-th prefix of the peer."""
    if family == 4:
        return f"{20 + (n >> 16)}.{n >> 8 & 255}.{n & 255}.0/24"
    return f"2001:dba:{n:x}::/48"


def address(family, n):
    """An address inside it."""
    return prefix(family, n).replace(".0/24", ".9").replace("::/48", "::9")


def statements(family, numbers, no=""):
    """Statements of bgpd for these prefixes."""
    return [f"  {no}network {prefix(family, n)} route-map HOST{n & 1}" for n in numbers]


def frames():
    """A packet to each of a sample of prefixes; those that go are not among them."""
    chosen = [(family, n) for family, count in ROUTES.items()
              for n in range(GONE, count, (count - GONE) // SAMPLE)]
    return [flow(address(family, n), seq=seq, sport=n & 1) for seq, (family, n) in
            enumerate(chosen)]


class Routing:
    """The router in a namespace with FRR beside it, and the peer's FRR in another."""

    def __init__(self, t):
        self.t, self.box, self.host = t, Netns("bhbox"), Netns("bhpeer")
        self.bed, self.gone = None, False
        pair = Veth(self.host, outside=self.box)
        self.host.sysctl(net__ipv6__conf__eth0__disable_ipv6=1)
        self.host.batch(["addr add 10.0.9.2/24 dev eth0"])
        config = base_config(t.workdir, 2, plan=PLAN)
        config.interface("p2", f"net_af_packet0,iface={pair.outer}", ["10.0.9.1/24"])
        paths, source = sockets(t.workdir, 2), os.path.join(t.workdir, "source.pcap")
        pcap.write(source, frames())
        self.frr = Frr(t, self.box, "frr-box", BOX, ("zebra", "bgpd"), ["dplane_fpm_nl"],
                       {"zebra": ["-K", "15"]})
        self.peer = Frr(t, self.host, "frr-peer", None, ("bgpd",), options={"bgpd": ["--no_zebra"]})
        self.bed = Bed(t, config, [Link(paths[0], 10, source, infinite=True), Link(paths[1], 12)],
                       space=self.box)
        self.router = self.bed.router

    def announce(self):
        """The peer begins with all that it has."""
        with open(self.peer.path("bgpd.conf"), "w", encoding="ascii") as out:
            out.write(MAPS + PEER.format(**{
                name: "\n".join(statements(family, range(ROUTES[family])))
                for name, family in (("four", 4), ("six", 6))}))
        self.peer.start()

    def withdraw(self):
        """The peer takes back the first GONE of each family."""
        self.gone = True
        self.peer.configure("router bgp 65000",
                            "address-family ipv4 unicast", *statements(4, range(GONE), "no "),
                            "exit-address-family",
                            "address-family ipv6 unicast", *statements(6, range(GONE), "no "))

    def counts(self):
        """{table: (records, stale)}; {} while the core does not answer."""
        return {row["name"]: (row["records"], row["stale"])
                for row in self.router.look("tables") or ()}

    def holds(self, gone=0):
        """Whether the tables hold all of the peer's routes but so many of each family, no other
        ones of zebra, and nothing stale."""
        now = self.counts()
        return bool(now) and all(
            now[f"fpm_route{family}"] == (count - gone, 0) and
            count - gone < now[f"route{family}"][0] < count - gone + 20 and
            now[f"route{family}"][1] == 0 for family, count in ROUTES.items())

    def zebra_holds(self, gone):
        """Whether zebra has the peer's routes but so many of each family, and none of bgpd besides."""
        said = [self.frr.look(f"show {word} route summary") for word in ("ip", "ipv6")]
        return all(sum(row["rib"] for row in one.get("routes", ()) if "bgp" in row["type"]) ==
                   count - gone for one, count in zip(said, ROUTES.values()))

    def fpm(self):
        """What routing says of its connection."""
        return self.router.ctl("show", "fpm", "-j")["fpm"]

    def replayed(self, port):
        """Whether another zebra, or the same by another connection, has told all."""
        now = self.fpm()
        return now is not None and now["state"] == "connected" and now["peer"]["port"] != port and not now["stale"]

    def kill_routing(self):
        """SIGKILL routing; its successor is ready when this returns."""
        before = self.router.process("routing")
        os.kill(before["pid"], signal.SIGKILL)
        return lambda: until(lambda: self.router.process("routing")["restarts"] >
                             before["restarts"] and
                             self.router.process("routing")["state"] == "ready", 60, "routing back")

    def close(self):
        """End everything in good order."""
        self.frr.stop()
        self.peer.stop()
        self.bed.close()
        self.drop()

    def drop(self):
        """End everything at once."""
        for frr in (self.frr, self.peer):
            frr.stop()
        if self.bed:
            self.bed.kill()
        for space in (self.box, self.host):
            space.destroy()

    kill = drop


def open_bed(t):
    """All but the routes."""
    net = Routing(t)
    try:
        net.frr.start()
    except BaseException:
        net.drop()
        raise
    return net


def names(victims):
    """The victims as people read them."""
    return " and ".join(victims)


def under_traffic(t, net, change):
    """Run change() while the sample is sent to; assert that no packet is lost or dropped."""
    traffic, drops = net.bed.traffic, net.router.drops()
    traffic.go()
    traffic.wait_received(20000)
    change()
    traffic.wait_received(20000)
    traffic.stop_sources()
    sent, received = traffic.drain()
    t.say(f"{sent[0]} packets sent, {sent[0] - received[1]} lost")
    assert sent[0] == received[1] and not received[0], (sent, received)
    assert net.router.drops() == drops, (drops, net.router.drops())


def test_routes_come(t, net):
    """All routes come and forward; figures."""
    begin = time.monotonic()
    net.announce()
    until(lambda: net.counts()["route4"][0] > 1000, 60, "first routes")
    first, there = time.monotonic(), net.counts()
    until(net.holds, 100, "all routes")
    took = time.monotonic() - first
    more = sum(ROUTES.values()) - sum(there[f"route{family}"][0] for family in (4, 6))
    t.say(f"{sum(ROUTES.values())} routes: {time.monotonic() - begin:.1f} s from the peer's start, "
          f"{more / took:.0f} routes/s from zebra to the FIB")
    under_traffic(t, net, lambda: None)


def test_reconcile(t, net):
    """What zebra sent, the tables and the FIB agree, also while routes change; replays on order."""
    def check():
        begin = time.monotonic()
        done = net.router.ctl("-j", "reconcile", "--check", timeout=60)["reconcile"]
        t.say(f"checked in {time.monotonic() - begin:.2f} s")
        assert done["differing"] == 0 and not done["differences"], done
        for family, count in ROUTES.items():
            row = done[f"ipv{family}"]
            assert row["sent-by-zebra"] == count and row["published"] > count, done
            assert row["published"] + row["unresolved"] == row["routes"], done
            assert row["checked"] == row["routes"] + row["published"], done

    def orders():
        for order in ("replay", "renew"):
            t.say(net.router.ctl("module", order, "routing", timeout=60).stdout.strip())
        until(lambda: net.replayed(port), 60, "zebra's replay", 0.1)
        until(net.holds, 60, "all routes, none stale", 0.1)

    until(net.holds, 60, "all routes")
    check()
    port = net.fpm()["peer"]["port"]
    under_traffic(t, net, orders)
    assert net.router.process("routing")["restarts"] == 0
    done = net.router.ctl("reconcile", timeout=60)
    assert "0 differences, 0 left" in done.stdout, done.stdout
    check()


def kill(t, net, victims, gone):
    """Kill these; zebra and the other daemons are started anew, and the peer meanwhile takes routes
    back. What is gone must be gone 5 s after the replay."""
    begin, port = time.monotonic(), net.fpm()["peer"]["port"]
    back = net.kill_routing() if "routing" in victims else lambda: None
    if "zebra" in victims:
        net.frr.kill("zebra")
        if gone:
            net.withdraw()
        net.frr.zebra_again()
    back()
    until(lambda: net.replayed(port), 60, "zebra's replay", 0.1)
    replayed = time.monotonic()
    if "zebra" in victims:
        until(lambda: net.zebra_holds(GONE), 60, "zebra itself has no stale route", 0.1)
    clean = max(replayed, time.monotonic()) if "zebra" in victims else replayed
    until(lambda: net.holds(GONE if net.gone else 0), 5, "5 s later none is stale", 0.05)
    t.say(f"{names(victims)}: {replayed - begin:.1f} s until zebra has replayed, "
          f"{time.monotonic() - clean:.2f} s more until no route is stale")


def test_kills(t, net):
    """zebra, the routing module, and both, killed under traffic: nothing is lost."""
    until(net.holds, 60, "all routes")
    under_traffic(t, net, lambda: kill(t, net, ("routing",), False))
    under_traffic(t, net, lambda: kill(t, net, ("zebra",), True))
    under_traffic(t, net, lambda: kill(t, net, ("zebra", "routing"), False))


def test_withdrawn(t, net):
    """The peer takes all back: figures."""
    begin = time.monotonic()
    net.peer.configure("router bgp 65000", "neighbor 10.0.9.1 shutdown")
    until(lambda: net.counts().get("fpm_route4") == net.counts().get("fpm_route6") == (0, 0), 100,
          "end of all routes")
    took = time.monotonic() - begin
    t.say(f"{(sum(ROUTES.values()) - 2 * GONE) / took:.0f} routes/s withdrawn, {took:.1f} s")
    until(lambda: net.counts()["route4"][0] < 20 and net.counts()["route6"][0] < 20, 60, "tables")
    done = net.router.ctl("reconcile", "--check", timeout=60)
    assert "0 differences" in done.stdout, done.stdout
