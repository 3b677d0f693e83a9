# SPDX-License-Identifier: BSD-3-Clause
"""Hostile clients against the real router: it forwards, serves the good client, and keeps nothing.

Each test runs attackers of test/hostile beside one good client, whose every answer is compared,
and beside traffic of which nothing may be lost; then the core must have what it had before.
"""
import json
import os
import time

from bhtest import pcap
from bhtest.bed import Bed, base_config, flow, host4, host6
from bhtest.process import Child, run, until
from bhtest.router import program
from bhtest.traffic import Link, sockets

ROUTES = 200
CORRUPTIONS = 1000000
KILLS = 10000
LIMITS = {"test_corruptions_and_kills": 600}
RESIDENT_SLACK = 4 << 20  # pages that a first use of something touches
LOG_BYTES_PER_S = 6000    # eight kinds of lines, each within its limit
BACK = ("channels", "channel-bytes", "sockets", "watches", "core-descriptors", "maps")
CPU = str(min(os.sched_getaffinity(0)))  # the forwarding lcore has the other one


class HostileBed(Bed):
    """The usual bed, ROUTES routes of each family and endless traffic from 0 to 1."""

    def __init__(self, t):
        config = base_config(t.workdir, 2)
        for n in range(ROUTES):
            config.route(f"20.0.{n}.0/24", host4(1, n % 4))
            config.route(f"2001:dba:{n:x}::/48", host6(1, n % 4))
        source = os.path.join(t.workdir, "source.pcap")
        pcap.write(source, (flow(dst, seq=n) for n in range(ROUTES)
                            for dst in (f"20.0.{n}.9", f"2001:dba:{n:x}::9")))
        paths = sockets(t.workdir, 2)
        super().__init__(t, config, [Link(paths[0], 10, source, infinite=True),
                                     Link(paths[1], 12)])
        self.core = self.router.module_pid("core")
        self.good = None

    def hostile(self, mode, *options):
        """Start an attacker on the control CPU; it is at work when this returns."""
        argv = ["taskset", "-c", CPU, program("test", "hostile", "hostile"), mode, "-s",
                os.path.join(self.router.rundir, "core.sock"), *map(str, options)]
        child = Child(argv, os.path.join(self.t.workdir, f"{mode}.log"))
        child.expect("begins", 60)
        return child

    def memory(self):
        """What clients take of the core, without this look at it."""
        memory = self.router.ctl("show", "memory", "-j")["memory"]
        with open(f"/proc/{self.core}/maps", encoding="ascii") as maps:
            memory["maps"] = sum(1 for _ in maps)
        return memory

    def begin(self):
        """Traffic on, what the core has then, and the good client."""
        self.drops = self.router.drops()
        self.traffic.go()
        self.traffic.wait_received(100000)  # its rings are in memory now
        self.before = self.least_memory()
        self.good = self.hostile("good")
        self.good.expect("good: ready", 20)
        self.log_size, self.since = os.path.getsize(self.router.log), time.monotonic()

    def least_memory(self):
        """The figures of the emptiest of some looks: departures are heard of a moment later."""
        looks = [self.memory()]
        for _ in range(9):
            time.sleep(0.1)
            looks.append(self.memory())
        return {key: min(look[key] for look in looks) for key in looks[0]}

    def memory_again(self):
        """The figures when they are back to those of before, or of the last look within 20 s."""
        end = time.monotonic() + 20
        while True:
            now = self.memory()
            if all(now[key] <= self.before[key] for key in BACK) or time.monotonic() > end:
                return now
            time.sleep(0.1)

    def end(self):
        """The good client's report, the core's figures, the traffic's counts: all as they must be."""
        seconds = time.monotonic() - self.since
        self.good.signal(15)
        code = self.good.wait(20)
        good = report(self.good)
        self.t.say(f"good client: {good['answers']} answers, {good['wrong']} wrong, "
                   f"{good['errors']} errors, worst {good['worst-us'] / 1000:.1f} ms")
        assert code == 0 and not good["wrong"] and not good["errors"], good
        assert good["answers"] > 100, good
        self.check_core()
        self.check_log(seconds)
        self.check_traffic()

    def check_core(self):
        """The same core with the channels, sockets, descriptors, maps and memory of before."""
        processes = {row["name"]: row for row in self.router.rows("processes")}
        assert processes["core"]["pid"] == self.core, "another core"
        assert all(row["restarts"] == 0 for row in processes.values()), processes
        now = self.memory_again()
        for key in (*BACK, "core-resident-bytes"):
            self.t.say(f"{key}: {self.before[key]} before, {now[key]} after")
        self.t.say(f"channels made {now['channels-made'] - self.before['channels-made']}, contacts "
                   f"refused {now['refused-contacts'] - self.before['refused-contacts']}")
        for key in BACK:
            assert now[key] <= self.before[key], f"{key}: {self.before} -> {now}"
        grown = now["core-resident-bytes"] - self.before["core-resident-bytes"]
        assert grown <= RESIDENT_SLACK, f"the core has grown by {grown} bytes"

    def check_log(self, seconds):
        """The log has grown no faster than its limits allow."""
        grown = os.path.getsize(self.router.log) - self.log_size
        self.t.say(f"log: {grown} bytes in {seconds:.0f} s")
        assert grown <= 20000 + LOG_BYTES_PER_S * seconds, f"the log grew by {grown} bytes"

    def check_traffic(self):
        """Every packet sent came back."""
        self.traffic.stop_sources()
        sent, received = self.traffic.drain()
        self.t.say(f"traffic: {sent[0]} packets sent, {sent[0] - received[1]} lost")
        assert sent[0] > 0 and sent[0] == received[1], f"sent {sent[0]}, received {received[1]}"
        assert self.router.drops() == self.drops, "packets dropped"


