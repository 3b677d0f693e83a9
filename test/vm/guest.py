# SPDX-License-Identifier: BSD-3-Clause
"""The router inside a guest: start, look, stop, all from the host."""
import json
import re

from bhtest.process import until
from bhtest.router import program, supervisor_argv

from vm import SHARE

RUNDIR = "/run/bulkhead"


class Router:
    """bulkhead in the guest of a Vm, with its files in the shared folder."""

    def __init__(self, guest):
        self.vm, self.runs = guest, 0

    def argv(self, config):
        """The command line of a configuration that is written for it."""
        config.write(self.vm.path("router.json"))
        return " ".join(supervisor_argv(f"{SHARE}/router.json", RUNDIR))

    def attempt(self, config, timeout=60):
        """Run it to its end: (exit code, all it said)."""
        return self.vm.run(self.argv(config), timeout)

    def log(self):
        """What the running or last router has said."""
        return self.vm.read(f"router{self.runs}.log")

    def start(self, config, timeout=90):
        """Start it, and wait until it says that all is ready."""
        self.runs += 1
        log, ended = (f"{SHARE}/router{self.runs}.{what}" for what in ("log", "end"))
        self.vm.run(f"{{ {self.argv(config)} >{log} 2>&1; echo $? >{ended}; }} &")
        until(lambda: re.search("bulkhead: ready", self.log()) or self.ended(), timeout,
              f"the router is ready; it said:\n{self.log()}", 0.2)
        if self.ended():
            raise AssertionError(f"bulkhead ended with {self.ended()}:\n{self.log()}")

    def ended(self):
        """Its exit code as text; empty while it runs."""
        return self.vm.read(f"router{self.runs}.end").strip()

    def signal(self, name):
        """Send the supervisor a signal."""
        code, said = self.vm.run(f"kill -{name} $(cat {RUNDIR}/bulkhead.lock)")
        if code:
            raise AssertionError(f"no router to send {name} to: {said}")

    def reload(self, config):
        """Have it read another configuration. Does not wait for the effect."""
        config.write(self.vm.path("router.json"))
        self.signal("HUP")

    def stop(self, timeout=30):
        """SIGTERM: the exit code."""
        self.signal("TERM")
        return int(until(self.ended, timeout, "the router has ended", 0.1))

    def show(self, *words):
        """What `bhctl show WORDS` prints."""
        code, text = self.vm.run(" ".join((program("app", "ctl", "bhctl"), "-r", RUNDIR, "show",
                                           *words)))
        if code:
            raise AssertionError(f"bhctl show {' '.join(words)}: exit code {code}: {text}")
        return text

    def counters(self):
        """Interfaces and counters of whatever runs, for a report; or why there are none."""
        try:
            return self.show("interfaces") + self.show("counters") + self.show("lcores")
        except AssertionError as why:
            return str(why)

    def rows(self, table):
        """The rows of `bhctl show TABLE -j`."""
        return json.loads(self.show(table, "-j"))[table]

    def interfaces(self):
        """The rows of `bhctl show interfaces -j` by name."""
        return {row["name"]: row for row in self.rows("interfaces")}

    def until_state(self, timeout=30, **states):
        """Wait until these interfaces have these states: p0="up"."""
        def reached():
            rows = self.interfaces()
            return all(name in rows and rows[name]["oper-status"] == state
                       for name, state in states.items())
        until(reached, timeout, f"interfaces reach {states}; the router said:\n{self.log()}", 0.2)

    def pid(self, name):
        """Pid of a process of `bhctl show processes`."""
        return next(row["pid"] for row in self.rows("processes") if row["name"] == name)
