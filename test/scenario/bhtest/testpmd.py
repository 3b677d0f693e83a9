# SPDX-License-Identifier: BSD-3-Clause
"""One dpdk-testpmd process, driven by its command line.

The output is a pseudo terminal: on a pipe the prompt (written raw) would overtake the text (stdio).
Ports are numbered in the order in which the vdevs are given. --no-flush-rx is needed: without it
`start` reads and drops what a finite pcap source holds. EAL leaves a folder of its file prefix in
the runtime directory, which therefore is that of the log file.
"""
import itertools
import os
import re

from bhtest.process import Child, Timeout

PROMPT = "testpmd> "
SERIAL = itertools.count()
RETRIES = 1000000000
STATS = re.compile(r"statistics for port (\d+) (.*?)(?=statistics for port|\Z)", re.S)
SUMMARY = re.compile(r"^(\d+)\s+[0-9A-F:]{17}\s.*\s(up|down)\s", re.M)
FIELD = re.compile(r"([RT]X-[a-z]+):\s*(\d+)")


def first_cpu():
    """Where the router's lcores sleep: traffic is made here by default."""
    return min(os.sched_getaffinity(0))


def last_cpu():
    """Where the router's (last) forwarding lcore polls; the same if there is but one CPU."""
    return max(os.sched_getaffinity(0))


def lcores(cpus):
    """EAL --lcores for lcore 0 (command line) and 1... (forwarding) on the given CPUs."""
    return ",".join(f"{n}@{cpu}" for n, cpu in enumerate(cpus))


class Testpmd:
    """dpdk-testpmd on the vdevs given, all in one forwarding lcore unless more CPUs are given.

    cpus: that of the command line lcore, then those of the forwarding lcores. A CPU may repeat;
    the default is the first CPU for both. With BH_NO_HUGE set, no hugepages are used.
    """

    def __init__(self, vdevs, log, cpus=None, mem=128, mbufs=16384, options=()):
        self.vdevs, self.mark, self.forwarding = list(vdevs), 0, False
        cpus = cpus or (first_cpu(), first_cpu())
        argv = ["dpdk-testpmd", "--lcores", lcores(cpus), "--no-telemetry", "--no-pci",
                "--file-prefix", f"bht{os.getpid()}n{next(SERIAL)}", "-m", str(mem)]
        if os.environ.get("BH_NO_HUGE"):
            argv += ["--no-huge", "--no-shconf"]  # EAL refuses --in-memory then
        else:
            argv.append("--in-memory")
        for vdev in self.vdevs:
            argv += ["--vdev", vdev]
        argv += ["--", "-i", f"--nb-cores={len(cpus) - 1}", "--no-flush-rx",
                 f"--total-num-mbufs={mbufs}", *options]
        env = {**os.environ, "RUNTIME_DIRECTORY": os.path.dirname(os.path.abspath(log))}
        self.child = Child(argv, log=log, terminal=True, env=env)

    def ready(self, timeout=30):
        """Wait for the first prompt: every port is started, every link has been waited for."""
        text = self._prompt(timeout)
        if text.count("Configuring Port") != len(self.vdevs):
            raise AssertionError(f"testpmd has not all of {self.vdevs}:\n{text[-1500:]}")
        return self

    def _prompt(self, timeout):
        found = self.child.expect(re.escape(PROMPT), timeout, self.mark)
        text = self.child.text[self.mark:found.start()]
        self.mark = found.end()
        return text

    def command(self, line, timeout=30):
        """Give one command and return what it printed."""
        self.child.send(line)
        text = self._prompt(timeout).replace("\r", "")
        if "Bad arguments" in text or "Command not found" in text:
            raise AssertionError(f"testpmd: {line}: {text}")
        return text

    def retry(self, mode="io"):
        """Forward in mode, and wait for ever, not 64 times, when the output ring is full."""
        self.command(f"set fwd {mode} retry")
        self.command(f"set burst tx delay 1 retry {RETRIES}")

    def portlist(self, ports):
        """Forward only these ports, in this order. Forwarding must be stopped."""
        self.command("set portlist " + ",".join(map(str, ports)))

    def start(self):
        """Start forwarding."""
        text = self.command("start")
        if "packet forwarding" not in text:
            raise AssertionError(f"testpmd did not start: {text}")
        self.forwarding = True

    def stop(self, timeout=30):
        """Stop forwarding. A lcore that waits for a full ring holds this up until it has room."""
        text = self.command("stop", timeout)
        if "Done" not in text:
            raise Timeout(f"testpmd did not stop: {text}")
        self.forwarding = False

    def restart_port(self, port):
        """Stop and start a port; net_pcap opens its files anew. Forwarding must be stopped."""
        for verb in ("stop", "start"):
            text = self.command(f"port {verb} {port}", 20)
            if "Done" not in text:
                raise AssertionError(f"testpmd: port {verb} {port}: {text}")

    def links_up(self):
        """The ports whose link is up."""
        return {int(port) for port, state in SUMMARY.findall(self.command("show port summary all"))
                if state == "up"}

    def port_stats(self):
        """Counters of the devices since they started: {port: {"RX-packets": n, ...}}."""
        return self._stats("show port stats all")

    def fwd_stats(self):
        """Counters since `start`, with the losses of forwarding itself: RX-/TX-dropped."""
        return self._stats("show fwd stats all")

    def _stats(self, command):
        stats = {}
        for port, body in STATS.findall(self.command(command).split("Accumulated")[0]):
            stats[int(port)] = {name: int(value) for name, value in FIELD.findall(body)}
        if len(stats) != len(self.vdevs) and command.startswith("show port"):
            raise AssertionError(f"testpmd: counters of {len(stats)} ports, not {len(self.vdevs)}")
        return stats

    def close(self, timeout=15):
        """Quit in good order; assert exit code 0."""
        self.child.send("quit")
        code = self.child.wait(timeout)
        if code:
            raise AssertionError(f"testpmd: exit code {code}:\n{self.child.text[-1500:]}")

    def kill(self):
        """End it at once."""
        self.child.kill()
