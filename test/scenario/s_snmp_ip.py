# SPDX-License-Identifier: BSD-3-Clause
"""A manager looks at IP: addresses, neighbors, counters and routes are what bhctl says, and a walk
of many routes that change neither loses nor repeats any.

The box is that of s_snmp: port pn, n 0 or 1, is 10.0.N.1/24 and 2001:db8:N::1/64 with N = n + 1.
"""
import ipaddress
import os
import re
import signal
import threading
import time

from bhtest.process import until
from bhtest.snmp import AGENT
from bhtest.watched import Watched, at_rest

IP = "1.3.6.1.2.1.4"
ROUTES, NUMBER = f"{IP}.24.7", f"{IP}.24.6.0"
RA = "ietf-ipv6-unicast-routing:ipv6-router-advertisements"
WIDE = {"in-receives": (3, 4), "in-octets": (5, 6), "in-forwarded": (12, 13),
        "in-delivers": (18, 19), "out-requests": (20, 21), "out-forwarded": (23, 24),
        "out-transmits": (30, 31), "out-octets": (32, 33), "in-multicast": (34, 35),
        "in-multicast-octets": (36, 37), "out-multicast": (38, 39),
        "out-multicast-octets": (40, 41), "in-broadcast": (42, 43), "out-broadcast": (44, 45)}
NARROW = {"in-header-errors": 7, "in-no-routes": 8, "in-address-errors": 9, "in-truncated": 11,
          "in-discards": 17, "out-no-routes": 22, "out-discards": 25, "out-fragmented": 27,
          "out-fragment-failed": 28, "out-fragments": 29}
STATUS = {"preferred": 1, "tentative": 6, "duplicate": 7}
STATES = {"reachable": 1, "permanent": 1, "stale": 2, "delay": 3, "probe": 4}
TYPES = {"unknown": 1, "unreachable": 2, "prohibit": 2, "attached": 3, "local": 3, "unicast": 4,
         "blackhole": 5}
PROTOCOLS = {"connected": 2, "local": 2, "static": 3}
MANY, ODD = 100000, 5
LIMITS = {"test_walk_while_routes_change": 900, "test_values_agree": 240}


def address(text, ifindex=0):
    """InetAddressType and InetAddress; link-local ones with their zone if there is one."""
    ip = ipaddress.ip_address(text)
    zone = tuple(ifindex.to_bytes(4, "big")) if ip.is_link_local and ifindex else ()
    octets = tuple(ip.packed) + zone
    return ({4: 1, 6: 2}[ip.version] + (2 if zone else 0), len(octets), *octets)


def indexes(w):
    """The ifIndex of each interface."""
    return {row["name"]: row["ifindex"] for row in w.router.rows("interfaces")}


def start(w):
    """Static routes of every kind, a neighbor, advertisements, and some traffic."""
    c = w.config
    c.interfaces["p0"]["ietf-ip:ipv6"][RA] = {
        "send-advertisements": True, "max-rtr-adv-interval": 600, "min-rtr-adv-interval": 200,
        "managed-flag": True, "link-mtu": 1400, "reachable-time": 7000, "cur-hop-limit": 61,
        "default-lifetime": 1900}
    c.interfaces["p1"]["ietf-ip:ipv4"]["neighbor"] = [
        {"ip": "10.0.2.77", "link-layer-address": "02:00:00:00:00:77"}]
    c.route("192.0.2.0/24", "10.0.1.9", "10.0.2.9", "10.0.2.200")
    c.route("192.0.2.0/25", "10.0.2.77")
    c.route("192.0.2.0/26", special="blackhole")
    c.route("192.0.2.64/26", special="unreachable")
    c.route("2001:db8:77::/48", special="prohibit")
    c.route("2001:db8:78::/48", "fe80::99", interface="p1")
    c.route("2001:db8:79::/48", "2001:db8:1::9", "2001:db8:2::9")
    w.start()
    w.space.batch(["addr add 10.0.1.2/24 dev eth0", "addr add 2001:db8:1::2/64 dev eth0 nodad",
                   "route replace default via 10.0.1.1",
                   "route replace default via 2001:db8:1::1"])
    for there in ("10.0.1.1", "192.0.2.70", "203.0.113.1", "2001:db8:1::1", "2001:db8:77::1",
                  "2001:db8:99::1"):
        w.space.run("ping", "-c", "2", "-i", "0.2", "-W", "1", there, check=False)
    until(lambda: w.master.walk(ROUTES), 60, "inetCidrRouteTable", 0.2)


