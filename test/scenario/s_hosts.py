# SPDX-License-Identifier: BSD-3-Clause
"""Two Linux hosts in namespaces reach each other through the router over net_af_packet."""
import re

from bhtest.config import Config
from bhtest.netns import Netns, Veth
from bhtest.router import Router


def host_mac(n):
    """The MAC address of host n."""
    return f"02:bb:00:01:00:{n:02x}"


def outer_mac(name):
    """The MAC address of an interface of ours."""
    with open(f"/sys/class/net/{name}/address", encoding="ascii") as text:
        return text.read().strip()


class Hosts:
    """Two namespaces, each behind a port of the router, with static neighbors on all sides."""

    def __init__(self, t):
        self.spaces, self.pairs, self.config = [], [], Config()
        for n in range(2):
            space = Netns("bhhost")
            pair = Veth(space, mac=host_mac(n))
            self.spaces.append(space)
            self.pairs.append(pair)
            self.config.interface(
                f"p{n}", f"net_af_packet{n},iface={pair.outer}",
                [f"10.0.{n}.1/24", f"2001:db8:{n}::1/64"],
                {f"10.0.{n}.2": host_mac(n), f"2001:db8:{n}::2": host_mac(n)})
            router = outer_mac(pair.outer)
            space.batch([f"addr add 10.0.{n}.2/24 dev eth0",
                         f"addr add 2001:db8:{n}::2/64 dev eth0 nodad",
                         f"neigh add 10.0.{n}.1 lladdr {router} dev eth0 nud permanent",
                         f"neigh add 2001:db8:{n}::1 lladdr {router} dev eth0 nud permanent",
                         f"route add 0.0.0.0/0 via 10.0.{n}.1",
                         f"route add ::/0 via 2001:db8:{n}::1"])
        self.router = Router(self.config, t.workdir)
        t.log_file(self.router.log)

    def close(self):
        """Remove everything."""
        self.router.kill()
        for pair in self.pairs:
            pair.destroy()
        for space in self.spaces:
            space.destroy()


def ping(space, address, size, count=20):
    """Ping: every answer comes, one router away (TTL or hop limit 63)."""
    said = space.run("ping", "-n", "-c", str(count), "-i", "0.02", "-W", "2", "-s", str(size),
                     address, check=False).stdout
    assert f"{count} packets transmitted, {count} received" in said, said
    assert set(re.findall(r"(?:ttl|hlim)=(\d+)", said)) == {"63"}, said


def test_hosts_ping(t):
    """Both ways, both families, small and full-size packets."""
    hosts = Hosts(t)
    try:
        hosts.router.start()
        hosts.router.settled({"p0", "p1"}, ())
        for here, there in ((0, 1), (1, 0)):
            for size in (16, 56, 1400):
                ping(hosts.spaces[here], f"10.0.{there}.2", size)
                ping(hosts.spaces[here], f"2001:db8:{there}::2", size)
        ping(hosts.spaces[0], "10.0.1.2", 1472)
        ping(hosts.spaces[0], "2001:db8:1::2", 1452)
        hosts.router.stop()
    finally:
        hosts.close()
