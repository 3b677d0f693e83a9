# SPDX-License-Identifier: BSD-3-Clause
"""OSPFv2, OSPFv3, BFD and BGP of FRR over the router's ports, as examples/frr configures them, and
what becomes of their routes when a link dies.

Peer n is behind port pn with 10.0.N.2 and 2001:db8:N::2, N = n + 1. Peer 0 speaks BGP; peers 1 and 2
speak OSPF, and have an address each and one that both have, to which the cost by peer 1 is lower.
"""
import json
import os
import shlex
import time

from bhtest.frr import Frr
from bhtest.netns import Netns, Veth
from bhtest.process import until
from bhtest.router import Router

EXAMPLE = os.path.join(os.path.dirname(__file__), "../../examples/frr")
OSPF = ("zebra", "bfdd", "ospfd", "ospf6d")
BOTH = ("203.0.113.9/32", "2001:db8:99::9/128")
BY_BGP = ("198.51.100.0/24", "2001:db8:b000::/36")
PEER = """
interface lo
 ip ospf area 0
 ip ospf cost {cost}
 ipv6 ospf6 area 0
 ipv6 ospf6 cost {cost}
interface eth0
 ip ospf area 0
 ip ospf network {kind}
 ip ospf hello-interval 1
 ip ospf dead-interval 10
 ip ospf bfd
 ipv6 ospf6 area 0
 ipv6 ospf6 network {kind}
 ipv6 ospf6 hello-interval 1
 ipv6 ospf6 dead-interval 10
 ipv6 ospf6 bfd
router ospf
 ospf router-id 10.0.0.{id}
router ospf6
 ospf6 router-id 10.0.0.{id}
"""
BGP = f"""
interface eth0
router bgp 65001
 bgp router-id 10.0.0.2
 no bgp ebgp-requires-policy
 no bgp network import-check
 neighbor 10.0.1.1 remote-as 65000
 neighbor 10.0.1.1 bfd
 neighbor 10.0.1.1 timers connect 1
 address-family ipv4 unicast
  network {BY_BGP[0]}
 exit-address-family
 address-family ipv6 unicast
  neighbor 10.0.1.1 activate
  network {BY_BGP[1]}
 exit-address-family
"""


def text(name):
    """A file of the example."""
    with open(os.path.join(EXAMPLE, name), encoding="ascii") as source:
        return source.read()


def zebra_options():
    """zebra's module and -K of the example's file `daemons`."""
    line = next(line for line in text("daemons").splitlines() if line.startswith("zebra_options"))
    words = shlex.split(shlex.split(line.partition("=")[2])[0])
    return [words[words.index("-M") + 1]], ["-K", words[words.index("-K") + 1]]


class Bed:
    """The router of the example with FRR beside it, and two peers."""

    def __init__(self, t):
        self.box, self.hosts = Netns("bhbox"), [Netns("bhpeer") for _ in range(3)]
        config = json.loads(text("router.json"))
        ports = config["ietf-interfaces:interfaces"]["interface"]
        for n, host in enumerate(self.hosts):
            pair = Veth(host, outside=self.box)
            ports[n]["bulkhead:dpdk"]["device"] = f"net_af_packet{n},iface={pair.outer}"
            host.batch([f"addr add 10.0.{n + 1}.2/24 dev eth0",
                        f"addr add 2001:db8:{n + 1}::2/64 dev eth0 nodad",
                        f"addr add 203.0.113.{n}/32 dev lo",
                        f"addr add 2001:db8:99::{n}/128 dev lo",
                        *(f"addr add {address} dev lo" for address in BOTH if n)])
        socket = os.path.join(t.workdir, "nobody.sock")
        ports.append({"name": "p3", "type": "iana-if-type:ethernetCsmacd", "bulkhead:dpdk": {
            "device": f"net_memif0,role=server,id=0,socket={socket},socket-abstract=no"},
            "ietf-ip:ipv4": {"address": [{"ip": "10.0.4.1", "prefix-length": 24}]}})
        self.ports, self.config = ports, config
        self.router = Router(config, t.workdir, space=self.box)
        t.log_file(self.router.log)
        modules, options = zebra_options()
        self.frr = Frr(t, self.box, "frr-box", text("frr.conf"), modules=modules,
                       options={"zebra": options})
        self.peers = [
            Frr(t, self.hosts[0], "frr-p0", BGP, ("zebra", "bfdd", "bgpd")),
            Frr(t, self.hosts[1], "frr-p1", PEER.format(cost=1, kind="broadcast", id=2), OSPF),
            Frr(t, self.hosts[2], "frr-p2", PEER.format(cost=50, kind="point-to-point", id=3),
                OSPF)]

    def start(self):
        """Start everything at once; sessions are not waited for."""
        self.router.start()
        self.router.settled({"p0", "p1", "p2"}, {"10.0.1.0/24", "2001:db8:3::/64"})
        for frr in (self.frr, *self.peers):
            frr.start()
        return self

    def via(self, prefix):
        """Next hops of a route that is in use: [(address, interface), ...], or None."""
        for row in self.router.rows("routes"):
            if row["prefix"] == prefix and row["active"]:
                return [(hop["address"], hop["interface"]) for hop in row["next-hops"]]
        return None

    def port_of(self, prefix):
        """The one interface that a route leaves by."""
        hops = self.via(prefix) or [(None, None)]
        return hops[0][1] if len(hops) == 1 else None

    def close(self):
        """Remove everything."""
        for frr in (self.frr, *self.peers):
            frr.stop()
        self.router.kill()
        for space in (*self.hosts, self.box):
            space.destroy()

    def __enter__(self):
        return self.start()

    def __exit__(self, kind, *_):
        try:
            if not kind:
                self.frr.stop()
                self.router.stop()
        finally:
            self.close()