def check_interfaces(w):
    """ipForwarding, ipv4InterfaceTable, ipv6InterfaceTable."""
    rows = w.router.rows("interfaces")
    four, six = w.master.table(f"{IP}.28"), w.master.table(f"{IP}.30")
    assert w.master.get(f"{IP}.1.0") == 1 and w.master.get(f"{IP}.25.0") == 1
    assert four == {(row["ifindex"],): {3: 1 if "ipv4" in row["enabled-families"] else 2}
                    for row in rows}, (four, rows)
    local = {row["interface"]: row["address"].split("/")[0] for row in w.router.rows("addresses")
             if row["address"].startswith("fe80")}
    assert six == {(row["ifindex"],): {
        3: ipaddress.ip_address(local[row["name"]]).packed[8:],
        5: 1 if "ipv6" in row["enabled-families"] else 2,
        8: 1 if "ipv6" in row["forwarding"] else 2} for row in rows}, (six, rows)


def check_addresses(w):
    """ipAddressTable."""
    index = indexes(w)
    rows, seen = at_rest(lambda: w.router.rows("addresses"), lambda: w.master.table(f"{IP}.34"))
    wanted = {address(row["address"].split("/")[0], index[row["interface"]]): {
        3: index[row["interface"]], 4: 1, 5: (0, 0), 6: 2 if row["origin"] == "config" else 5,
        7: STATUS[row["state"]], 10: 1} for row in rows}
    assert seen == wanted and len(rows) >= 6, (seen, wanted)


def check_neighbors(w):
    """ipNetToPhysicalTable."""
    index = indexes(w)
    rows, seen = at_rest(
        lambda: [{**row, "age": 0} for row in w.router.rows("neighbors")],
        lambda: w.master.table(f"{IP}.35"))
    wanted = {(index[row["interface"]], *address(row["address"])): {
        4: bytes.fromhex(row["mac"].replace(":", "")), 6: 4 if row["origin"] == "static" else 3,
        7: STATES[row["state"]], 8: 1} for row in rows}
    assert seen == wanted and len({row["origin"] for row in rows}) == 2, (seen, wanted)


def check_advertisements(w):
    """ipv6RouterAdvertTable: as configured; of p1 nothing is said."""
    row = w.master.table(f"{IP}.39")[(indexes(w)["p0"],)]
    assert row == {2: 1, 3: 600, 4: 200, 5: 1, 6: 2, 7: 1400, 8: 7000, 9: 0, 10: 61, 11: 1900,
                   12: 1}, row


def counted(ip, version, system):
    """The columns that count, of what bhctl says."""
    said = {name: both[version] for name, both in ip.items()}
    wanted = {column: said[name] % 2**32 for name, column in NARROW.items()}
    for name, (low, high) in WIDE.items():
        wanted[low], wanted[high] = said[name] % 2**32, said[name]
    wanted[26] = (said["out-fragmented"] + said["out-fragment-failed"]) % 2**32
    if not system:
        del wanted[22]
    return wanted


