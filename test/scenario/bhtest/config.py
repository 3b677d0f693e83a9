# SPDX-License-Identifier: BSD-3-Clause
"""RFC 7951 instance data for the router: interfaces, addresses, neighbors, static routes.

A Config is changed by its methods and written as a file; tests that change routes under traffic
write it again and make the router read it anew.
"""
import copy
import ipaddress
import json
import os
import tempfile

from bhtest import packet
from bhtest.process import run
from bhtest.traffic import memif_args

YUMA = "/usr/share/yuma"
FAMILY = {False: "ietf-ipv4-unicast-routing:ipv4", True: "ietf-ipv6-unicast-routing:ipv6"}
IETF = ("ietf-interfaces", "ietf-ip", "iana-if-type", "ietf-routing", "ietf-ipv4-unicast-routing",
        "ietf-ipv6-unicast-routing")


def canonical(prefix):
    """An IPv6 prefix as YANG types print it; IPv4 text is canonical as it stands."""
    return str(ipaddress.ip_network(prefix)) if packet.is6(prefix) else prefix


def _family(addresses, neighbors, six, forwarding, mtu):
    """The container ipv4 or ipv6 of ietf-ip, or None if nothing is in it."""
    entry = {"forwarding": forwarding}
    if mtu:
        entry["mtu"] = mtu
    mine = [text.split("/") for text in addresses if packet.is6(text) == six]
    if mine:
        entry["address"] = [{"ip": ip, "prefix-length": int(length)} for ip, length in mine]
    known = {ip: mac for ip, mac in neighbors.items() if packet.is6(ip) == six}
    if known:
        entry["neighbor"] = [{"ip": ip, "link-layer-address": mac} for ip, mac in known.items()]
    return entry if mine or known else None


class Config:
    """The router's whole configuration. plan is the content of bulkhead:bulkhead, if any."""

    def __init__(self, plan=None):
        self.plan, self.interfaces, self.routes = plan, {}, {False: {}, True: {}}

    def interface(self, name, device, addresses=(), neighbors=None, mac=None, forwarding=True,
                  enabled=True, mtu4=None, mtu6=None, **dpdk):
        """Add an interface on a DPDK device.

        addresses are "address/length" of both families; neighbors map address to MAC; dpdk gives
        further leaves of bulkhead:dpdk with _ for -: rx_queues, tx_queues, rx_descriptors, ...
        """
        leaves = {"device": device, **{key.replace("_", "-"): dpdk[key] for key in dpdk}}
        if mac:
            leaves["mac-address"] = mac
        entry = {"name": name, "type": "iana-if-type:ethernetCsmacd", "enabled": enabled,
                 "bulkhead:dpdk": leaves}
        for six, mtu, key in ((False, mtu4, "ietf-ip:ipv4"), (True, mtu6, "ietf-ip:ipv6")):
            family = _family(addresses, neighbors or {}, six, forwarding, mtu)
            if family:
                entry[key] = family
        self.interfaces[name] = entry
        return self

    def memif(self, name, n, socket, rsize=10, role="server", **more):
        """Add an interface on an end of a memif link, device number n."""
        return self.interface(name, f"net_memif{n},{memif_args(socket, rsize, role=role)}", **more)

    def route(self, prefix, *via, interface=None, special=None):
        """Add or replace a static route: one or several next-hop addresses, an outgoing
        interface, or a special next hop (blackhole, unreachable, prohibit, receive)."""
        if special:
            hop = {"special-next-hop": special}
        elif len(via) > 1:
            hop = {"next-hop-list": {"next-hop": [
                {"index": str(n), "next-hop-address": ip} for n, ip in enumerate(via)]}}
        else:
            hop = {"next-hop-address": via[0]} if via else {}
            if interface:
                hop["outgoing-interface"] = interface
        self.routes[packet.is6(prefix)][canonical(prefix)] = hop
        return self

    def delete_route(self, prefix):
        """Remove a static route."""
        del self.routes[packet.is6(prefix)][canonical(prefix)]
        return self

    def prefixes(self):
        """The set of all prefixes of static routes."""
        return {*self.routes[False], *self.routes[True]}

    def copy(self):
        """An independent copy."""
        return copy.deepcopy(self)

    def data(self):
        """The instance data as a dictionary."""
        static = {FAMILY[six]: {"route": [{"destination-prefix": prefix, "next-hop": hop}
                                          for prefix, hop in routes.items()]}
                  for six, routes in self.routes.items() if routes}
        data = {"ietf-interfaces:interfaces": {"interface": list(self.interfaces.values())}}
        if static:
            data["ietf-routing:routing"] = {"control-plane-protocols": {"control-plane-protocol": [
                {"type": "ietf-routing:static", "name": "static", "static-routes": static}]}}
        if self.plan:
            data["bulkhead:bulkhead"] = self.plan
        return data

    def write(self, path):
        """Write the file in one step, so that no reader sees half of it; the path."""
        scratch = path + ".new"
        with open(scratch, "w", encoding="utf-8") as out:
            json.dump(self.data(), out)
        os.rename(scratch, path)
        return path


def standard_part(data):
    """The data without what the module bulkhead adds."""
    if isinstance(data, dict):
        return {key: standard_part(value) for key, value in data.items()
                if not key.startswith("bulkhead:")}
    if isinstance(data, list):
        return [standard_part(value) for value in data]
    return data


def yanglint(data):
    """Validate the standard part of the data; AssertionError with yanglint's words if invalid."""
    with tempfile.NamedTemporaryFile("w", suffix=".json") as out:
        json.dump(standard_part(data), out)
        out.flush()
        folders = [f"{YUMA}/nmda-modules/ietf", f"{YUMA}/modules/ietf"]
        paths = [argument for folder in folders for argument in ("-p", folder)]
        modules = [_newest(folders, name) for name in IETF]
        run(["yanglint", "-D", *paths, "-t", "config", *modules, out.name], 60)


def _newest(folders, name):
    """The file of a module with the newest revision."""
    found = [os.path.join(folder, file) for folder in folders for file in os.listdir(folder)
             if file.startswith(name + "@")]
    return max(found, key=lambda path: path.rsplit("@", 1)[1])
