#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""What a fault of a module costs: under traffic, every fault against every module, many times.

    bench_crash.py [--kills N] [--kills-many N] [--routes N] [--many N] [--core-kills N]

Figures of a module M with N routes (median of all its faults, but for the sums):
  M_N_lost_packets    of those sent during all its faults; what the stack itself sent (ND, MLD, ARP)
                      comes out too, and is taken off by the router's count of it
  M_N_detect_exit_ms  the fault, until the supervisor had seen the end
  M_N_detect_hang_ms  SIGSTOP, until the supervisor had seen the hang
  M_N_detect_loop_ms  an endless loop, the same
  M_N_serve_again_ms  the supervisor saw it, until the successor had recovered and answered
  M_N_replayed_ms     the same, until the end of its replay was swept
  M_N_stale_after_5s  records left stale 5 s after the last fault
and of the core: core_N_forward_again_ms, its SIGKILL until packets came out again.

Traffic: one testpmd sends and receives, and the full ring is its brake (bhtest/traffic.py), so that
what is lost is the router's. The faults come at random moments of idleness and of work.
"""
import argparse
import json
import os
import random
import shutil
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "scenario"))
sys.path.insert(0, HERE)

import report  # noqa: E402
from bhtest import pcap  # noqa: E402
from bhtest.bed import Bed, base_config, flow, host4, host6  # noqa: E402
from bhtest.process import Child  # noqa: E402
from bhtest.router import program  # noqa: E402
from bhtest.traffic import Link, sockets  # noqa: E402

FLOWS = 500
HEALTHY = "0.05"
FAULTS = ("kill", "stop", "loop", "segv", "alloc-abort", "request-exit")
AT_WORK = ("alloc-abort", "request-exit")
PLAN = {"modules": {"module": [{"name": "routing"}, {"name": "v6stack"}]},
        "host-stack": {"enabled": False}}  # no TAP in this machine's own namespace
WORK = [f"198.{18 + (n >> 8)}.{n & 255}.0/24" for n in range(512)]  # come and go


class Folder:
    """What a Bed wants of a test."""

    def __init__(self):
        self.workdir = tempfile.mkdtemp(prefix="bhc.")

    def log_file(self, path):
        """Logs are shown if something fails, by hand."""

    def remove(self):
        """Delete it."""
        shutil.rmtree(self.workdir, ignore_errors=True)


def prefix(n):
    """Destination number n of the routes: /24s from 20.0.0.0 on."""
    return f"{20 + (n >> 16)}.{n >> 8 & 255}.{n & 255}.0/24"


def config_of(folder, n_routes, **interface):
    """Two ports, n_routes of IPv4 and some of IPv6."""
    config = base_config(folder.workdir, 2, plan=PLAN, **interface)
    for n in range(n_routes):
        config.route(prefix(n), host4(1, n % 4))
    for n in range(FLOWS):
        config.route(f"2001:dba:{n:x}::/48", host6(1, n % 4))
    return config


def source(folder, n_routes):
    """A file of flows over the routes, both families."""
    path = os.path.join(folder.workdir, "source.pcap")
    step = max(1, n_routes // FLOWS)
    frames = []
    for n in range(FLOWS):
        frames.append(flow(prefix(n * step % n_routes).replace(".0/24", ".9"), seq=n))
        frames.append(flow(f"2001:dba:{n:x}::9", seq=n))
    pcap.write(path, iter(frames))
    return path


class Campaign:
    """A router under traffic and the faults of its modules."""

    def __init__(self, n_routes, seed):
        self.folder, self.random, self.n_routes = Folder(), random.Random(seed), n_routes
        config = config_of(self.folder, n_routes)
        paths = sockets(self.folder.workdir, 2)
        links = [Link(paths[0], 10, source(self.folder, n_routes), infinite=True),
                 Link(paths[1], 12)]
        self.bed = Bed(self.folder, config, links, options=["--healthy", HEALTHY])
        self.router = self.bed.router
        self.toggled = False

    def own_frames(self):
        """Frames that the stack has sent, since the core's start."""
        return self.router.ctl("show", "counters", "-j")["injected"]

    def give_work(self):
        """A change of configuration on its way through the modules."""
        config = self.bed.config
        self.toggled = not self.toggled
        for one in WORK:
            if self.toggled:
                config.route(one, host4(1))
            else:
                config.delete_route(one)
        self.router.reload(config)

    def fault(self, module, fault):
        """One fault and what followed: the probe's report, or None where it found no moment."""
        time.sleep(self.random.uniform(0.06, 0.3))  # a random moment, and longer than HEALTHY
        probe = Child([program("test", "bench", "crash_probe"),
                       os.path.join(self.router.rundir, "core.sock"), module, fault])
        try:
            probe.expect("armed", 20)
            if fault in AT_WORK:
                self.give_work()
            code = probe.wait(120)
        except BaseException:
            probe.kill()
            raise
        if code == 2:
            return None
        if code:
            raise AssertionError(f"{module}, {fault}: {probe.text}")
        return json.loads(probe.text.splitlines()[-1])

    def run(self, module, faults, kills, bench):
        """That many faults of a module, in turn; reports its figures."""
        name, reports, turn = f"{module}_{self.n_routes}", [], 0
        core, own = self.router.module_pid("core"), self.own_frames()
        self.bed.traffic.go()
        while len(reports) < kills:
            kind = faults[turn % len(faults)]
            bench.progress(f"{name}: {kind}, {len(reports)} of {kills}")
            one, turn = self.fault(module, kind), turn + 1
            if one is None:
                bench.progress(f"{name}: no moment for {kind}: left out from here on")
                faults = [other for other in faults if other != kind]
            else:
                reports.append(one)
        time.sleep(5)
        stale = sum(row["stale"] for row in self.router.rows("tables"))
        self.bed.traffic.stop_sources()
        sent, received = self.bed.traffic.drain()
        own = self.own_frames() - own
        assert self.router.module_pid("core") == core, "the core was restarted"
        self.figures(name, reports, bench)
        bench.value(f"{name}_faults", "faults", len(reports))
        bench.value(f"{name}_sent_packets", "packets", sum(sent.values()))
        bench.value(f"{name}_lost_packets", "packets", sum(sent.values()) + own - sum(received.values()))
        bench.value(f"{name}_stale_after_5s", "records", stale)
        self.bed.traffic.go([])

    def figures(self, name, reports, bench):
        """Medians over the reports."""
        many = self.n_routes >= 100000
        exits = [one["seen"] for one in reports if one["fault"] not in ("stop", "loop")]
        bench.target(f"{name}_detect_exit_ms", "ms", exits, 1)
        for fault, figure in (("stop", "detect_hang_ms"), ("loop", "detect_loop_ms")):
            hangs = [one["seen"] for one in reports if one["fault"] == fault]
            if hangs:
                bench.target(f"{name}_{figure}", "ms", hangs, 100)
        bench.target(f"{name}_serve_again_ms", "ms",
                     [one["ready"] - one["seen"] for one in reports], 1000 if many else 100)
        bench.target(f"{name}_replayed_ms", "ms",
                     [one["replayed"] - one["seen"] for one in reports], 3000)

    def close(self):
        """End all of it."""
        try:
            self.bed.close()
        finally:
            self.bed.kill()
            self.folder.remove()


