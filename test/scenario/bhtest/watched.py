# SPDX-License-Identifier: BSD-3-Clause
"""A router that a manager watches: router and snmpd in one namespace, the box.

Port pn of the router, n 0 or 1, is behind a veth into another; it has 10.0.N.1/24 and
2001:db8:N::1/64 with N = n + 1.
"""
import os
import signal

from bhtest.config import Config
from bhtest.netns import Netns, Veth
from bhtest.process import until
from bhtest.router import Router
from bhtest.snmp import Master

IFX_TABLE = "1.3.6.1.2.1.31.1.1"
BULKHEAD = "1.3.6.1.4.1.32473.1"
DROPS = f"{BULKHEAD}.1.5"


class Watched:
    """The box with router and master, and what is behind the ports."""

    def __init__(self, t, modules=("v6stack", "snmp"), **snmp):
        self.box, self.space = Netns("bhbox"), Netns("bhhost")
        self.master = Master(t.workdir, self.box)
        self.config = Config({"modules": {"module": [{"name": name} for name in modules]},
                              "snmp": {"agentx-address": self.master.address, **snmp}})
        for n in range(2):
            pair = Veth(self.space, f"eth{n}", outside=self.box)
            self.config.interface(f"p{n}", f"net_af_packet{n},iface={pair.outer}",
                                  [f"10.0.{n + 1}.1/24", f"2001:db8:{n + 1}::1/64"])
        self.config.interfaces["p1"]["description"] = "to the second neighbour"
        self.router = Router(self.config, t.workdir, space=self.box)
        t.log_file(self.router.log)
        t.log_file(os.path.join(self.master.folder, "snmpd.log"))

    def start(self, traps=False, more=()):
        """Start master and router; wait until objects of the router are there."""
        self.master.start()
        if traps:
            self.master.start_traps()
        self.router.start()
        self.router.settled({"p0", "p1"}, ("10.0.1.0/24", "2001:db8:2::/64"))
        self.registered(more)
        return self

    def shown(self, more=()):
        """Whether the master shows our interfaces and not those of its machine."""
        names = {row.get(1) for row in self.master.table(IFX_TABLE).values()}
        return names == {b"p0", b"p1", *(name.encode() for name in more)}

    def registered(self, more=()):
        """Wait until it does, and the last MIB to be registered is there too."""
        until(lambda: self.shown(more), 60, "the router's interfaces in ifXTable", 0.2)
        until(lambda: self.master.walk(DROPS), 60, "bhDropTable", 0.2)

    def hit(self, name, number=signal.SIGKILL):
        """Send a module a signal that ends it; its successor serves when this returns."""
        before = self.router.process(name)
        os.kill(before["pid"], number)
        until(lambda: self.router.process(name)["restarts"] > before["restarts"] and
              self.router.process(name)["state"] == "ready", 60, f"{name} is back", 0.1)

    def healthy(self):
        """The module has neither ended nor been found to hang."""
        row = self.router.process("snmp")
        assert (row["state"], row["restarts"]) == ("ready", 0), row

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        try:
            if not kind:
                self.router.stop()
        finally:
            self.router.kill()
            self.master.close()
            self.space.destroy()
            self.box.destroy()


def at_rest(what, see, timeout=60):
    """What `what` says before and after `see`, when both are the same: (said, seen)."""
    def once():
        before = what()
        seen = see()
        return (before, seen) if what() == before else None
    return until(once, timeout, "two equal looks with another between them", 0.2)
