# SPDX-License-Identifier: BSD-3-Clause
"""Linux hosts in namespaces behind a router with a protocol stack: nothing is static.

Host n (0 or 1) is behind port pn, which has 10.0.N.1/24 and 2001:db8:N::1/64 with N = n + 1.
"""
import os
import re
import signal

from bhtest.config import Config
from bhtest.netns import Netns, Veth
from bhtest.process import Child, until
from bhtest.router import Router

RA = "ietf-ipv6-unicast-routing:ipv6-router-advertisements"
PLAN = {"modules": {"module": [{"name": "v6stack"}]}}
SCAN = """
import socket, struct, time
s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
base = socket.inet_pton(socket.AF_INET6, "2001:db8:2::")[:8]
for n in range({count}):
    s.sendto(b"scan", (socket.inet_ntop(socket.AF_INET6, base + struct.pack("!Q", n + 0x10000)), 9))
    if n % 50 == 49:
        time.sleep(0.005)
print("scanned", flush=True)
"""


class Hosts:
    """Two namespaces, each behind a port of the router."""

    def __init__(self, t, advertise=None):
        self.spaces, self.pairs, self.config = [], [], Config(PLAN)
        for n in range(2):
            space = Netns("bhhost")
            pair = Veth(space)
            self.spaces.append(space)
            self.pairs.append(pair)
            self.config.interface(f"p{n}", f"net_af_packet{n},iface={pair.outer}",
                                  [f"10.0.{n + 1}.1/24", f"2001:db8:{n + 1}::1/64"])
            if advertise:
                self.config.interfaces[f"p{n}"]["ietf-ip:ipv6"][RA] = advertise
        self.router = Router(self.config, t.workdir)
        t.log_file(self.router.log)

    def number(self, n, host=2):
        """Give a host its addresses and the router as its gateway."""
        self.spaces[n].batch([f"addr add 10.0.{n + 1}.{host}/24 dev eth0",
                              f"addr add 2001:db8:{n + 1}::{host}/64 dev eth0 nodad",
                              f"route replace 0.0.0.0/0 via 10.0.{n + 1}.1",
                              f"route replace ::/0 via 2001:db8:{n + 1}::1"])

    def start(self):
        """Start the router and wait until its addresses are in use."""
        self.router.start()
        self.router.settled({"p0", "p1"}, ())
        self.preferred()
        return self

    def states(self):
        """State of every address, by text without length."""
        return {row["address"].split("/")[0]: row["state"]
                for row in self.router.rows("addresses")}

    def preferred(self):
        """Wait until all of the router's addresses are preferred, and its networks routed."""
        wanted = {f"10.0.{n + 1}.1" for n in range(2)} | {f"2001:db8:{n + 1}::1" for n in range(2)}
        until(lambda: wanted <= self.states().keys() and
              set(self.states().values()) == {"preferred"}, 20, "addresses preferred", 0.1)
        nets = {f"10.0.{n + 1}.0/24" for n in range(2)} | {f"2001:db8:{n + 1}::/64" for n in range(2)}
        until(lambda: nets <= self.router.prefixes(), 20, "connected routes", 0.1)

    def neighbors(self):
        """The learnt neighbors: {(interface, address): (mac, router)}."""
        return {(row["interface"], row["address"]): (row["mac"], row["router"])
                for row in self.router.rows("neighbors") if row["origin"] == "dynamic"}

    def close(self):
        """Remove everything."""
        self.router.kill()
        for pair in self.pairs:
            pair.destroy()
        for space in self.spaces:
            space.destroy()

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        try:
            if not kind:
                self.router.stop()
        finally:
            self.close()


def ping(space, address, count=5, hops=None, size=56, interval="0.02"):
    """Ping: every answer comes, after so many hops."""
    said = space.run("ping", "-n", "-c", str(count), "-i", interval, "-W", "5", "-s", str(size),
                     address, check=False).stdout
    assert f"{count} packets transmitted, {count} received" in said, said
    if hops is not None:
        assert set(re.findall(r"(?:ttl|hlim)=(\d+)", said)) == {str(64 - hops)}, said


