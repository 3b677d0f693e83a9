# SPDX-License-Identifier: BSD-3-Clause
"""zebra's side of FPM, played by a few lines of Python, towards the real router.

The router runs in a namespace with the stack, so its ports have TAPs there, whose ifindexes the
routes carry. Ports are as in bhtest.bed: pN with 10.0.N.1/24, hosts .2 up to .7 behind it.
"""
from bhtest.bed import Bed, base_config, flow, host4, host6, host_mac
from bhtest.fpm import OSPF, Hop, Speaker, route, withdraw
from bhtest.netns import Netns
from bhtest.process import until

PLAN = {"modules": {"module": [{"name": "v6stack"}]}, "fpm": {"settle": 1, "replay-limit": 8}}


class Box(Bed):
    """A router with two ports in a namespace, to which a speaker can connect."""

    def __init__(self, t):
        self.space = Netns("bhbox")
        try:
            super().__init__(t, base_config(t.workdir, 2, plan=PLAN), space=self.space)
        except BaseException:
            self.space.destroy()
            raise
        self.tap = {name: self.index(name) for name in ("p0", "p1")}

    def index(self, name):
        """The kernel's ifindex of a TAP."""
        said = self.space.run("cat", f"/sys/class/net/{name}/ifindex").stdout
        return int(said)

    def zebra(self):
        """A new connection, once the router listens."""
        def connect():
            try:
                with self.space.entered():
                    return Speaker()
            except ConnectionRefusedError:
                return None
        return until(connect, 20, "routing listens")

    def shown(self):
        """The routes of FPM by prefix."""
        return {row["prefix"]: row for row in self.router.rows("routes")
                if row["protocol"] not in ("connected", "local", "static")}

    def takes(self, dst, *hosts):
        """A flow to dst leaves port 1 to one of these hosts behind it."""
        caught = self.burst({0: [flow(dst)]}, expect=1)[1]
        assert [frame[:6].hex(":") for frame in caught] in [[host_mac(1, host)] for host in hosts], \
            (dst, caught)

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
    """A route of each family comes, is shown, forwards, and is withdrawn."""
    zebra = bed.zebra()
    zebra.say(route("203.0.113.0/24", Hop(bed.tap["p1"], host4(1, 1))),
              route("2001:db8:ff::/48", Hop(bed.tap["p1"], host6(1, 2)), proto=OSPF))
    until(lambda: len(bed.shown()) == 2, 20, "routes of FPM")
    bed.takes("203.0.113.9", 1)
    bed.takes("2001:db8:ff::9", 2)
    zebra.say(withdraw("203.0.113.0/24"), withdraw("2001:db8:ff::/48", OSPF))
    until(lambda: not bed.shown(), 20, "they are gone")
    zebra.close()
