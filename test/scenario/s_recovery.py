# SPDX-License-Identifier: BSD-3-Clause
"""The core is killed and forwards again by itself; modules are killed at once, and cost nothing.

The core's memif is a client here and testpmd's the server, which outlives the core. A polling
testpmd may die when its peer does (see bhtest.traffic), so traffic stands still at that moment.
"""
import json
import os
import signal
import time

from bhtest import pcap, verify
from bhtest.bed import Bed, base_config, flow, host4, host6, host_mac, port_mac
from bhtest.process import until
from bhtest.traffic import Link, sockets

ROUTES = 300
CORE_DEATHS = 2
DEATHS = 10
VICTIMS = ("config", "routing", "v6stack")
STACK_PLAN = {"modules": {"module": [{"name": "routing"}, {"name": "v6stack"}]},
              "host-stack": {"enabled": False}}  # no TAP beside the tests
TABLES = ("interfaces", "routes", "neighbors", "addresses")
PASSING = ("last-change", "statistics", "epoch", "generation", "speed")


def config_of(t, **more):
    """Two ports, ROUTES routes of each family over the second."""
    config = base_config(t.workdir, 2, **more)
    for n in range(ROUTES):
        config.route(f"20.{n >> 8}.{n & 255}.0/24", host4(1, n % 4))
        config.route(f"2001:dba:{n:x}::/48", host6(1, n % 4))
    return config


def frames():
    """A packet of each family for each route."""
    return [flow(dst, seq=seq) for seq, dst in enumerate(
        dst for n in range(ROUTES) for dst in (f"20.{n >> 8}.{n & 255}.9", f"2001:dba:{n:x}::9"))]


def tables(router):
    """What the tables hold, as text: all but counters, times and who wrote it."""
    def stripped(row):
        return {key: row[key] for key in row if key not in PASSING}
    return {name: sorted(json.dumps(stripped(row), sort_keys=True) for row in router.rows(name))
            for name in TABLES}


def whole(router):
    """Whether all tables of config and routing are complete, with nothing stale."""
    rows = router.look("tables")
    return rows is not None and all(row["complete"] and not row["stale"] for row in rows
                                    if row["owner"] in ("config", "routing"))


def pids(router):
    """{name: pid} of all processes that are ready."""
    return {row["name"]: row["pid"] for row in router.look("processes") or ()
            if row["state"] == "ready"}


def replaced(router, before, victims):
    """Whether all processes of before are ready, the victims under other pids, and all replayed."""
    now = pids(router)
    return now.keys() == before.keys() and all(now[name] != before[name] for name in victims) and \
        whole(router)


def answers(router):
    """Whether the core takes clients."""
    return router.ctl("show", "version", check=False).returncode == 0 and \
        router.ctl("show", "processes", check=False).returncode == 0


