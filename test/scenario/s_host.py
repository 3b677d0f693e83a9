# SPDX-License-Identifier: BSD-3-Clause
"""ICMP of the router as hosts behind it see it, and the kernel of its machine on its ports.

The router runs in a namespace of its own, the box. Host n (0 or 1) is behind port pn, which has
10.0.N.1/24 and 2001:db8:N::1/64 with N = n + 1; the host has .2 (::2). Nothing is static.
"""
import json
import os
import re
import signal
import time

from bhtest.config import Config
from bhtest.netns import Netns, Veth
from bhtest.process import Child, until
from bhtest.router import Router

PLAN = {"modules": {"module": [{"name": "v6stack"}]}}
SMALL = 1300
TRACEROUTE = ("traceroute", "-n", "-q", "1", "-w", "5")
NETS = {f"10.0.{n}.0/24" for n in (1, 2)} | {f"2001:db8:{n}::/64" for n in (1, 2)}
FLOOD = """
import socket
s = socket.socket({family}, socket.SOCK_DGRAM)
s.setsockopt({level}, {option}, 1)
for n in range({count}):
    try:
        s.sendto(b"flood", ("{address}", 33434 + n % 100))
    except OSError: # the error that comes for an earlier one
        pass
print("flooded", flush=True)
"""


def four(n, host=2):
    """IPv4 address of the host, or with 1 the router, on link n."""
    return f"10.0.{n + 1}.{host}"


def six(n, host=2):
    """The same of IPv6."""
    return f"2001:db8:{n + 1}::{host}"


class Bed:
    """The box with its router, and two hosts. mtu: of the link to host 1."""

    def __init__(self, t, mtu=None):
        self.box = Netns("bhbox")
        self.hosts, self.config = [Netns("bhhost") for _ in range(2)], Config(PLAN)
        for n, host in enumerate(self.hosts):
            pair = Veth(host, outside=self.box)
            more = {"mtu": mtu} if n == 1 and mtu else {}
            self.config.interface(f"p{n}", f"net_af_packet{n},iface={pair.outer}",
                                  [four(n, 1) + "/24", six(n, 1) + "/64"], **more)
            host.batch([f"addr add {four(n)}/24 dev eth0", f"addr add {six(n)}/64 dev eth0 nodad",
                        f"link set eth0 mtu {more.get('mtu', 1500)}",
                        f"route add 0.0.0.0/0 via {four(n, 1)}",
                        f"route add ::/0 via {six(n, 1)}"])
        self.router = Router(self.config, t.workdir, space=self.box)
        t.log_file(self.router.log)

    def start(self):
        """Start the router; its addresses are in use, also by the kernel of the box."""
        self.router.start()
        self.router.settled({"p0", "p1"}, NETS)
        wanted = [address for n in (0, 1) for address in (four(n, 1), six(n, 1))]
        until(lambda: all(f" {address}/" in self.addresses() for address in wanted) and
              self.addresses().count(" fe80:") == 2, 30, "addresses in the kernel", 0.1)
        return self

    def addresses(self):
        """Addresses of the box that can be used, as ip tells them."""
        return self.box.run("ip", "-o", "addr", "show", "-tentative").stdout

    def kill_stack(self):
        """SIGKILL v6stack; its successor serves when this returns."""
        before = self.router.process("v6stack")
        os.kill(before["pid"], signal.SIGKILL)
        until(lambda: self.router.process("v6stack")["restarts"] > before["restarts"] and
              self.router.process("v6stack")["state"] == "ready", 20, "v6stack is back")

    def forget_mtu(self, address):
        """Host 0 knows no path MTU, and host 1 asks for segments that are too long for its link."""
        family, route = ("-4", "0.0.0.0/0") if address is four else ("-6", "::/0")
        self.hosts[0].run("ip", family, "route", "flush", "cache")
        self.hosts[1].run("ip", family, "route", "replace", route, "via", address(1, 1), "advmss",
                          "1440")
        said = self.hosts[0].run("ip", "route", "get", address(1)).stdout
        assert "mtu" not in said, said

    def close(self):
        """Remove everything."""
        self.router.kill()
        for space in (*self.hosts, self.box):
            space.destroy()

    def __enter__(self):
        return self.start()

    def __exit__(self, kind, *_):
        try:
            if not kind:
                self.router.stop()
        finally:
            self.close()


def start_in(space, *argv):
    """Start a program in a namespace."""
    return Child(["ip", "netns", "exec", space.name, *argv])


def ping(space, address, count=3, size=56):
    """Every ping is answered."""
    said = space.run("ping", "-n", "-c", str(count), "-i", "0.02", "-W", "5", "-s", str(size),
                     address, check=False).stdout
    assert f"{count} packets transmitted, {count} received" in said, said


def named(said):
    """The addresses that a traceroute names, in order."""
    return re.findall(r"^\s*\d+:?\s+([0-9a-f.:]{4,})\s.*ms", said, re.M)


