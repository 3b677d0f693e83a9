# SPDX-License-Identifier: BSD-3-Clause
"""FRR of Debian in a namespace: its daemons are started by the test, and end with it.

Each Frr has a folder of its own, which holds its configuration, the socket of zebra, the sockets of
vtysh and the logs, so that several run on one machine beside the system's own FRR.
"""
import json
import os
import shutil
import signal

from bhtest.process import Child, Timeout, run, until

LIB = "/usr/lib/frr"
DAEMONS = ("zebra", "staticd", "bfdd", "ospfd", "ospf6d", "bgpd")


class Frr:
    """The daemons of FRR in a namespace. config is the text of frr.conf, or None: the daemons' own
    files are in the folder already, which only then are read by each of them.

    modules are zebra's, as `-M` takes them: dplane_fpm_nl. options: more of a daemon's, by its name.
    """

    def __init__(self, t, space, name, config=None, daemons=DAEMONS, modules=(), options=None):
        self.space, self.config, self.daemons = space, config, daemons
        self.modules, self.options = modules, options
        self.folder = os.path.join(t.workdir, name)
        os.makedirs(self.folder, exist_ok=True)
        shutil.chown(self.folder, "frr", "frr")  # what the daemons run as
        os.chmod(t.workdir, 0o711)
        self.children = {}
        self.t = t

    def path(self, name):
        """A file of the folder."""
        return os.path.join(self.folder, name)

    def _argv(self, daemon):
        argv = ["ip", "netns", "exec", self.space.name, os.path.join(LIB, daemon),
                "-i", self.path(f"{daemon}.pid"),
                "-z", self.path("zserv.api"), "--vty_socket", self.folder, "-P", "0",
                "--log", "stdout", "--log-level", "errors"]
        own = self.path(f"{daemon}.conf")
        if not os.path.exists(own):
            with open(own, "w", encoding="ascii"):
                pass
        argv += ["-f", own]
        if daemon == "zebra":
            argv += [word for module in self.modules for word in ("-M", module)]
        if daemon == "bfdd":
            argv += ["--bfdctl", self.path("bfdd.ctl")]
        return argv + list((self.options or {}).get(daemon, ()))

    def launch(self, daemon):
        """Start one daemon, and wait until vtysh reaches it."""
        log = self.path(f"{daemon}.log")
        self.t.log_file(log)
        self.children[daemon] = Child(self._argv(daemon), log)
        until(lambda: self._answers(daemon), 60, f"{daemon} answers", 0.05)

    def _answers(self, daemon):
        child = self.children[daemon]
        if not child.alive():
            raise AssertionError(f"{daemon} ended: {child.text[-1500:]}")
        return run(self._vtysh("-d", daemon, "-c", "show version"), 30, check=False).returncode == 0

    def start(self):
        """Start all, and read the configuration as Debian's start script does."""
        for daemon in self.daemons:
            self.launch(daemon)
        if self.config is not None:
            self.read(self.config)
        return self

    def read(self, config):
        """Have every daemon read this text, its own part of it."""
        with open(self.path("frr.conf"), "w", encoding="ascii") as out:
            out.write(config)
        done = run(self._vtysh("-b"), 60, check=False)
        if done.returncode:
            raise AssertionError(f"vtysh -b: {done.stdout}{done.stderr}")

    def _vtysh(self, *words):
        return ["ip", "netns", "exec", self.space.name, "vtysh", "--vty_socket", self.folder,
                "--config_dir", self.folder, *words]

    def vtysh(self, *commands, timeout=60):
        """Run commands of vtysh: what it printed."""
        words = [word for command in commands for word in ("-c", command)]
        return run(self._vtysh(*words), timeout).stdout

    def look(self, command):
        """`show ... json`, parsed; {} while the daemon does not answer."""
        done = run(self._vtysh("-c", command + " json"), 60, check=False)
        try:
            return json.loads(done.stdout) if done.returncode == 0 else {}
        except json.JSONDecodeError:
            return {}

    def configure(self, *commands):
        """Change the running configuration."""
        return self.vtysh("configure terminal", *commands)

    def kill(self, daemon):
        """SIGKILL one daemon, whose end is seen when this returns."""
        self.children.pop(daemon).kill()

    def zebra_again(self):
        """zebra has died: as watchfrr does it, the others are ended, then all are started anew."""
        self.stop()
        self.start()

    def stop(self):
        """End all daemons in good order; those that do not go are killed."""
        for daemon in reversed(self.daemons):
            if daemon in self.children:
                self.children[daemon].signal(signal.SIGTERM)
        for daemon in list(self.children):
            child = self.children.pop(daemon)
            try:
                child.wait(10)
            except Timeout:
                child.kill()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    # ---- what the protocols say ----

    def ospf_full(self, version=4):
        """Ids of the neighbors that are fully adjacent."""
        if version == 4:
            said = self.look("show ip ospf neighbor").get("neighbors", {})
            return {name for name, rows in said.items()
                    if any(row.get("nbrState", row.get("state", "")).startswith("Full")
                           for row in rows)}
        said = self.look("show ipv6 ospf6 neighbor").get("neighbors", [])
        return {row["neighborId"] for row in said if row["state"].startswith("Full")}

    def bfd_up(self):
        """Addresses of the BFD peers whose session is up."""
        return {row["peer"] for row in self.look("show bfd peers") or ()
                if row["status"] == "up"}

    def routes(self, family=4):
        """{prefix: [row, ...]} of zebra."""
        return self.look("show ip route" if family == 4 else "show ipv6 route")

    def route_of(self, prefix, protocol):
        """Next-hop addresses of a protocol's selected route, or None."""
        word = "ipv6" if ":" in prefix else "ip"
        for row in self.look(f"show {word} route {prefix}").get(prefix, ()):
            if row["protocol"] == protocol and row.get("selected"):
                return {hop.get("ip") for hop in row["nexthops"] if hop.get("active")}
        return None