def sessions(bed):
    """Wait until every session is up, and its routes are used."""
    for version in (4, 6):
        until(lambda: bed.frr.ospf_full(version) == {"10.0.0.2", "10.0.0.3"}, 60,
              f"both OSPFv{2 if version == 4 else 3} neighbors full", 0.1)
    until(lambda: {"10.0.1.2", "10.0.2.2", "10.0.3.2"} <= bed.frr.bfd_up() and
          len(bed.frr.bfd_up()) == 5, 60, "BFD of BGP and of both OSPFs to both", 0.1)
    until(lambda: [bed.port_of(prefix) for prefix in (*BOTH, *BY_BGP)] == ["p1"] * 2 + ["p0"] * 2,
          60, "routes of OSPF and BGP", 0.1)


def ping(space, source, address):
    """Pings from one peer's address to the other's are answered."""
    said = space.run("ping", "-n", "-c", "5", "-i", "0.02", "-W", "5", "-I", source, address,
                     check=False).stdout
    assert "5 packets transmitted, 5 received" in said, said


def moved(bed):
    """Wait until the routes of OSPF are over peer 2: seconds."""
    begin = time.monotonic()
    until(lambda: [bed.port_of(prefix) for prefix in BOTH] == ["p2"] * 2, 60, "the other way")
    return time.monotonic() - begin


def test_sessions_and_links(t):
    """All sessions come up and their routes forward; links die, then a port is switched off."""
    with Bed(t) as bed:
        begin = time.monotonic()
        sessions(bed)
        t.say(f"OSPFv2, OSPFv3, BFD and BGP after {time.monotonic() - begin:.1f} s")
        until(lambda: bed.peers[1].route_of("203.0.113.2/32", "ospf") and
              bed.peers[2].route_of("203.0.113.1/32", "ospf") and
              bed.peers[1].route_of("2001:db8:99::2/128", "ospf6") and
              bed.peers[2].route_of("2001:db8:99::1/128", "ospf6"), 60, "routes of the peers", 0.1)
        ping(bed.hosts[1], "203.0.113.1", "203.0.113.2")
        ping(bed.hosts[1], "2001:db8:99::1", "2001:db8:99::2")

        for host in bed.hosts[:2]:
            host.ip("link", "set", "eth0", "down")
        t.say(f"{moved(bed):.2f} s from a link's death until routes of OSPF are over the other")
        begin = time.monotonic()
        until(lambda: not any(bed.via(prefix) for prefix in BY_BGP), 60, "end of BGP's routes")
        t.say(f"... and {time.monotonic() - begin:.2f} s more until those of BGP are gone")
        assert bed.frr.bfd_up().isdisjoint({"10.0.1.2", "10.0.2.2"})
        assert bed.frr.ospf_full() == {"10.0.0.3"}

        for n, host in enumerate(bed.hosts[:2]):
            host.ip("link", "set", "eth0", "up")
            host.ip("addr", "replace", f"2001:db8:{n + 1}::2/64", "dev", "eth0", "nodad")
        sessions(bed)
        bed.ports[1]["enabled"] = False
        bed.router.reload(bed.config)
        t.say(f"{moved(bed):.2f} s from a port's end until routes are over the other")
        until(lambda: bed.frr.ospf_full() == {"10.0.0.3"}, 60, "the neighbor's end")
        done = bed.router.ctl("reconcile", "--check", check=False)
        assert done.returncode == 0, done.stdout


def test_carrier(t):
    """A port without a link: its TAP has no carrier, and zebra knows it."""
    with Bed(t) as bed:
        link = json.loads(bed.box.run("ip", "-j", "link", "show", "dev", "p3").stdout)[0]
        assert "NO-CARRIER" in link["flags"] and "UP" in link["flags"], link
        seen = bed.frr.look("show interface p3")["p3"]
        assert seen["administrativeStatus"] == "up" and seen["operationalStatus"] == "down", seen
        seen = bed.frr.look("show interface p0")["p0"]
        assert seen["operationalStatus"] == "up", seen
