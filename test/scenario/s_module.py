# SPDX-License-Identifier: BSD-3-Clause
"""A module of the user's own, built against libbulkhead: the example of examples/module."""
import errno
import os
import signal
import struct

from bhtest.bed import Bed, base_config
from bhtest.client import Client
from bhtest.process import run, until
from bhtest.router import build_tree
from bhtest.traffic import Traffic

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))


def build_example(t):
    """Compile the example as its head says, but against the build tree; its path."""
    program, lib = os.path.join(t.workdir, "flaps"), os.path.join(build_tree(), "lib", "client")
    run(["cc", "-Wall", "-Wextra", "-Werror", os.path.join(ROOT, "examples/module/flaps.c"), "-o",
         program, f"-I{ROOT}", f"-L{lib}", f"-Wl,-rpath,{lib}", "-lbulkhead"], 60)
    return program


def flaps(client, ifindex, name):
    """(count, oper) of the example's record."""
    value = client.get("user", f"{ifindex} {name}".encode().ljust(32, b"\0"))
    return struct.unpack("II", value) if value else None


def test_example_module(t):
    """It keeps its table, watches another, and goes on counting after SIGKILL."""
    os.chmod(t.workdir, 0o755)
    plan = {"modules": {"module": [{"name": "user", "program": build_example(t)}]}}
    with Bed(t, base_config(t.workdir, 2, plan=plan)) as bed:
        client = Client(os.path.join(bed.router.rundir, "core.sock"))
        until(lambda: (flaps(client, 1, "p0") or (0, 0))[1] == 1, 10, "p0 counted as up")
        before = flaps(client, 1, "p0")
        assert before[0] >= 1, before
        pid = bed.router.module_pid("user")
        os.kill(pid, signal.SIGKILL)
        until(lambda: bed.router.process("user")["pid"] not in (0, pid) and
              bed.router.process("user")["state"] == "ready", 10, "restarted")
        assert flaps(client, 1, "p0") == before, "the counts are not those of before"
        row = next(row for row in bed.router.rows("tables") if row["name"] == "user")
        assert row["records"] == 2 and row["complete"] and not row["stale"], row
        bed.traffic.halt()
        bed.traffic.kill()
        until(lambda: flaps(client, 1, "p0")[1] == 0, 10, "p0 counted as down")
        assert flaps(client, 1, "p0")[0] == before[0] + 1
        bed.traffic = Traffic(bed.traffic.links, os.path.join(t.workdir, "again.log"))
        bed.traffic.connect()
        until(lambda: flaps(client, 1, "p0") == (before[0] + 2, 1), 10, "p0 counted as up again")
        client.close()


def test_only_the_owner_writes(t):
    """A client by the listening socket reads, but writes nothing: -EPERM."""
    with Bed(t, base_config(t.workdir, 1)) as bed:
        client = Client(os.path.join(bed.router.rundir, "core.sock"))
        assert client.get("interface", struct.pack("I", 1)), "p0 cannot be read"
        assert client.add("user", b"x".ljust(32, b"\0"), b"1234") == -errno.EPERM
        assert client.get("user", b"x".ljust(32, b"\0")) is None
        client.close()
