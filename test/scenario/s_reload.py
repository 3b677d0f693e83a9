# SPDX-License-Identifier: BSD-3-Clause
"""SIGHUP with another file: each kind of change arrives, and what is not changed goes on."""
import os

from bhtest import pcap, verify
from bhtest.bed import Bed, base_config, flow, host4, host6, host_mac, port_mac
from bhtest.process import until
from bhtest.traffic import Link, sockets

OTHER_MAC = "02:bb:00:00:99:99"


def open_bed(t):
    """Three ports; a route of each family by the second and by the third."""
    config = base_config(t.workdir, 3)
    for n in (1, 2):
        config.route(f"20.{n}.0.0/16", host4(n)).route(f"2001:dba:{n}::/48", host6(n))
    return Bed(t, config)


def frames_to(n, count=8, size=None):
    """Frames of both families that port n's routes take."""
    return [flow(dst, size, seq=seq) for seq, dst in
            enumerate([f"20.{n}.2.3", f"2001:dba:{n}::9"] * (count // 2))]


def forwards(bed, n, mac=None, hop=None, frames=None):
    """Assert that frames to the routes of port n leave there, from mac to hop."""
    frames = frames or frames_to(n)
    got = bed.burst({0: frames}, len(frames))
    verify.check_all_forwarded(frames, got[n], mac or port_mac(n), hop or host_mac(n))


def drops(bed, frames):
    """Send frames, none of which arrives: {counter: packets} that this raised."""
    before = bed.router.drops()
    got = bed.burst({0: frames})
    assert not any(got.values()), "frames came through"
    after = bed.router.drops()
    return {name: after[name] - before.get(name, 0) for name in after
            if after[name] != before.get(name, 0)}


def interface(bed, name):
    """The row of an interface, or None."""
    return next((row for row in bed.router.rows("interfaces") if row["name"] == name), None)


def applied(bed, config, under_traffic=False):
    """Reload this configuration and wait until the module says that it has applied it. testpmd
    stands still meanwhile: net_memif of DPDK 22.11 may end a process that polls while its peer goes."""
    if not under_traffic:
        bed.traffic.halt()
    start = len(bed.router.child.text)
    bed.router.reload(config)
    bed.router.child.expect(r"bulkhead-config: apply: ", 20, start)


def restored(bed, name=None):
    """The bed's own configuration again; if a port was restarted, with its peer connected."""
    applied(bed, bed.config)
    if name:
        n = int(name[1:])
        until(lambda: (interface(bed, name) or {}).get("oper-status") in ("up", "down"), 10,
              f"{name} present", 0.1)

        def connected():
            if interface(bed, name)["oper-status"] == "up":
                return True
            bed.traffic.pmd.restart_port(bed.traffic.memifs[n])
            return False
        bed.traffic.halt()
        until(connected, 20, f"{name} up", 0.5)
    bed.router.settled(bed.config.interfaces, bed.config.prefixes())
    until(lambda: not [row for row in bed.router.rows("routes") if row["stale"]], 10, "swept", 0.1)


def family(config, name, six=False):
    """The container of one family of an interface."""
    return config.interfaces[name]["ietf-ip:ipv6" if six else "ietf-ip:ipv4"]


def test_interface_removed_and_back(t, bed):
    """Its routes go with it, the others stay; back, it has its index and forwards."""
    index = interface(bed, "p2")["ifindex"]
    for _ in range(3):
        config = bed.config.copy()
        del config.interfaces["p2"]
        for prefix in ("20.2.0.0/16", "2001:dba:2::/48"):
            config.delete_route(prefix)
        applied(bed, config)
        until(lambda: not interface(bed, "p2"), 10, "p2 gone", 0.1)
        until(lambda: "10.0.2.0/24" not in bed.router.prefixes(), 10, "routes gone", 0.1)
        forwards(bed, 1)
        assert drops(bed, frames_to(2)) == {"ip4_no_route": 4, "ip6_no_route": 4}
        restored(bed, "p2")
        assert interface(bed, "p2")["ifindex"] == index
        forwards(bed, 2)


def test_bad_file_changes_nothing(t, bed):
    """A file that is not valid, not there or not whole: told, and all goes on."""
    before, start = bed.router.rows("routes"), len(bed.router.child.text)
    bad = bed.config.copy()
    family(bad, "p1")["address"][0]["ip"] = "10.0.2.1"
    bed.router.reload(bad)
    bed.router.child.expect(r"10\.0\.2\.1.*\n(.*\n)*.*was not loaded", 20, start)
    bed.router.config = bed.config
    for spoil in (lambda: os.truncate(bed.router.file, 100), lambda: os.unlink(bed.router.file)):
        start = len(bed.router.child.text)
        spoil()
        bed.router.child.signal(1)
        bed.router.child.expect(r"was not loaded|cannot read", 20, start)
    assert bed.router.rows("routes") == before, "the routes have changed"
    forwards(bed, 1)
    restored(bed)


def test_neighbor(t, bed):
    """Another MAC address of the next hop, then none, then the first again."""
    config = bed.config.copy()
    entries = family(config, "p1")["neighbor"], family(config, "p1", True)["neighbor"]
    for entry in entries:
        entry[0]["link-layer-address"] = OTHER_MAC
    applied(bed, config)
    forwards(bed, 1, hop=OTHER_MAC)
    for entry in entries:
        del entry[0]
    applied(bed, config)
    assert sum(drops(bed, frames_to(1)).values()) == 8
    forwards(bed, 2)
    restored(bed)
    forwards(bed, 1)


def test_address(t, bed):
    """An address goes and with it what is reached by it; a new one brings its own."""
    config = bed.config.copy()
    family(config, "p1")["address"][0].update({"ip": "10.9.1.1"})
    family(config, "p1")["neighbor"].append({"ip": "10.9.1.2", "link-layer-address": OTHER_MAC})
    config.route("20.1.0.0/16", "10.9.1.2")
    applied(bed, config)
    until(lambda: "10.0.1.0/24" not in bed.router.prefixes(), 10, "old subnet gone", 0.1)
    frames = [flow("20.1.2.3", seq=0), flow("10.9.1.2", seq=1)]
    forwards(bed, 1, hop=OTHER_MAC, frames=frames)
    assert drops(bed, [flow("10.0.1.2")]) == {"ip4_no_route": 1}
    restored(bed)
    forwards(bed, 1)


def test_forwarding_flag(t, bed):
    """forwarding false on the way in: transit of that family is dropped and counted."""
    config = bed.config.copy()
    family(config, "p0")["forwarding"] = False
    applied(bed, config)
    counted = drops(bed, [flow("20.1.2.3", seq=n) for n in range(5)])
    assert list(counted.values()) == [5], counted
    t.say(f"counted as {list(counted)[0]}")
    forwards(bed, 1, frames=[flow("2001:dba:1::9", seq=n) for n in range(5)])
    restored(bed)
    forwards(bed, 1)


def test_disabled(t, bed):
    """enabled false: down, routes inactive; enabled again, the link is up at once."""
    config = bed.config.copy()
    config.interfaces["p1"]["enabled"] = False
    applied(bed, config)
    until(lambda: interface(bed, "p1")["oper-status"] == "down", 10, "p1 down", 0.1)
    until(lambda: "20.1.0.0/16" not in bed.router.prefixes(), 10, "route inactive", 0.1)
    forwards(bed, 2)
    restored(bed)
    forwards(bed, 1)


def test_ip_mtu(t, bed):
    """A smaller mtu of a family: longer packets are dropped, until it is taken back."""
    config = bed.config.copy()
    family(config, "p1")["mtu"] = 1000
    family(config, "p1", True)["mtu"] = 1280
    applied(bed, config)
    fits = [flow("20.1.2.3", 1014, seq=0), flow("2001:dba:1::9", 1294, seq=1)]
    forwards(bed, 1, frames=fits)
    longer = [flow("20.1.2.3", 1015, df=True), flow("2001:dba:1::9", 1295)]
    assert sum(drops(bed, longer).values()) == 2
    restored(bed)
    forwards(bed, 1, frames=frames_to(1, size=1500))


def test_mac_of_port(t, bed):
    """Another MAC address of a port: the port starts anew, frames leave from it."""
    config = bed.config.copy()
    config.interfaces["p1"]["bulkhead:dpdk"]["mac-address"] = OTHER_MAC
    ours = bed.config
    bed.config = config
    restored(bed, "p1")
    assert interface(bed, "p1")["mac"] == OTHER_MAC, interface(bed, "p1")
    forwards(bed, 1, mac=OTHER_MAC)
    bed.config = ours
    restored(bed, "p1")
    forwards(bed, 1)


def test_devices_change_hands(t, bed):
    """Two interfaces swap their devices; one is renamed. Each takes what the other lets go."""
    config = bed.config.copy()
    one, two = (config.interfaces[name]["bulkhead:dpdk"] for name in ("p1", "p2"))
    one["device"], two["device"] = two["device"], one["device"]
    applied(bed, config)
    bed.traffic.halt()

    def connected(names):
        pmd, memifs = bed.traffic.pmd, bed.traffic.memifs
        for port in {memifs[1], memifs[2]} - pmd.links_up():
            pmd.restart_port(port)
        return names <= bed.router.links_up()
    until(lambda: connected({"p1", "p2"}), 30, "swapped ports up", 1)
    frames = frames_to(1)
    got = bed.burst({0: frames}, len(frames))
    verify.check_all_forwarded(frames, got[2], port_mac(1), host_mac(1))
    config = bed.config.copy()
    config.interfaces["q2"] = {**config.interfaces.pop("p2"), "name": "q2"}
    applied(bed, config)
    bed.traffic.halt()
    until(lambda: connected({"p1", "q2"}) and not interface(bed, "p2"), 30, "renamed", 1)
    bed.router.settled({"p0", "p1", "q2"}, config.prefixes())
    forwards(bed, 2)
    restored(bed, "p2")
    forwards(bed, 2)


def test_queues_and_descriptors(t, bed):
    """A port with other descriptors starts anew; the other ports do not notice."""
    config = bed.config.copy()
    config.interfaces["p2"]["bulkhead:dpdk"].update({"rx-descriptors": 512, "tx-descriptors": 512})
    applied(bed, config)
    forwards(bed, 1)
    restored(bed, "p2")
    forwards(bed, 2)


def test_many_reloads(t, bed):
    """Signals faster than they are served: the last file counts."""
    config = bed.config.copy()
    for n in range(40):
        bed.router.reload(config.route(f"198.51.{n}.0/24", host4(1)))
    until(lambda: config.prefixes() <= bed.router.prefixes(), 20, "all routes", 0.1)
    forwards(bed, 1)
    for _ in range(5):
        bed.router.reload(config)
        bed.router.reload(bed.config)
    until(lambda: not [p for p in bed.router.prefixes() if p.startswith("198.51.")], 20, "gone", 0.1)
    restored(bed)


def test_fixed_at_start(t, bed):
    """Memory, lcores and modules are taken at the start: a change is told, the rest applied."""
    config = bed.config.copy()
    config.plan = {"memory": {"size": 300}}
    config.route("198.51.100.0/24", host4(1))
    start = len(bed.router.child.text)
    bed.router.reload(config)
    bed.router.child.expect(r"take effect at the next start", 20, start)
    until(lambda: "198.51.100.0/24" in bed.router.prefixes(), 10, "route", 0.1)
    restored(bed)


def test_others_lose_nothing(t):
    """Traffic from p0 to p1 while p2 goes, comes, and starts anew: every packet arrives."""
    config = base_config(t.workdir, 3).route("20.1.0.0/16", host4(1))
    source = os.path.join(t.workdir, "source.pcap")
    pcap.write(source, (flow(f"20.1.{n}.1", seq=n) for n in range(200)))
    paths = sockets(t.workdir, 3)
    with Bed(t, config, [Link(paths[0], 10, source, infinite=True), Link(paths[1], 12),
                         Link(paths[2], 10)]) as bed:
        without, other = config.copy(), config.copy()
        del without.interfaces["p2"]
        other.interfaces["p2"]["bulkhead:dpdk"]["mac-address"] = OTHER_MAC
        bed.traffic.go()
        for changed in (without, config, other, config) * 3:
            bed.traffic.wait_received(20000)
            applied(bed, changed, under_traffic=True)
            until(lambda: (changed is without) != bool(interface(bed, "p2")), 10, "p2", 0.1)
        bed.traffic.wait_received(20000)
        bed.traffic.stop_sources()
        sent, received = bed.traffic.drain()
        t.say(f"{sent[0]} sent, {sent[0] - received[1]} lost")
        assert sent[0] == received[1], f"sent {sent[0]}, received {received[1]}"