def check_counters(w):
    """ipSystemStatsTable and ipIfStatsTable."""
    index = indexes(w)

    def said():
        all_of_it = w.router.ctl("show", "counters", "-j")
        return all_of_it["ip"], {name: one["ip"] for name, one in all_of_it["interfaces"].items()}
    (whole, each), (system, single) = at_rest(
        said, lambda: (w.master.table(f"{IP}.31.1"), w.master.table(f"{IP}.31.3")))
    up = w.master.get("1.3.6.1.2.1.1.3.0")
    for row in [*system.values(), *single.values()]:
        assert 0 <= row.pop(46) <= up and row.pop(47) == 1
    assert system == {(n,): counted(whole, version, True)
                      for n, version in ((1, "ipv4"), (2, "ipv6"))}, (system, whole)
    assert single == {(n, index[name]): counted(ip, version, False) for name, ip in each.items()
                      for n, version in ((1, "ipv4"), (2, "ipv6"))}, (single, each)
    for version in ("ipv4", "ipv6"):
        for name in ("in-receives", "in-octets", "in-delivers", "in-no-routes", "out-requests",
                     "out-transmits", "out-octets"):
            assert whole[name][version] > 0, (name, version, whole)


def rows_of(route, index):
    """The rows of a route as bhctl tells it: {index: {column: value}}."""
    net = ipaddress.ip_network(route["prefix"])
    top = (*address(str(net.network_address)), net.prefixlen, 2, 0, 0)
    value = {8: TYPES[route["type"]], 9: PROTOCOLS[route["protocol"]], 11: 0,
             12: min(route["metric"], 2**31 - 1), 13: -1, 14: -1, 15: -1, 16: -1,
             17: 1 if route["active"] else 2}
    hops = route["next-hops"]
    if route["type"] == "unicast":
        return {(*top, *address(hop["address"], index[hop["interface"]])):
                {7: index[hop["interface"]], **value} for hop in hops}
    return {(*top, 0, 0): {7: index[hops[0]["interface"]] if hops else 0, **value}}


def check_routes(w):
    """inetCidrRouteTable, and how many."""
    index = indexes(w)
    routes, (seen, number) = at_rest(lambda: w.router.rows("routes"), lambda: (
        w.master.table(ROUTES), w.master.get(NUMBER)))
    wanted = {}
    for route in routes:
        wanted.update(rows_of(route, index))
    assert seen == wanted, [(x, seen.get(x), wanted.get(x)) for x in {*seen, *wanted}
                            if seen.get(x) != wanted.get(x)]
    assert number == len(routes) < len(wanted), (number, len(routes), sorted(wanted))
    assert {row[8] for row in wanted.values()} == {2, 3, 4, 5}
    return wanted


def check_all(w):
    """Every table of both MIBs."""
    check_interfaces(w)
    check_addresses(w)
    check_neighbors(w)
    check_advertisements(w)
    check_counters(w)
    check_routes(w)


def test_values_agree(t):
    """All values of IP-MIB and IP-FORWARD-MIB, in order; and with routing held dead too."""
    with Watched(t) as w:
        start(w)
        check_all(w)
        for root in (f"{IP}.34", f"{IP}.35", f"{IP}.31.3", ROUTES):
            names = list(w.master.walk(root))
            assert names == sorted(names) == list(w.master.walk(root, "snmpwalk")), root
        w.router.ctl("module", "stop", "routing")
        check_all(w)
        w.healthy()


def ask_absurdly(w):
    """GETBULKs that want all routes at once, and names that no route can have."""
    for repeat in (0, 1, 65535, 2147483647):
        w.master.tool("snmpbulkget", f"-Cr{repeat}", AGENT, *[ROUTES] * 20, check=False)
    for odd in ("0", "1.4", "1.4.256", "1.4.10.0.0.0.33", "1.3.10.0.0", "1.5.1.2.3.4.5", "2.4",
                "1.4.255.255.255.255.32.2.0.0.4294967295", "3.8", "2.16." + ".".join(["255"] * 40),
                ".".join(["4294967295"] * 100)):
        assert w.master.get(f"{ROUTES}.1.7.{odd}") is None, odd
        w.master.tool("snmpgetnext", AGENT, f"{ROUTES}.1.7.{odd}", check=False)
    w.healthy()


