# SPDX-License-Identifier: BSD-3-Clause
"""Punt and injection with the real core: a module of the role v6stack that sends everything back."""
import os
import signal

from bhtest import packet as p
from bhtest.bed import Bed, base_config, flow, host4, host_mac, port_mac
from bhtest.process import run, until
from bhtest.router import build_tree

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
COUNT = 40
STRANGER, STRANGER_MAC = "10.0.1.200", "02:dd:00:04:01:c8"


def build_stack(t):
    """Compile reflect.c against the build tree; its path."""
    program, lib = os.path.join(t.workdir, "reflect"), os.path.join(build_tree(), "lib", "client")
    run(["cc", "-Wall", "-Wextra", "-Werror", os.path.join(HERE, "reflect.c"), "-o", program,
         f"-I{ROOT}", f"-L{lib}", f"-Wl,-rpath,{lib}", "-lbulkhead"], 60)
    return program


def open_bed(t):
    """Two ports that forward, and the stack of reflect.c."""
    os.chmod(t.workdir, 0o755)
    plan = {"modules": {"module": [{"name": "v6stack", "program": build_stack(t)}]}}
    return Bed(t, base_config(t.workdir, 2, plan=plan, mtu4=9000))


def local(seq, size=None):
    """A frame from host 0 to the router itself."""
    return flow("10.0.0.1", size, seq=seq)


def reflects(bed, n=1):
    """Whether n frames to the router come back."""
    return len(bed.burst({0: [local(i) for i in range(n)]}, n)[0]) == n


def stack(bed):
    """What bhctl tells of the stack."""
    return bed.router.ctl("show", "counters", "-j")["stack"]


def test_routed(t, bed):
    """Frames to the router come back by lookup: TTL as it was, MACs of the way out."""
    got = bed.burst({0: [local(i, 60 + 30 * i) for i in range(COUNT)]}, COUNT)[0]
    assert len(got) == COUNT, f"{len(got)} of {COUNT} came back"
    for frame in got:
        assert frame[:12] == p.mac(host_mac(0)) + p.mac(port_mac(0)), frame[:14].hex()
        assert frame[22] == 64 and frame[30:34] == p.addr(host4(0)), frame[14:34].hex()
    assert sorted(p.marked(frame) for frame in got) == list(range(COUNT))
    assert stack(bed)["punt"]["local"]["taken"] >= COUNT


def test_resolved(t, bed):
    """What misses its neighbor is told with it, and leaves as the stack made it."""
    got = bed.burst({0: [flow(STRANGER, seq=i) for i in range(COUNT)]}, COUNT)[1]
    assert len(got) == COUNT, f"{len(got)} of {COUNT} came out"
    assert all(frame[:6] == p.mac(STRANGER_MAC) for frame in got), got[0][:14].hex()
    assert "neighbor_unresolved" not in {n for n, v in bed.router.drops().items() if v}


def test_errors_are_told_and_counted(t, bed):
    """An expired TTL is a drop as ever, and the stack hears of it."""
    before, drops = stack(bed)["punt"]["ttl"]["taken"], bed.router.drops()["ip4_ttl_expired"]
    bed.burst({0: [flow(host4(1), ttl=1, seq=i) for i in range(COUNT)]})
    until(lambda: bed.router.drops()["ip4_ttl_expired"] == drops + COUNT, 5, "drops counted")
    assert stack(bed)["punt"]["ttl"]["taken"] == before + COUNT


def test_stopped_and_killed(t, bed):
    """A stack that is stopped or killed under a flood: what is forwarded loses nothing.

    A stopped one is ended by the supervisor, which starts its successor.
    """
    for sig in (signal.SIGSTOP, signal.SIGKILL):
        pid = bed.router.module_pid("v6stack")
        os.kill(pid, sig)
        frames = []
        for i in range(3 * COUNT):
            frames += [local(i), flow(host4(1), seq=i)]
        got = bed.burst({0: frames}, 3 * COUNT)[1]
        passed = [frame for frame in got if frame[30:34] == p.addr(host4(1))]
        assert len(passed) == 3 * COUNT, f"{sig.name}: {len(passed)} of {3 * COUNT} arrived"
        until(lambda: bed.router.process("v6stack")["state"] == "ready" and
              stack(bed)["connected"] and reflects(bed), 20, f"answers again after {sig.name}")