def test_traceroute(t):
    """traceroute and tracepath, both families, through the router, to it, and from it."""
    with Bed(t) as bed:
        runs = []
        for address in (four, six):
            for tool in (TRACEROUTE, ("tracepath", "-n")):
                runs += [(bed.hosts[0], tool, address(1), [address(0, 1), address(1)]),
                         (bed.hosts[1], tool, address(1, 1), [address(1, 1)])]
            runs.append((bed.box, TRACEROUTE, address(0), [address(0)]))
        for child, want in [(start_in(space, *tool, target), want)
                            for space, tool, target, want in runs]:
            child.wait(60)
            found = named(child.text)
            # tracepath names a hop twice when it learns the MTU there
            assert list(dict.fromkeys(found)) == want, child.text


def test_unreachable(t):
    """No route and no neighbor are told, of both families, by codes that hosts understand."""
    with Bed(t) as bed:
        asked = [(start_in(bed.hosts[0], "ping", "-n", "-c", "1", "-W", "10", address), words)
                 for address, words in (("192.0.2.1", "Net Unreachable"),
                                        ("2001:db8:99::1", "No route"),
                                        (four(1, 99), "Host Unreachable"),
                                        (six(1, 99), "Address unreachable"))]
        for child, words in asked:
            child.wait(30)
            assert words in child.text, child.text


def test_path_mtu(t):
    """A link with a smaller MTU: hosts learn it from the router's errors, TCP goes on over it."""
    with Bed(t, SMALL) as bed:
        for address, words in ((four, "Frag needed"), (six, "Packet too big")):
            said = bed.hosts[0].run("ping", "-n", "-M", "do", "-c", "2", "-i", "0.2", "-W", "5",
                                    "-s", "1400", address(1), check=False)
            assert words in said.stdout and str(SMALL) in said.stdout + said.stderr, said
            said = bed.hosts[0].run("tracepath", "-n", address(1), timeout=60).stdout
            assert f"pmtu {SMALL}" in said, said
            bed.forget_mtu(address)
            done = iperf(bed.hosts[1], bed.hosts[0], address(1), "-n", "4M")
            assert done["end"]["sum_received"]["bytes"] > 1 << 20, done["end"]
            said = bed.hosts[0].run("ip", "route", "get", address(1)).stdout
            assert f"mtu {SMALL}" in said, said
        ping(bed.hosts[0], four(1), size=1472)  # may be cut


def errors_seen(space):
    """ICMP errors that the kernel of a namespace took: time exceeded, of both families."""
    snmp = space.run("cat", "/proc/net/snmp").stdout
    names, values = [line.split() for line in snmp.splitlines() if line.startswith("Icmp:")]
    six_count = re.search(r"^Icmp6InTimeExcds\s+(\d+)", space.run("cat", "/proc/net/snmp6").stdout,
                          re.M)
    return int(values[names.index("InTimeExcds")]) + int(six_count.group(1))


def test_error_limit(t):
    """A flood of packets whose TTL runs out gets as many errors as it may have, not more; another
    host still gets its own, as soon as one of its packets passes the punt path's policing."""
    with Bed(t) as bed:
        ping(bed.hosts[0], four(1))
        begin = time.monotonic()
        floods = [start_in(bed.hosts[0], "python3", "-c", FLOOD.format(
            family=family, level=level, option=option, count=30000, address=address))
                  for family, level, option, address in (
                      ("socket.AF_INET", "socket.IPPROTO_IP", "socket.IP_TTL", four(1)),
                      ("socket.AF_INET6", "socket.IPPROTO_IPV6", "socket.IPV6_UNICAST_HOPS",
                       six(1)))]
        for flood in floods:
            flood.expect("flooded", 60)
        ping(bed.hosts[0], four(1))  # comes behind the last of the flood
        seen, most = errors_seen(bed.hosts[0]), 2 * (50 + 100 * (time.monotonic() - begin))
        t.say(f"{seen} errors for 60000 packets, of at most {most:.0f}")
        assert 20 <= seen <= most, (seen, most)
        for address in (four, six):
            until(lambda: named(bed.hosts[1].run("traceroute", "-n", "-q", "1", "-w", "1", "-m",
                                                 "3", address(0)).stdout)
                  == [address(1, 1), address(0)], 30, "another host's traceroute")
        for flood in floods:
            flood.wait(10)


# ---- the kernel of the box ----


def iperf(server, client, address, *options, during=None):
    """One run of iperf3: what the client says. during() is called while it runs."""
    listen = start_in(server, "iperf3", "-s", "-1", "--forceflush")
    listen.expect("Server listening", 20)
    talk = start_in(client, "iperf3", "-c", address, "-J", *options)
    try:
        listen.expect("connected to", 20)
        if during:
            during()
        code = talk.wait(60)
        assert code == 0, talk.text[-2000:]
        listen.wait(20)
        return json.loads(talk.text)
    finally:
        talk.kill()
        listen.kill()


