# SPDX-License-Identifier: BSD-3-Clause
"""Deaths that the supervisor has to mend: the core, several modules, a module that always dies."""
import os
import signal
import time

from bhtest import verify
from bhtest.bed import Bed, base_config, flow, host4, host6, host_mac, port_mac
from bhtest.config import Config
from bhtest.process import Timeout, run, until
from bhtest.router import Router, supervisor_argv
from bhtest.traffic import Traffic, burst_links, sockets

DEATHS = 3


def config_of(t, plan=None):
    """Two ports and a route of each family to the first host behind the second."""
    config = base_config(t.workdir, 2, plan=plan)
    return config.route("20.0.0.0/8", host4(1)).route("2001:dba::/32", host6(1))


def forwards(bed):
    """Assert that packets of both families are forwarded and rewritten."""
    frames = [flow(dst, seq=n) for n, dst in enumerate(["20.1.2.3", "2001:dba::9"] * 20)]
    got = bed.burst({0: frames}, len(frames))
    verify.check_all_forwarded(frames, got[1], port_mac(1), host_mac(1))


def ready(router, name, *others):
    """Wait until this process runs under a pid that is none of the others."""
    def is_ready():
        row = next((row for row in router.look("processes") or () if row["name"] == name), None)
        return row and row["state"] == "ready" and row["pid"] not in others and row["pid"]
    return until(is_ready, 20, f"{name} ready again", 0.1)


def reconnect(bed):
    """New peers of the memif links, whose server has gone."""
    bed.traffic.kill()
    paths = sockets(bed.t.workdir, len(bed.config.interfaces))
    bed.traffic = Traffic(burst_links(bed.t.workdir, paths),
                          os.path.join(bed.t.workdir, "testpmd2.log"))
    bed.traffic.connect()
    bed.router.settled(bed.config.interfaces, bed.config.prefixes())


def test_core_killed(t):
    """SIGKILL of the core: it comes back, modules replay, with routes and traffic."""
    with Bed(t, config_of(t)) as bed:
        forwards(bed)
        for n in range(DEATHS):
            pids = {row["name"]: row["pid"] for row in bed.router.rows("processes")}
            os.kill(pids["core"], signal.SIGKILL)
            ready(bed.router, "core", pids["core"])
            for name in ("config", "routing"):
                assert ready(bed.router, name) == pids[name], f"{name} was restarted too"
            assert bed.router.process("core")["restarts"] == n + 1
        reconnect(bed)
        forwards(bed)


def test_modules_killed_at_once(t):
    """Every module at once: the core goes on, and so do routes and packets."""
    with Bed(t, config_of(t)) as bed:
        core = bed.router.module_pid("core")
        for _ in range(DEATHS):
            pids = {name: bed.router.module_pid(name) for name in ("config", "routing")}
            for pid in pids.values():
                os.kill(pid, signal.SIGKILL)
            forwards(bed)
            for name, pid in pids.items():
                ready(bed.router, name, pid)
        until(lambda: not any(row["stale"] for row in bed.router.rows("routes")), 20, "none stale")
        forwards(bed)
        assert bed.router.module_pid("core") == core, "the core was restarted too"


def test_config_killed_while_reloading(t):
    """The successor reads the file anew: no change is lost, and no signal kills it."""
    with Bed(t, config_of(t)) as bed:
        for n in range(DEATHS):
            pid = bed.router.module_pid("config")
            bed.router.reload(bed.config.route(f"198.51.{n}.0/24", host4(1)))
            os.kill(pid, signal.SIGKILL)
            for k in range(20):  # the successor is hit at each moment of its start
                bed.router.reload(bed.config.route(f"198.52.{k}.0/24", host4(1, n)))
                time.sleep(0.01)
            ready(bed.router, "config", pid)
            until(lambda: bed.config.prefixes() <= bed.router.prefixes(), 20, "new route", 0.1)
            assert bed.router.process("config")["restarts"] == n + 1
        forwards(bed)


def test_module_that_dies_is_held(t):
    """A module that dies at each start is held; the rest starts, and starts again with the core."""
    plan = {"modules": {"module": [{"name": "snmp", "program": "/bin/false"}, {"name": "routing"}]}}
    with Bed(t, config_of(t, plan)) as bed:
        assert bed.router.process("snmp")["state"] == "held"
        assert "snmp died" in open(bed.router.log, encoding="utf-8").read()
        forwards(bed)
        core = bed.router.module_pid("core")
        os.kill(core, signal.SIGKILL)
        ready(bed.router, "core", core)
        ready(bed.router, "routing")
        until(lambda: bed.router.process("snmp")["state"] == "held", 20, "held again", 0.1)
        reconnect(bed)
        forwards(bed)


def test_held_module_is_started_by_reload(t):
    """A person mends the program and says reload."""
    os.chmod(t.workdir, 0o755)  # modules run as another user
    program = os.path.join(t.workdir, "program")
    plan = {"modules": {"module": [{"name": "snmp", "program": program}]}}

    def write(text):
        with open(program + ".new", "w", encoding="utf-8") as out:
            out.write(text)
        os.chmod(program + ".new", 0o755)
        os.rename(program + ".new", program)
    write("#!/bin/sh\nexit 1\n")
    router = Router(config_of(t, plan), t.workdir)
    t.log_file(router.log)
    try:
        router.start()
        until(lambda: router.process("snmp")["state"] == "held", 20, "held", 0.1)
        write("#!/bin/bash\nprintf READY >&$BH_SUPERVISOR_FD\nexec sleep 1000\n")
        router.reload()
        until(lambda: router.process("snmp")["state"] == "ready", 20, "started again", 0.1)
        router.stop()
    finally:
        router.kill()


def test_core_cannot_start(t):
    """The core's program is not there: told, and an exit code other than 0, at once."""
    config = Config().memif("p0", 0, sockets(t.workdir, 1)[0])
    file = config.write(os.path.join(t.workdir, "router.json"))
    os.chmod(t.workdir, 0o755)  # modules run as another user
    build = os.path.join(t.workdir, "build")
    real = os.environ.get("BH_BUILD", "build")
    os.makedirs(os.path.join(build, "app"))
    os.symlink(os.path.abspath(os.path.join(real, "config")), os.path.join(build, "config"))
    argv = supervisor_argv(file, os.path.join(t.workdir, "run"))
    argv[argv.index("-B") + 1] = build
    done = run(argv, 10, check=False)
    assert done.returncode == 1 and "bulkhead-core" in done.stderr, (done.returncode, done.stderr)


def test_stopped_while_starting(t):
    """SIGTERM at any moment of the start: a clean end, nothing left."""
    for step in range(12):
        router = Router(config_of(t), t.workdir)
        t.log_file(router.log)
        try:
            try:
                router.start(step * 0.1)
            except Timeout:
                pass
            before = router.family()
            router.child.signal(signal.SIGTERM)
            code = router.child.wait(10)
            # Before it has handlers, the signal itself ends it.
            assert code in (0, -signal.SIGTERM), f"exit code {code}"
            until(lambda: not [pid for pid in before if os.path.exists(f"/proc/{pid}/exe")], 5,
                  f"all processes gone at step {step}")
        finally:
            router.kill()
