# SPDX-License-Identifier: BSD-3-Clause
"""The real router: the supervisor of a build tree with everything that it starts, and bhctl.

Environment: BH_BUILD names the build tree (default ./build). Expected of bhctl -j: an object whose
member of the table's name holds the rows, {"routes": [{"prefix", "active", ...}]}, likewise
"interfaces" (name, oper-status) and "processes" (name, pid, state); of `show counters -j` the
object "drops" of named counters.
"""
import json
import os
import signal

from bhtest.config import Config
from bhtest.process import Child, run, until

HUGE = "/dev/hugepages"


def build_tree():
    """The build tree under test."""
    return os.path.abspath(os.environ.get("BH_BUILD", "build"))


def program(*path):
    """The path of a built program; AssertionError if it is not there."""
    full = os.path.join(build_tree(), *path)
    if not os.access(full, os.X_OK):
        raise AssertionError(f"{full} is not built (BH_BUILD names the build tree)")
    return full


def environment(rundir):
    """The environment of a router and its tools: also the tag by which its processes are found."""
    return {**os.environ, "BULKHEAD_RUNDIR": rundir}


def supervisor_argv(file, rundir, *options):
    """The command line that starts a router from the build tree."""
    return [program("app", "supervisor", "bulkhead"), "-c", file, "-r", rundir, "-B",
            build_tree(), *options]


def check_argv(file):
    """The command line that only validates a file."""
    return [program("app", "supervisor", "bulkhead"), "--check", file, "-B", build_tree()]


def tagged(tag):
    """Pids of the processes whose environment or command line holds tag, zombies not counted."""
    found = set()
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            for name in ("environ", "cmdline"):
                with open(f"/proc/{pid}/{name}", "rb") as text:
                    if tag.encode() in text.read():
                        found.add(int(pid))
        except OSError:
            continue
    return found - {os.getpid()}


def end(pids):
    """SIGKILL each of these processes, gone or not."""
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue


def descendants(pid):
    """Pids of all children, their children, and so on."""
    found, todo = set(), [pid]
    while todo:
        parent = todo.pop()
        try:
            with open(f"/proc/{parent}/task/{parent}/children", encoding="ascii") as text:
                fresh = [int(word) for word in text.read().split()]
        except OSError:
            continue
        found.update(fresh)
        todo += fresh
    return found


def files(folder):
    """Names in a folder that may not exist."""
    return set(os.listdir(folder)) if os.path.isdir(folder) else set()


class Router:
    """bulkhead -c FILE with a run directory of its own under workdir.

    config is a Config, a dictionary of instance data, or the path of a file. space, if given, is
    the Netns in which it runs: the router's machine then has no other network than that.
    """

    def __init__(self, config, workdir, options=(), space=None):
        self.config, self.options, self.space = config, list(options), space
        if os.environ.get("BH_NO_HUGE") and "--no-huge" not in self.options:
            self.options.append("--no-huge")
        self.rundir = os.path.join(workdir, "run")
        self.file = config if isinstance(config, str) else os.path.join(workdir, "router.json")
        self.log = os.path.join(workdir, "router.log")
        self.env = environment(self.rundir)
        self.child, self.huge = None, files(HUGE)

    def write(self):
        """Write the configuration file, if this object has more than its path."""
        if isinstance(self.config, Config):
            self.config.write(self.file)
        elif isinstance(self.config, dict):
            with open(self.file, "w", encoding="utf-8") as out:
                json.dump(self.config, out)

    def start(self, timeout=60):
        """Start, and wait until the supervisor says that every module is ready."""
        self.write()
        within = ["ip", "netns", "exec", self.space.name] if self.space else []
        self.child = Child(within + supervisor_argv(self.file, self.rundir, *self.options),
                           self.log, env=self.env)
        self.child.expect(r"bulkhead: ready", timeout)
        return self

    def reload(self, config=None):
        """Write the (new) configuration and have it read anew. Does not wait for its effect."""
        self.config = config or self.config
        self.write()
        self.child.signal(signal.SIGHUP)

    def ctl(self, *words, timeout=30, check=True):
        """bhctl WORDS: parsed JSON if -j is among them, else the CompletedProcess."""
        argv = [program("app", "ctl", "bhctl"), *words]
        done = run(argv, timeout, env=self.env, check=check)
        return json.loads(done.stdout) if "-j" in words else done

    def rows(self, table):
        """The rows of `show TABLE -j`."""
        return self.ctl("show", table, "-j")[table]

    def look(self, table):
        """The same while the core may be away: None then."""
        done = run([program("app", "ctl", "bhctl"), "show", table, "-j"], 30, env=self.env,
                   check=False)
        return None if done.returncode else json.loads(done.stdout)[table]

    def drops(self):
        """All drop counters: {name: packets}."""
        return self.ctl("show", "counters", "-j")["drops"]

    def prefixes(self):
        """The set of the destination prefixes that are in use."""
        return {row["prefix"] for row in self.rows("routes") if row["active"]}

    def links_up(self):
        """Names of the interfaces that are up."""
        return {row["name"] for row in self.rows("interfaces") if row["oper-status"] == "up"}

    def process(self, name):
        """The row of a module in `show processes`."""
        for row in self.rows("processes"):
            if row["name"] == name:
                return row
        raise AssertionError(f"no process {name} in {self.rows('processes')}")

    def module_pid(self, name):
        """The pid of a module."""
        return self.process(name)["pid"]

    def settled(self, links, prefixes, timeout=20):
        """Wait until these interfaces are up and these prefixes are routed."""
        until(lambda: set(links) <= self.links_up(), timeout, f"links {sorted(links)} up", 0.1)
        until(lambda: set(prefixes) <= self.prefixes(), timeout, "all routes present", 0.1)

    def family(self):
        """Pids of the supervisor and all that it started."""
        mine = {self.child.pid} if self.child.alive() else set()
        return mine | descendants(self.child.pid) | tagged(self.rundir)

    def stop(self, timeout=20):
        """SIGTERM; assert exit code 0, no process, socket or hugepage file left."""
        before = self.family()
        self.child.signal(signal.SIGTERM)
        code = self.child.wait(timeout)
        if code:
            raise AssertionError(f"bulkhead: exit code {code} on SIGTERM")
        left = {pid for pid in before if os.path.exists(f"/proc/{pid}/exe")} | tagged(self.rundir)
        if left:
            raise AssertionError(f"left running after the supervisor ended: {sorted(left)}")
        sockets = [name for name in files(self.rundir) if name.endswith(".sock")]
        if sockets or files(HUGE) - self.huge:
            raise AssertionError(f"left behind: {sockets} {sorted(files(HUGE) - self.huge)}")

    def kill(self):
        """End every process of this router: the supervisor first, as it starts others anew."""
        if not self.child:
            return
        left = self.family() - {self.child.pid}
        self.child.kill()

        def gone():
            end(left)
            left.clear()
            left.update(tagged(self.rundir))
            return not left
        until(gone, 10, f"end of {self.rundir}")