def test_ping_nothing_static(t):
    """Both families, both ways, also the router itself; the first packet waits and arrives."""
    with Hosts(t) as hosts:
        for n in range(2):
            hosts.number(n)
        hosts.start()
        for here, there in ((0, 1), (1, 0)):
            for address in (f"10.0.{there + 1}.2", f"2001:db8:{there + 1}::2"):
                ping(hosts.spaces[here], address, hops=1)
                ping(hosts.spaces[here], address, hops=1, size=1400)
            for address in (f"10.0.{here + 1}.1", f"2001:db8:{here + 1}::1", f"10.0.{there + 1}.1",
                            f"2001:db8:{there + 1}::1"):
                ping(hosts.spaces[here], address, hops=0)
        mac = hosts.spaces[1].run("cat", "/sys/class/net/eth0/address").stdout.strip()
        for address in ("10.0.2.2", "2001:db8:2::2"):
            assert hosts.neighbors()[("p1", address)][0] == mac, hosts.neighbors()


def link_local(router, interface):
    """The router's link-local address on an interface."""
    return next(row["address"].split("/")[0] for row in router.rows("addresses")
                if row["interface"] == interface and row["address"].startswith("fe80"))


def test_slaac(t):
    """Hosts number themselves by our advertisements, and reach each other."""
    with Hosts(t, {"send-advertisements": True, "link-mtu": 1400}) as hosts:
        for space in hosts.spaces:
            space.sysctl(net__ipv6__conf__eth0__accept_ra=2,
                         net__ipv6__conf__eth0__router_solicitation_delay=0)
        hosts.start()
        made = []
        for n, space in enumerate(hosts.spaces):
            until(lambda: f"2001:db8:{n + 1}:" in space.run(
                "ip", "-6", "addr", "show", "dev", "eth0", "scope", "global", "-tentative").stdout,
                  40, "a global address of its own", 0.2)
            said = space.run("ip", "-6", "addr", "show", "dev", "eth0", "scope", "global").stdout
            made.append(re.search(rf"(2001:db8:{n + 1}:[0-9a-f:]+)/64", said).group(1))
            route = space.run("ip", "-6", "route", "show", "default").stdout
            assert link_local(hosts.router, f"p{n}") in route and "proto ra" in route, route
            assert space.run("sysctl", "-n", "net/ipv6/conf/eth0/mtu").stdout.strip() == "1400"
        ping(hosts.spaces[0], made[1], hops=1)
        ping(hosts.spaces[1], made[0], hops=1)
        ping(hosts.spaces[0], link_local(hosts.router, "p0") + "%eth0", hops=0)
        said = hosts.spaces[0].run("rdisc6", "-1", "eth0", check=False).stdout
        assert "2001:db8:1::/64" in said and "1400" in said, said


def test_duplicate_addresses(t):
    """A host has the router's addresses already: seen, told, not used; the others are."""
    with Hosts(t) as hosts:
        hosts.spaces[0].batch(["addr add 10.0.1.1/24 dev eth0",
                               "addr add 2001:db8:1::1/64 dev eth0 nodad"])
        hosts.number(1)
        hosts.router.start()
        until(lambda: hosts.states().get("10.0.1.1") == "duplicate" and
              hosts.states().get("2001:db8:1::1") == "duplicate", 20, "duplicates seen", 0.1)
        until(lambda: hosts.states().get("2001:db8:2::1") == "preferred" and
              hosts.states().get("10.0.2.1") == "preferred", 20, "others preferred", 0.1)
        assert "10.0.1.1 is duplicate" in hosts.router.child.text
        assert "2001:db8:1::1 is duplicate" in hosts.router.child.text
        until(lambda: "10.0.2.0/24" in hosts.router.prefixes(), 20, "the other's route", 0.1)
        assert not {"10.0.1.0/24", "10.0.1.1/32", "2001:db8:1::/64"} & hosts.router.prefixes()
        ping(hosts.spaces[1], "10.0.2.1", hops=0)