def test_bad_input(t):
    """Absurd questions are answered or refused, and cost the module nothing."""
    with Watched(t) as w:
        start(w)
        ask_absurdly(w)
        check_routes(w)
        w.healthy()


def test_core_dies(t):
    """Questions about routes while the core dies and returns are answered; then all is as before."""
    with Watched(t) as w:
        start(w)
        before = check_routes(w).keys()
        core = w.router.module_pid("core")
        os.kill(core, signal.SIGKILL)

        def back():
            w.master.tool("snmpbulkwalk", AGENT, f"{ROUTES}.1.17", check=False)
            rows = w.router.look("processes")
            return rows and {row["name"]: row["pid"] for row in rows}["core"] != core
        until(back, 60, "another core", 0.05)
        until(lambda: w.master.table(ROUTES).keys() == before, 60, "the same rows", 0.5)
        check_routes(w)
        check_neighbors(w)
        w.healthy()


def prefix(n):
    """Prefix number n: a /24 of 20/8 or 21/8."""
    return f"{20 + (n >> 16)}.{n >> 8 & 255}.{n & 255}.0/24"


def memory(pid):
    """Resident memory of a process, in KiB."""
    with open(f"/proc/{pid}/status", encoding="ascii") as text:
        return int(re.search(r"VmRSS:\s+(\d+)", text.read()).group(1))


def changing(w, done, turns):
    """Until done: each fifth route goes and comes back; a turn each time it has."""
    whole = w.config
    fewer = whole.copy()
    for n in range(0, MANY, ODD):
        fewer.delete_route(prefix(n))
    while not done.is_set():
        for plan in (fewer, whole):
            w.router.reload(plan)
            until(lambda wanted=len(plan.routes[False]): done.is_set() or records(w) == wanted, 120,
                  "the configuration in the info base", 0.2)
        turns.append(time.monotonic())


def records(w):
    """Static routes in the info base."""
    return {row["name"]: row["records"] for row in w.router.rows("tables")}["cfg_route4"]


def test_walk_while_routes_change(t):
    """A walk of 100,000 routes while each fifth comes and goes; nothing grows."""
    with Watched(t) as w:
        for n in range(MANY):
            w.config.route(prefix(n), f"10.0.1.{n % 4 + 10}")
        w.start()
        until(lambda: w.master.get(NUMBER) >= MANY, 120, "all routes", 0.5)
        pid = w.router.module_pid("snmp")
        done = threading.Event()
        turns = []
        changer = threading.Thread(target=changing, args=(w, done, turns))
        w.master.tool("snmpbulkwalk", "-Cr50", AGENT, f"{ROUTES}.1.7", timeout=300)
        before, began = memory(pid), time.monotonic()
        changer.start()
        walks = []
        try:
            while changer.is_alive() and (len(walks) < 3 or not turns):
                walks.append(list(w.master.walk(f"{ROUTES}.1.7", options=("-Cr50",))))
        finally:
            done.set()
            changer.join()
        took = (time.monotonic() - began) / len(walks)
        t.say(f"{len(walks)} walks of {len(walks[0])} to {len(walks[-1])} routes, {took:.1f} s each")
        for walk in walks:
            check_walk(walk)
        assert turns, "routes went and came back meanwhile"
        assert memory(pid) < before + 4096, (before, memory(pid))
        w.healthy()


def check_walk(names):
    """In order, none twice, all that stayed, and nothing that never was."""
    assert names == sorted(set(names)), "in order, each once"
    seen = {".".join(map(str, name[2:6])) + f"/{name[6]}" for name in names if name[0] == 1}
    stayed = {prefix(n) for n in range(MANY) if n % ODD}
    assert stayed <= seen, (len(stayed - seen), sorted(stayed - seen)[:5])
    strange = {text for text in seen if text.startswith(("20.", "21."))} - stayed - {
        prefix(n) for n in range(0, MANY, ODD)}
    assert not strange, sorted(strange)[:5]
