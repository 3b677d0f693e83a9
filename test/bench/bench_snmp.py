#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""What a walk of all routes by SNMP costs forwarding: snmpbulkwalk of a column of inetCidrRouteTable.

    bench_snmp.py [--routes N] [--pairs N] [--seconds N]

  walk_rows, walk_seconds, walk_rows_per_second  one whole walk, under traffic at a fixed rate
  walk_fixed_rate                                that rate, over the walk
  walk_lost_packets                              of those sent during it
  max_rate_alone, max_rate_walked                what the forwarding lcore does at most
  max_rate_change                                in percent, of alternated pairs

Forwarding has the last CPU; the rest of the router, snmpd and the walk share the first. The fixed rate
comes from a testpmd beside the forwarding lcore, which is paced by what it does besides; the
full ring is its brake, so what is lost is the router's. For the maximum the router itself has the source: a
net_pcap device that brings the same packets for ever, and a net_null device that takes them, so that
nothing but the forwarding lcore is on its CPU.
"""
import argparse
import os
import statistics
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "scenario"))
sys.path.insert(0, HERE)

import report  # noqa: E402
from bench_crash import Folder, prefix  # noqa: E402
from bhtest import packet, pcap  # noqa: E402
from bhtest.bed import base_config, flow, host4, host_mac  # noqa: E402
from bhtest.config import Config  # noqa: E402
from bhtest.process import Child, until  # noqa: E402
from bhtest.router import Router  # noqa: E402
from bhtest.snmp import AGENT, Master  # noqa: E402
from bhtest.testpmd import first_cpu, last_cpu  # noqa: E402
from bhtest.traffic import Link, Traffic, sockets  # noqa: E402

FLOWS = 1000
PACE = 14  # null ports beside the links
COLUMN = "1.3.6.1.2.1.4.24.7.1.7"  # inetCidrRouteIfIndex
NUMBER = "1.3.6.1.2.1.4.24.6.0"
PCAP_MAC = "02:70:63:61:70:00"  # of the first net_pcap device of a process


def plan(master):
    """The modules, and where their master is."""
    return {"modules": {"module": [{"name": "routing"}, {"name": "snmp"}]},
            "snmp": {"agentx-address": master.address}}


def destinations(n_routes):
    """Addresses spread over the routes."""
    step = max(1, n_routes // FLOWS)
    return [prefix(n * step % n_routes).replace(".0/24", ".9") for n in range(FLOWS)]


def add_routes(config, n_routes):
    """All of them by the hosts behind port 1."""
    for n in range(n_routes):
        config.route(prefix(n), host4(1, n % 4))


class Walk:
    """A walk of the column in the background, on the first CPU."""

    def __init__(self, master, folder):
        self.log = os.path.join(folder, "walk.txt")
        if os.path.exists(self.log):
            os.unlink(self.log)
        self.child = Child(["ip", "netns", "exec", master.space.name, "taskset", "-c",
                            str(first_cpu()), "sh", "-c",
                            f"exec snmpbulkwalk -v2c -c public -t 30 -r 3 -Cr50 -On -Oq {AGENT} "
                            f"{COLUMN} > {self.log}"], env=master.env)

    def rows(self):
        """Lines so far."""
        with open(self.log, "rb") as text:
            return sum(1 for _ in text)

    def kill(self):
        """Stop it where it is."""
        self.child.kill()


def start_master(folder):
    """A master agent on the first CPU."""
    master = Master(folder.workdir).start()
    os.sched_setaffinity(master.pid(), {first_cpu()})
    return master


def wait_registered(master, n_routes):
    """Until the module serves and knows of all routes."""
    until(lambda: (master.get(NUMBER) or 0) >= n_routes, 180, "all routes in inetCidrRouteNumber", 0.5)


def fixed_rate(options, bench):
    """A whole walk, and what was lost during it."""
    folder = Folder()
    master = start_master(folder)
    config = base_config(folder.workdir, 2, plan=plan(master))
    add_routes(config, options.routes)
    source = os.path.join(folder.workdir, "source.pcap")
    pcap.write(source, (flow(dst, seq=n) for n, dst in enumerate(destinations(options.routes))))
    paths = sockets(folder.workdir, 2)
    links = [Link(paths[0], 10, source, infinite=True), Link(paths[1], 12)]
    router = Router(config, folder.workdir)
    traffic = walk = None
    try:
        router.start(300)
        traffic = Traffic(links, os.path.join(folder.workdir, "testpmd.log"),
                          (first_cpu(), last_cpu()), pace=PACE).connect()
        wait_registered(master, options.routes)
        traffic.go()
        traffic.wait_received(1000)
        sent, began = traffic.totals()[0], time.monotonic()
        walk = Walk(master, folder.workdir)
        code = walk.child.wait(3600)
        took = time.monotonic() - began
        sent = traffic.totals()[0] - sent
        traffic.stop_sources()
        all_sent, received = traffic.drain()
        rows = walk.rows()
        assert code == 0 and rows >= options.routes, (code, rows)
        bench.value("walk_rows", "rows", rows)
        bench.value("walk_seconds", "s", took)
        bench.value("walk_rows_per_second", "rows/s", rows / took)
        bench.value("walk_fixed_rate", "packets/s", sent / took)
        bench.value("walk_lost_packets", "packets", sum(all_sent.values()) - sum(received.values()))
        traffic.halt()
        router.stop()
        traffic.close()
    finally:
        finish(router, traffic, walk, master, folder)


def finish(router, traffic, walk, master, folder):
    """End what is left."""
    for one in (walk, traffic, router):
        if one:
            one.kill()
    master.close()
    folder.remove()


def own_source(folder, n_routes, master):
    """A router whose port 0 brings packets for ever and whose port 1 takes them."""
    source = os.path.join(folder.workdir, "source.pcap")
    frames = (packet.flow(PCAP_MAC, host_mac(0), host4(0), dst, 1024, 4000, n)
              for n, dst in enumerate(destinations(n_routes)))
    pcap.write(source, frames)
    os.chmod(source, 0o644)
    config = Config(plan(master))
    config.interface("p0", f"net_pcap0,rx_pcap={source},infinite_rx=1", ["10.0.0.1/24"])
    config.interface("p1", "net_null1,no-rx=1", ["10.0.1.1/24"],
                     {host4(1, n): host_mac(1, n) for n in range(4)})
    add_routes(config, n_routes)
    return Router(config, folder.workdir)


def forwarded(router):
    """Packets that were sent by port 1."""
    return router.ctl("show", "counters", "-j")["interfaces"]["p1"]["tx-packets"]


def rate(router, seconds):
    """Packets a second, over that time."""
    count, began = forwarded(router), time.monotonic()
    time.sleep(seconds)
    count = forwarded(router) - count
    return count / (time.monotonic() - began)


def walked(router, master, folder, seconds):
    """The same while a walk goes on."""
    walk = Walk(master, folder.workdir)
    try:
        until(lambda: os.path.exists(walk.log) and walk.rows() > 0, 30, "rows of the walk", 0.05)
        found = rate(router, seconds)
        assert walk.child.alive(), "the walk ended before its time: more routes, or fewer seconds"
        return found
    finally:
        walk.kill()


def maximum(options, bench):
    """Alternated pairs of the maximum rate, with and without a walk."""
    folder = Folder()
    master = start_master(folder)
    router = own_source(folder, options.routes, master)
    alone, beside, change = [], [], []
    try:
        router.start(300)
        macs = {row["name"]: row["mac"] for row in router.rows("interfaces")}
        assert macs["p0"] == PCAP_MAC, macs
        wait_registered(master, options.routes)
        for pair in range(options.pairs):
            bench.progress(f"maximum rate: pair {pair + 1} of {options.pairs}")
            for turn in range(2):
                if (pair + turn) % 2 == 0:
                    alone.append(rate(router, options.seconds))
                else:
                    beside.append(walked(router, master, folder, options.seconds))
            change.append((beside[-1] / alone[-1] - 1) * 100)
        assert min(alone) > 0, "nothing is forwarded"
        bench.value("max_rate_alone", "packets/s", statistics.median(alone))
        bench.value("max_rate_walked", "packets/s", statistics.median(beside))
        bench.value("max_rate_change", "%", statistics.median(change))
        bench.value("max_rate_change_worst", "%", min(change))
        router.stop()
    finally:
        finish(router, None, None, master, folder)


def main():
    """Runs the whole."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name, default, what in (("routes", 500000, "routes"), ("pairs", 10, "pairs"),
                                ("seconds", 5, "seconds of each half of a pair")):
        parser.add_argument(f"--{name}", type=int, default=default,
                            help=f"{what} (default {default})")
    options = parser.parse_args()
    bench = report.Report("snmp")
    fixed_rate(options, bench)
    maximum(options, bench)
    bench.end()
    return 0


if __name__ == "__main__":
    sys.exit(main())
