# SPDX-License-Identifier: BSD-3-Clause
"""SNMP as an operator has it: snmpd as AgentX master, snmpwalk and its kin, snmptrapd.

Everything runs in a namespace of its own, with files of its own, and reads no configuration of the
machine. Objects are named by numbers: the texts of the IETF's MIBs are not part of Debian.
"""
import os
import re

from bhtest.netns import Netns
from bhtest.process import Child, run, until

PORT, TRAP_PORT = 1161, 1162
AGENT = f"127.0.0.1:{PORT}"
VALUE = re.compile(r"^(\.[0-9.]+) = (?:([A-Za-z0-9-]+): ?)?(.*)$")
NUMBERS = {"INTEGER", "Counter32", "Counter64", "Gauge32"}


def oid(text):
    """An object identifier as a tuple of numbers."""
    return tuple(int(part) for part in text.strip(".").split("."))


def value_of(kind, text):
    """A printed value as Python has it: numbers, bytes, tuples of numbers."""
    if kind in NUMBERS:
        return int(text)
    if kind is None and text.isdigit(): # Timeticks
        return int(text)
    if kind == "OID":
        return oid(text)
    if kind == "Hex-STRING":
        return bytes.fromhex(text.replace(" ", ""))
    return text.strip('"').encode()


def parse(text):
    """The lines of snmpwalk -On -Oe -Ot -Ox: [(oid, value)]; words about errors are None."""
    found, lines = [], []
    for line in text.splitlines():
        if VALUE.match(line) or not lines:
            lines.append(line)
        else:
            lines[-1] += line
    for line in lines:
        match = VALUE.match(line)
        if match is None:
            continue
        name, kind, rest = match.groups()
        missing = kind is None and rest.startswith("No ")
        found.append((oid(name), None if missing else value_of(kind, rest)))
    return found


class Master:
    """snmpd with AgentX sockets, and snmptrapd to which it sends traps, in a namespace."""

    def __init__(self, workdir, space=None):
        self.folder = os.path.join(workdir, "snmp")
        os.makedirs(self.folder, exist_ok=True)
        os.chmod(workdir, 0o755)
        self.own = None if space else Netns("bhsnmp")
        self.space, self.snmpd, self.trapd = space or self.own, None, None
        self.address, self.tcp_address = f"unix:{self.folder}/master", "tcp:127.0.0.1:1705"
        self.env = {**os.environ, "SNMP_PERSISTENT_DIR": self.folder + "/state", "MIBS": "",
                    "SNMPCONFPATH": self.folder}
        self.write("snmpd.conf", [
            "rocommunity public", "rwcommunity private", "master agentx",
            f"agentXSocket {self.address},{self.tcp_address}", "agentXPerms 0666 0777",
            "agentXTimeout 5", "com2sec -Cn other other default public",
            f"trap2sink 127.0.0.1:{TRAP_PORT} public", "sysDescr router",
            "dontLogTCPWrappersConnects yes"])
        self.write("snmptrapd.conf", ["disableAuthorization yes"])

    def write(self, name, lines):
        """Write a file of the folder."""
        with open(os.path.join(self.folder, name), "w", encoding="ascii") as out:
            out.write("\n".join(lines) + "\n")

    def daemon(self, program, *options):
        """Start a daemon in the foreground; its log is in the folder."""
        argv = ["ip", "netns", "exec", self.space.name, program, "-f", "-C", "-c",
                os.path.join(self.folder, f"{program}.conf"), *options]
        return Child(argv, os.path.join(self.folder, f"{program}.log"), env=self.env)

    def start(self):
        """Start the master, and wait until it answers."""
        self.snmpd = self.daemon("snmpd", "-Lo", f"udp:127.0.0.1:{PORT}")
        until(lambda: self.get("1.3.6.1.2.1.1.1.0") == b"router", 30, "an answer of snmpd", 0.1)
        return self

    def start_traps(self):
        """Start the receiver of traps, and wait until it is there."""
        self.trapd = self.daemon("snmptrapd", "-Lo", "-n", "-On", "-Oe", "-Ot",
                                 f"udp:127.0.0.1:{TRAP_PORT}")
        self.trapd.expect("NET-SNMP version", 30)
        return self

    def tool(self, program, *words, timeout=60, check=True, community="public"):
        """Run a manager's program: the CompletedProcess. words: its options, AGENT, objects."""
        return self.run(program, "-On", "-Oe", "-Ot", "-Ox", *words, timeout=timeout, check=check,
                        community=community)

    def run(self, program, *words, timeout=60, check=True, community="public"):
        """The same without a say in how values are printed."""
        argv = ["ip", "netns", "exec", self.space.name, program, "-v2c", "-c", community, "-t", "5",
                "-r", "3", *words]
        return run(argv, timeout, env=self.env, check=check)

    def walk(self, root, program="snmpbulkwalk", options=()):
        """All objects below root: {oid behind root: value}, in the order that they came."""
        found = parse(self.tool(program, *options, AGENT, root).stdout)
        top = oid(root)
        return {name[len(top):]: value for name, value in found
                if name[:len(top)] == top and value is not None}

    def get(self, name):
        """One value, None if there is none."""
        found = parse(self.tool("snmpget", AGENT, name, check=False).stdout)
        return found[0][1] if found else None

    def table(self, root, program="snmpbulkwalk"):
        """A table by rows: {index: {column: value}}."""
        rows = {}
        for name, value in self.walk(root, program).items():
            rows.setdefault(name[2:], {})[name[1]] = value
        return rows

    def close(self):
        """End the daemons and remove the namespace."""
        for child in (self.snmpd, self.trapd):
            if child:
                child.kill()
        if self.own:
            self.own.destroy()

    def kill(self):
        """SIGKILL snmpd."""
        self.snmpd.kill()

    def pid(self):
        """The pid of snmpd itself, below ip netns exec, which becomes it."""
        return self.snmpd.pid

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