def test_scan(t):
    """A /64 is scanned: hosts that are known lose nothing, one that is not is still found."""
    with Hosts(t) as hosts:
        for n in range(2):
            hosts.number(n)
        hosts.start()
        ping(hosts.spaces[0], "2001:db8:2::2", hops=1)
        scan = Child(["ip", "netns", "exec", hosts.spaces[0].name, "python3", "-c",
                      SCAN.format(count=20000)])
        ping(hosts.spaces[0], "2001:db8:2::2", count=100, hops=1)
        hosts.spaces[1].ip("addr", "add", "2001:db8:2::77/64", "dev", "eth0", "nodad")
        said = hosts.spaces[0].run("ping", "-n", "-c", "50", "-i", "0.1", "-W", "1",
                                   "2001:db8:2::77", check=False).stdout
        assert re.search(r"50 packets transmitted, [1-9]", said), said
        scan.expect("scanned", 60)
        scan.wait(10)
        ping(hosts.spaces[0], "2001:db8:2::77", hops=1)
        assert hosts.router.process("v6stack")["restarts"] == 0
        assert len(hosts.router.rows("neighbors")) < 20, "the scan filled the table"


def test_stack_killed(t):
    """SIGKILL of the stack under traffic: no packet lost, the same neighbors and addresses."""
    with Hosts(t) as hosts:
        for n in range(2):
            hosts.number(n)
        hosts.start()
        for address in ("10.0.2.2", "2001:db8:2::2"):
            ping(hosts.spaces[0], address, hops=1)
        for _ in range(3):
            before = hosts.neighbors()
            assert {("p1", "10.0.2.2"), ("p1", "2001:db8:2::2")} <= set(before), before
            pid = hosts.router.module_pid("v6stack")
            pings = [Child(["ip", "netns", "exec", hosts.spaces[0].name, "ping", "-n", "-c", "150",
                            "-i", "0.01", address]) for address in ("10.0.2.2", "2001:db8:2::2")]
            for child in pings:
                child.expect(r"seq=20", 10)
            os.kill(pid, signal.SIGKILL)
            until(lambda: hosts.router.process("v6stack")["pid"] != pid and
                  hosts.router.process("v6stack")["state"] == "ready", 20, "ready again", 0.02)
            assert hosts.neighbors() == before, (hosts.neighbors(), before)
            assert set(hosts.states().values()) == {"preferred"}, hosts.states()
            for child in pings:
                child.expect(r"150 packets transmitted, 150 received", 30)
                child.wait(10)
        ping(hosts.spaces[1], "10.0.2.1", hops=0)
        ping(hosts.spaces[1], "2001:db8:2::1", hops=0)


def test_core_killed(t):
    """SIGKILL of the core: the stack lives, replays, and hosts reach each other again."""
    with Hosts(t) as hosts:
        for n in range(2):
            hosts.number(n)
        hosts.start()
        for address in ("10.0.2.2", "2001:db8:2::2"):
            ping(hosts.spaces[0], address, hops=1)
        stack, core = hosts.router.module_pid("v6stack"), hosts.router.module_pid("core")
        os.kill(core, signal.SIGKILL)

        def back():
            rows = {row["name"]: row for row in hosts.router.look("processes") or ()}
            return len(rows) == 4 and rows["core"]["pid"] != core and \
                all(row["state"] == "ready" for row in rows.values())
        until(back, 30, "all ready again", 0.1)
        assert hosts.router.module_pid("v6stack") == stack, "the stack was restarted too"
        hosts.router.settled({"p0", "p1"}, ())
        hosts.preferred()
        for address in ("10.0.2.2", "2001:db8:2::2"):
            ping(hosts.spaces[0], address, hops=1)
            ping(hosts.spaces[1], address.replace("2.2", "2.1").replace("2::2", "2::1"), hops=0)
