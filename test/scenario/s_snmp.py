# SPDX-License-Identifier: BSD-3-Clause
"""A manager looks at the router through snmpd: what it sees is what bhctl says."""
from bhtest.config import Config
from bhtest.netns import Netns, Veth
from bhtest.process import until
from bhtest.router import Router
from bhtest.snmp import Master

IF_TABLE, IFX_TABLE = "1.3.6.1.2.1.2.2", "1.3.6.1.2.1.31.1.1"


class Watched:
    """A router with two ports, whose other ends are in a namespace, and a master agent."""

    def __init__(self, t, modules=("snmp",), **snmp):
        self.master = Master(t.workdir)
        self.space = Netns("bhhost")
        self.pairs = [Veth(self.space, f"eth{n}") for n in range(2)]
        self.config = Config({"modules": {"module": [{"name": name} for name in modules]},
                              "snmp": {"agentx-address": self.master.address, **snmp}})
        for n, pair in enumerate(self.pairs):
            self.config.interface(f"p{n}", f"net_af_packet{n},iface={pair.outer}",
                                  [f"10.0.{n + 1}.1/24", f"2001:db8:{n + 1}::1/64"])
        self.router = Router(self.config, t.workdir)
        t.log_file(self.router.log)

    def start(self):
        """Start master and router; wait until objects of the router are there."""
        self.master.start()
        self.router.start()
        self.router.settled({"p0", "p1"}, ())
        self.registered()
        return self

    def registered(self):
        """Wait until the master shows our interfaces and not those of its machine."""
        until(lambda: {row.get(1) for row in self.master.table(IFX_TABLE).values()} == {b"p0", b"p1"},
              30, "the router's interfaces in ifXTable", 0.2)

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        try:
            if not kind:
                self.router.stop()
        finally:
            self.router.kill()
            self.master.close()
            for pair in self.pairs:
                pair.destroy()
            self.space.destroy()


def test_interfaces(t):
    """IF-MIB says what bhctl says."""
    with Watched(t) as w:
        w.start()
        table, more = w.master.table(IF_TABLE), w.master.table(IFX_TABLE)
        for row in w.router.rows("interfaces"):
            mine, extra = table[(row["ifindex"],)], more[(row["ifindex"],)]
            assert mine[4] == row["mtu"] and extra[1].decode() == row["name"], (mine, extra, row)