def report(child):
    """The line of JSON that ends a mode's output."""
    lines = [line for line in child.text.splitlines() if line.startswith("{")]
    assert lines, f"no report: {child.text[-500:]}"
    return json.loads(lines[-1])


def finish(child, timeout):
    """Wait for an attacker's end; its report. An exit code other than 0: something was let."""
    code = child.wait(timeout)
    assert code == 0, f"{' '.join(child.argv)}: exit code {code}: {child.text[-1500:]}"
    return report(child)


def open_bed(t):
    """One router for all tests."""
    return HostileBed(t)


def test_corruptions_and_kills(t, bed):
    """CORRUPTIONS of channels and KILLS of clients, beside first contacts that go wrong."""
    bed.begin()
    began = time.monotonic()
    corrupt = [bed.hostile("corrupt", "-n", CORRUPTIONS // 2, "-r", seed) for seed in (1, 2)]
    kill = bed.hostile("kill", "-n", KILLS, "-w", 8, "-r", 3)
    others = [bed.hostile("halfopen", "-w", 200), bed.hostile("ring", "-w", 4),
              bed.hostile("norep", "-w", 8)]
    reports = [finish(child, 200) for child in (*corrupt, kill)]
    seconds = time.monotonic() - began
    for child in others:
        child.signal(15)
    reports += [finish(child, 20) for child in others]
    for one in reports:
        t.say(json.dumps(one))
    t.say(f"took {seconds:.0f} s")
    assert sum(one["corruptions"] for one in reports[:2]) >= CORRUPTIONS
    assert reports[2]["killed"] >= KILLS
    assert all(count > 0 for count in reports[2].values() if isinstance(count, int)) or \
        reports[2]["refused"] == 0, reports[2]
    bed.end()


def test_crowds(t, bed):
    """Floods of sockets and contacts, replies never taken, bells rung without end."""
    bed.begin()
    for mode, width in (("flood", 1), ("contact", 1), ("norep", 200), ("ring", 64),
                        ("halfopen", 1000)):
        t.say(json.dumps(finish(bed.hostile(mode, "-t", 3000, "-w", width), 40)))
    bed.end()


def test_passed_descriptors(t, bed):
    """What the core passes cannot be turned against it."""
    bed.begin()
    result = finish(bed.hostile("fds", "-t", 4000), 40)
    t.say(json.dumps(result))
    assert result["let"] == 0 and result["must-fail"] > 1000
    bed.end()


def test_foreign_tables(t, bed):
    """Who writes a table that is not its own is refused and named in the log, in few lines."""
    bed.begin()
    writer = bed.hostile("write", "-n", 20000)
    result = finish(writer, 40)
    t.say(json.dumps(result))
    assert result["refused"] == 20000 and result["other"] == 0
    with open(bed.router.log, encoding="utf-8", errors="replace") as log:
        lines = [line for line in log if "writer (pid" in line and "may not write table" in line]
    assert lines and len(lines) < 100, f"{len(lines)} lines of the refused writer"
    t.say(lines[0].strip())
    bed.end()


def test_newcomers(t, bed):
    """While all of this goes on, a new client gets in, or is told why not, in bounded time."""
    bed.begin()
    attackers = [bed.hostile(mode, "-w", width) for mode, width in
                 (("corrupt", 1), ("halfopen", 300), ("contact", 1), ("norep", 50), ("ring", 8))]
    worst = count = 0
    end = time.monotonic() + 5
    while time.monotonic() < end:
        began = time.monotonic()
        assert run([program("app", "ctl", "bhctl"), "show", "version"], 20,
                   env=bed.router.env).returncode == 0
        worst, count = max(worst, time.monotonic() - began), count + 1
    t.say(f"bhctl took {worst * 1000:.0f} ms at worst of {count}")
    assert worst < 5, "a newcomer waited"
    for child in attackers:
        child.signal(15)
    for child in attackers:
        finish(child, 20)
    bed.end()
    until(lambda: bed.router.process("routing")["state"] == "ready", 5, "routing ready")