def test_box_interfaces(t):
    """TAPs as the configuration says; nothing that the kernel made up; ping both ways."""
    with Bed(t) as bed:
        rows = {row["name"]: row for row in bed.router.rows("interfaces")}
        for n in range(2):
            link = json.loads(bed.box.run("ip", "-j", "link", "show", "dev", f"p{n}").stdout)[0]
            assert {"NOARP", "UP", "LOWER_UP"} <= set(link["flags"]), link
            assert link["address"] == rows[f"p{n}"]["mac"], (link, rows)
            assert link["mtu"] == 1500, link
            mine = {row["address"] for row in bed.router.rows("addresses")
                    if row["interface"] == f"p{n}" and row["state"] == "preferred"}
            shown = set(re.findall(rf"p{n}\s+inet6? (\S+)", bed.addresses()))
            assert shown == mine and len(mine) >= 3, (shown, mine)
            for address in (four, six):
                ping(bed.box, address(n))
                ping(bed.hosts[n], address(n, 1))
                ping(bed.hosts[n], address(1 - n, 1), size=1400)
        said = bed.box.run("ip", "route", "show", "default").stdout
        assert "dev p" in said, said


def test_ports_come_and_go(t):
    """A port that a reload adds has a TAP at once, and none when a reload takes it away."""
    with Bed(t) as bed, Netns("bhhost") as host:
        pair = Veth(host, outside=bed.box)
        before = bed.config.copy()
        bed.config.interface("p2", f"net_af_packet2,iface={pair.outer}",
                             [four(2, 1) + "/24", six(2, 1) + "/64"])
        host.batch([f"addr add {four(2)}/24 dev eth0", f"addr add {six(2)}/64 dev eth0 nodad",
                    f"route add 0.0.0.0/0 via {four(2, 1)}", f"route add ::/0 via {six(2, 1)}"])
        bed.router.reload(bed.config)
        until(lambda: all(f"p2    inet{v} {address}/" in bed.addresses() for v, address in
                          (("", four(2, 1)), ("6", six(2, 1)))), 30, "addresses of p2", 0.1)
        for address in (four, six):
            ping(bed.box, address(2))
            ping(host, address(0))
        bed.kill_stack()  # its successor is handed the new one too
        ping(bed.box, four(2))
        bed.router.reload(before)
        until(lambda: "p2" not in bed.box.run("ip", "link").stdout, 30, "p2 is gone", 0.1)
        ping(bed.box, six(1))


def survives(bed, server, client, address):
    """An iperf3 session over TCP while v6stack is killed: it ends well, and all arrives."""
    done = iperf(server, client, address, "-t", "2", "-b", "20M", during=bed.kill_stack)
    assert done["end"]["sum_received"]["bytes"] > 1 << 20, done["end"]


def test_box_tcp_survives(t):
    """TCP between the box itself and a host outlives v6stack; carrier and addresses stay."""
    with Bed(t) as bed:
        before = bed.addresses()
        watch = start_in(bed.box, "ip", "-o", "monitor", "link", "address", "route")
        sockets = []

        def during():
            until(lambda: any(row["local-port"] == 5201 and row["state"] == "established"
                              for row in bed.router.rows("sockets")), 10, "the session is shown")
            sockets.extend(bed.router.rows("sockets"))
            bed.kill_stack()

        done = iperf(bed.box, bed.hosts[0], four(0, 1), "-t", "3", "-b", "20M", during=during)
        assert done["end"]["sum_received"]["bytes"] > 0, done["end"]
        assert {"listen", "established"} <= {row["state"] for row in sockets
                                             if row["local-port"] == 5201}, sockets
        survives(bed, bed.hosts[1], bed.box, six(1))
        assert bed.addresses() == before, (bed.addresses(), before)
        watch.kill()
        assert not re.search(r"Deleted|NO-CARRIER|state DOWN", watch.text), watch.text
        until(lambda: not any(row["local-port"] == 5201 and row["state"] == "listen"
                              for row in bed.router.rows("sockets")), 10, "gone from the table")


def test_forwarded_never_notices(t):
    """TCP and UDP through the router while v6stack is killed: no datagram lost."""
    with Bed(t) as bed:
        for address in (four, six):
            ping(bed.hosts[0], address(1))
            survives(bed, bed.hosts[1], bed.hosts[0], address(1))
            done = iperf(bed.hosts[1], bed.hosts[0], address(1), "-u", "-t", "2", "-b", "2M",
                         "-l", "1200", during=bed.kill_stack)
            total = done["end"]["sum"]
            assert total["packets"] > 100 and total["lost_packets"] == 0, total


def test_box_tcp_survives_supervisor(t):
    """The supervisor is killed, its successor takes the TAPs back; v6stack dies then, and is
    upgraded: the same TAPs, and a session of the box goes on."""
    with Bed(t) as bed:
        def index():
            return json.loads(bed.box.run("ip", "-j", "link", "show", "dev", "p0").stdout)[0][
                "ifindex"]

        before = index()

        def during():
            bed.router.child.kill()
            bed.router.start()
            assert bed.router.process("v6stack")["adopted"]
            bed.kill_stack()
            bed.router.ctl("module", "upgrade", "v6stack")

        iperf(bed.box, bed.hosts[0], four(0, 1), "-t", "4", "-b", "5M", during=during)
        assert index() == before
        ping(bed.box, six(1))
