# SPDX-License-Identifier: BSD-3-Clause
"""Linux as the router, with the same configuration: proves the scenarios, independently of ours.

A namespace forwards between veth pairs; a testpmd carries frames between the memif links, where it
is the server as the router would be, and the outer ends of the pairs (by net_pcap, as net_af_packet
reassembles IPv4 fragments). What Linux sends of its own accord (MLD, router solicitations) is
waited for. On a busy machine its packet sockets overflow (RX-missed of the net_pcap ports): what is
lost there Linux did forward. Used when BH_REFERENCE=1.
Only what the scenarios of forwarding need is here; there are no counters to read.
"""
import os
import re
import time

from bhtest import packet
from bhtest.netns import Netns, Veth
from bhtest.testpmd import Testpmd, first_cpu, last_cpu

QUIET = 1.5


class Reference:
    """Has the methods of Router that forwarding needs."""

    def __init__(self, config, workdir):
        self.config, self.log = config, os.path.join(workdir, "router.log")
        self.space, self.pairs, self.bridge, self.routed = None, [], None, None

    def start(self):
        """Make the namespace, configure it and connect it to the memif sockets."""
        self.space = Netns("bhref")
        vdevs = []
        for n, entry in enumerate(self.config.interfaces.values()):
            leaves = entry["bulkhead:dpdk"]
            pair = Veth(self.space, entry["name"], leaves.get("mac-address"))
            self.pairs.append(pair)
            vdevs += [leaves["device"], f"net_pcap{n},iface={pair.outer}"]
        self.space.sysctl(net__ipv4__ip_forward=1, net__ipv6__conf__all__forwarding=1,
                          net__ipv4__conf__all__rp_filter=0, net__ipv4__fib_multipath_hash_policy=1,
                          net__ipv6__fib_multipath_hash_policy=1)
        for name in self.config.interfaces:
            self.space.sysctl(**{f"net__ipv4__conf__{name}__rp_filter": 0})
        self.space.batch(self._commands())
        self.routed = self.config.copy().routes
        self.bridge = Testpmd(vdevs, self.log, (first_cpu(), last_cpu()),
                              options=["--forward-mode=io"]).ready()
        self.bridge.start()
        return self

    def _commands(self):
        for name, entry in self.config.interfaces.items():
            for family in ("ietf-ip:ipv4", "ietf-ip:ipv6"):
                content = entry.get(family, {})
                for at in content.get("address", ()):
                    yield f"addr add {at['ip']}/{at['prefix-length']} dev {name} " \
                          + ("nodad" if packet.is6(at["ip"]) else "")
                for known in content.get("neighbor", ()):
                    yield f"neigh add {known['ip']} lladdr {known['link-layer-address']} " \
                          f"dev {name} nud permanent"
        yield from self._route_commands("add", self.config.routes)

    def _route_commands(self, verb, tables):
        for routes in tables.values():
            for prefix, hop in routes.items():
                yield f"route {verb} {self._route(prefix, hop)}"

    @staticmethod
    def _route(prefix, hop):
        if "special-next-hop" in hop:
            return f"{hop['special-next-hop']} {prefix}"
        hops = hop.get("next-hop-list", {}).get("next-hop")
        if hops:
            return prefix + "".join(f" nexthop via {one['next-hop-address']}" for one in hops)
        words = [prefix]
        if "next-hop-address" in hop:
            words += ["via", hop["next-hop-address"]]
        if "outgoing-interface" in hop:
            words += ["dev", hop["outgoing-interface"]]
        return " ".join(words)

    def reload(self, config=None):
        """Bring the kernel's routes to those of the (changed) configuration."""
        self.config = config or self.config
        for six, routes in self.config.routes.items():
            gone = self.routed[six].keys() - routes.keys()
            self.space.batch([f"route del {self._route(prefix, self.routed[six][prefix])}"
                              for prefix in gone])
        self.space.batch(self._route_commands("replace", self.config.routes))
        self.routed = self.config.copy().routes

    def prefixes(self):
        """The destination prefixes that reload() or start() has set."""
        return {*self.routed[False], *self.routed[True]}

    def settled(self, _links, _prefixes):
        """The kernel is configured already; wait until it no longer talks unasked."""
        last, since = None, time.monotonic()
        while time.monotonic() - since < QUIET:
            now = re.search(r"Icmp6OutMsgs\s+(\d+)",
                            self.space.run("cat", "/proc/net/snmp6").stdout)[1]
            if now != last:
                last, since = now, time.monotonic()
            time.sleep(0.1)

    def stop(self):
        """Take all down in good order."""
        self.bridge.stop()
        self.bridge.close()
        self.kill()

    def kill(self):
        """Take all down at once."""
        if self.bridge:
            self.bridge.kill()
        if self.space:
            self.space.destroy()