def module_names(router):
    """The modules that this router runs."""
    return [row["name"] for row in router.rows("processes")
            if row["name"] not in ("core", "bulkhead", "supervisor")]


def modules(options, bench):
    """Faults of every module, with few and with many routes."""
    for n_routes, kills, faults in ((options.routes, options.kills, FAULTS),
                                    (options.many, options.kills_many, FAULTS[:4])):
        if kills == 0:
            continue
        bench.progress(f"{n_routes} routes: start")
        campaign = Campaign(n_routes, seed=n_routes)
        try:
            for module in module_names(campaign.router):
                campaign.run(module, faults, kills, bench)
        finally:
            campaign.close()


def main():
    """Runs the whole."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name, default, what in (("kills", 100, "faults of each module, with few routes"),
                                ("kills-many", 12, "the same with many"),
                                ("routes", 10000, "few routes"), ("many", 500000, "many routes"),
                                ("core-kills", 5, "SIGKILLs of the core")):
        parser.add_argument(f"--{name}", type=int, default=default,
                            help=f"{what} (default {default})")
    options = parser.parse_args()
    bench = report.Report("crash")
    modules(options, bench)
    if options.core_kills:
        import crash_core
        crash_core.run(options.core_kills, bench)
    bench.end()
    return 0


if __name__ == "__main__":
    sys.exit(main())