def forwards(bed):
    """Assert that every route forwards to its next hop."""
    sent = frames()
    got = bed.burst({0: sent}, len(sent))
    verify.check_all_forwarded(sent, got[1], port_mac(1), lambda frame: host_mac(
        1, verify.p.marked(frame) // 2 % 4))


def core_again(bed, before):
    """Wait until a new core has all that the one before had, and the modules of before."""
    router, want = bed.router, set(bed.traffic.memifs.values())
    until(lambda: answers(router) and pids(router).get("core") not in (None, before["core"]), 30,
          "another core")
    until(lambda: want <= bed.traffic.pmd.links_up(), 30, "links up")
    until(lambda: replaced(router, before, ("core",)), 30, "all replayed")


def test_core_killed(t):
    """SIGKILL of the core: modules live on, replay, and it forwards again, tables as before."""
    folder = sockets(t.workdir, 2)
    links = [Link(path, 12 if n else 10, os.path.join(t.workdir, f"send{n}.pcap"),
                  capture=os.path.join(t.workdir, f"got{n}.pcap"), role="server")
             for n, path in enumerate(folder)]
    for link in links:
        pcap.write(link.send, ())
    with Bed(t, config_of(t, role="client"), links) as bed:
        forwards(bed)
        before, processes = tables(bed.router), pids(bed.router)
        for n in range(CORE_DEATHS):
            bed.traffic.halt()
            start = time.monotonic()
            os.kill(processes["core"], signal.SIGKILL)
            core_again(bed, processes)
            t.say(f"replayed and links up after {time.monotonic() - start:.3f} s, as seen here")
            forwards(bed)
            now = pids(bed.router)
            assert {name: now[name] for name in ("config", "routing")} == \
                {name: processes[name] for name in ("config", "routing")}, "modules were restarted"
            assert bed.router.process("core")["restarts"] == n + 1
            until(lambda: tables(bed.router) == before, 20, "tables as before")
            processes = now


def test_core_and_modules_killed(t):
    """The core and modules with it: who died starts from the file, who lives replays."""
    with Bed(t, config_of(t)) as bed:
        bed.traffic.halt()
        before = tables(bed.router)
        for victims in (("routing",), ("config",), ("config", "routing")):
            processes = pids(bed.router)
            for name in ("core", *victims):
                os.kill(processes[name], signal.SIGKILL)
            until(lambda: answers(bed.router) and
                  replaced(bed.router, processes, ("core", *victims)), 30,
                  f"{victims} and the core again", 0.05)
            now = tables(bed.router)
            for name in ("neighbors", "addresses"):
                assert now[name] == before[name], name


def open_running_bed(t):
    """A router with a stack, and traffic of both families from 0 to 1 that goes on."""
    source = os.path.join(t.workdir, "source.pcap")
    pcap.write(source, frames())
    paths = sockets(t.workdir, 2)
    return Bed(t, config_of(t, plan=STACK_PLAN),
               [Link(paths[0], 10, source, infinite=True), Link(paths[1], 12)],
               options=["--healthy", "0.05"])  # so many deaths would hold the modules


def own_frames(router):
    """Frames that the stack has sent."""
    return router.ctl("show", "counters", "-j")["injected"]


def settled(router):
    """Whether the stack has tried its addresses, the link-local ones too."""
    rows = router.rows("addresses")
    return sum(row["address"].startswith("fe80:") for row in rows) == 2 and \
        all(row["state"] == "preferred" for row in rows)


def nothing_lost(t, bed, drops, own):
    """End the traffic; every packet came back, besides what the stack itself sent."""
    bed.traffic.wait_received(20000)
    bed.traffic.stop_sources()
    sent, received = bed.traffic.drain()
    lost = sum(sent.values()) + own_frames(bed.router) - own - sum(received.values())
    t.say(f"{sent[0]} sent, {lost} lost")
    assert lost == 0, f"sent {sent}, received {received}"
    assert bed.router.drops() == drops, "packets dropped"


def test_modules_killed_under_traffic(t):
    """config, routing and v6stack together, DEATHS times: tables equal, no packet lost or dropped."""
    with open_running_bed(t) as bed:
        until(lambda: settled(bed.router), 30, "addresses tried", 0.05)
        before, drops, own = tables(bed.router), bed.router.drops(), own_frames(bed.router)
        bed.traffic.go()
        for n in range(DEATHS):
            bed.traffic.wait_received(20000)
            processes = pids(bed.router)
            for name in VICTIMS:
                os.kill(processes[name], signal.SIGKILL)
            until(lambda: replaced(bed.router, processes, VICTIMS), 30, f"back after death {n + 1}")
            until(lambda: tables(bed.router) == before, 20, "tables as before")
        nothing_lost(t, bed, drops, own)


def test_supervisor_killed_and_upgrades(t):
    """The supervisor under traffic: killed, its successor adopts all, mends every victim, and
    upgrades every module; tables equal, no packet lost or dropped."""
    with open_running_bed(t) as bed:
        until(lambda: settled(bed.router), 30, "addresses tried", 0.05)
        before, drops, own = tables(bed.router), bed.router.drops(), own_frames(bed.router)
        processes = pids(bed.router)
        bed.traffic.go()
        bed.traffic.wait_received(20000)
        bed.router.child.kill()
        bed.traffic.wait_received(20000)
        bed.router.start()
        assert pids(bed.router) == processes, "a process is another"
        assert all(row["adopted"] for row in bed.router.rows("processes"))
        for name in VICTIMS:
            processes = pids(bed.router)
            os.kill(processes[name], signal.SIGKILL)
            until(lambda: replaced(bed.router, processes, (name,)), 30, f"{name} is back")
        for name in VICTIMS:
            processes = pids(bed.router)
            t.say(bed.router.ctl("module", "upgrade", name).stdout.strip())
            until(lambda: replaced(bed.router, processes, (name,)), 30, f"{name} is upgraded")
            until(lambda: tables(bed.router) == before, 20, "tables as before")
        nothing_lost(t, bed, drops, own)


def test_config_recovers(t):
    """A restarted config reads no file that its tables hold already, and every one that they do not."""
    with Bed(t, config_of(t)) as bed:
        def restart():
            pid = pids(bed.router)["config"]
            size = os.path.getsize(bed.router.log)
            os.kill(pid, signal.SIGKILL)
            until(lambda: pids(bed.router).get("config", pid) != pid and whole(bed.router), 20,
                  "config back")
            with open(bed.router.log, encoding="utf-8") as log:
                log.seek(size)
                return "as the tables hold them" in log.read()
        assert restart(), "the file was read again"
        bed.config.route("198.51.100.0/24", host4(1)).write(bed.router.file)
        assert not restart(), "the file has changed"
        until(lambda: "198.51.100.0/24" in bed.router.prefixes(), 20, "new route", 0.1)
        assert restart(), "the changed file was read again"
        assert "198.51.100.0/24" in bed.router.prefixes()
