# SPDX-License-Identifier: BSD-3-Clause
"""The common test bed: a router with memif ports and a testpmd at the other end of each.

Port n is interface pN with 10.0.N.1/24 and 2001:db8:N::1/64; hosts .2 (and ::2) up to .2+HOSTS-1
are its static neighbors, each with a MAC of its own, so that a captured frame tells its next hop.
"""
import os

from bhtest import packet
from bhtest.config import Config
from bhtest.reference import Reference
from bhtest.router import Router
from bhtest.traffic import Traffic, burst_links, sockets

HOSTS = 6


def reference():
    """Whether Linux stands in for the router."""
    return os.environ.get("BH_REFERENCE") == "1"


def port_mac(n):
    """The MAC address of the router's port n."""
    return f"02:bb:00:00:{n:02x}:01"


def host_mac(n, host=0):
    """The MAC address of a host behind port n."""
    return f"02:bb:00:00:{n:02x}:{host + 2:02x}"


def host4(n, host=0):
    """The IPv4 address of a host behind port n."""
    return f"10.0.{n}.{host + 2}"


def host6(n, host=0):
    """The IPv6 address of a host behind port n."""
    return f"2001:db8:{n}::{host + 2:x}"


def base_config(folder, ports, rsizes=None, plan=None, **interface):
    """The configuration of the bed's interfaces. rsizes gives the ring size of each link."""
    config = Config(plan)
    for n, path in enumerate(sockets(folder, ports)):
        neighbors = {address(n, host): host_mac(n, host)
                     for host in range(HOSTS) for address in (host4, host6)}
        config.memif(f"p{n}", n, path, (rsizes or [10] * ports)[n], mac=port_mac(n),
                     addresses=[f"10.0.{n}.1/24", f"2001:db8:{n}::1/64"], neighbors=neighbors,
                     **interface)
    return config


def flow(dst, size=None, src=None, port=0, seq=0, sport=1024, dport=4000, **fields):
    """A UDP frame into router port `port`, from its first host unless src is given."""
    src = src or (host6(port) if packet.is6(dst) else host4(port))
    return packet.flow(port_mac(port), host_mac(port), src, dst, sport, dport, seq, size, **fields)


class Bed:
    """A started router, in a namespace if one is given, and connected links. links default to those
    for burst()."""

    def __init__(self, t, config, links=None, cpus=None, options=(), space=None):
        self.t, self.config = t, config
        self.router = Reference(config, t.workdir) if reference() else \
            Router(config, t.workdir, options, space)
        t.log_file(self.router.log)
        paths = sockets(t.workdir, len(config.interfaces))
        log = os.path.join(t.workdir, "testpmd.log")
        t.log_file(log)
        self.traffic = None
        try:
            self.router.start()
            self.traffic = Traffic(links or burst_links(t.workdir, paths), log, cpus)
            self.traffic.connect()
            self.router.settled(set(config.interfaces), config.prefixes())
        except BaseException:
            self.kill()
            raise

    def burst(self, frames, expect=0, **more):
        """Send frames {port: [frame, ...]} once; {port: [captured frame, ...]}.

        Frames to a multicast MAC are left out: transit is unicast in every scenario, but a
        protocol stack speaks MLD and ND of its own accord.
        """
        got = self.traffic.burst(frames, expect, **more)
        return {n: [frame for frame in caught if not frame[0] & 1] for n, caught in got.items()}

    def close(self):
        """End both in good order, with the assertions of each."""
        try:
            self.traffic.halt()
            self.router.stop()
            self.traffic.close()
        except BaseException:
            self.kill()
            raise

    def kill(self):
        """End both at once."""
        self.router.kill()
        if self.traffic:
            self.traffic.kill()

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind:
            self.kill()
        else:
            self.close()
