# SPDX-License-Identifier: BSD-3-Clause
"""The supervisor: ends, stops and hangs seen; modules stopped, started, upgraded by order; a killed
supervisor's successor that adopts what runs."""
import contextlib
import os
import shutil
import signal
import socket
import statistics
import threading
import time

from bhtest.bed import Bed, base_config, flow, host4, host_mac, port_mac
from bhtest import verify
from bhtest.client import Client
from bhtest.process import run, until
from bhtest.router import Router, program, supervisor_argv
from bhtest.spin import spin

KILLS = 30


def sick(t, name="sick"):
    """A copy of the test's module under this name, where modules may run it."""
    os.chmod(t.workdir, 0o755)
    path = os.path.join(t.workdir, name)
    shutil.copy(program("test", "sick", "sick"), path)
    os.chmod(path, 0o755)
    return path


def sick_config(t):
    """Two ports, a route, and the test's module."""
    plan = {"modules": {"module": [{"name": "user", "program": sick(t)}]}}
    return base_config(t.workdir, 2, plan=plan).route("20.0.0.0/8", host4(1))


def sick_bed(t):
    """A router of that, with peers of its ports."""
    return Bed(t, sick_config(t))


@contextlib.contextmanager
def lone_router(t, **env):
    """A router of that whose ports have no peers, so that it may lose its core."""
    router = Router(sick_config(t), t.workdir)
    router.env.update(env)
    t.log_file(router.log)
    try:
        yield router.start()
        router.stop()
    finally:
        router.kill()


def forwards(bed):
    """Assert that packets are forwarded."""
    frames = [flow("20.1.2.3", seq=n) for n in range(20)]
    verify.check_all_forwarded(frames, bed.burst({0: frames}, len(frames))[1], port_mac(1),
                               host_mac(1))


def comes_back(router, name, pid):
    """Wait until the process runs under another pid; its row."""
    def row():
        now = next((now for now in router.look("processes") or () if now["name"] == name), None)
        return now if now and now["pid"] not in (0, pid) and now["state"] == "ready" else None
    return until(row, 20, f"{name} is back", 0.01)


def hit(router, name, sig):
    """Send a signal: (ms until the end was seen, the row afterwards)."""
    pid = router.module_pid(name)
    before = time.monotonic_ns()
    os.kill(pid, sig)
    row = comes_back(router, name, pid)
    return (row["end-seen-ns"] - before) / 1e6, row


def open_files(pid):
    """How many descriptors a process has."""
    return len(os.listdir(f"/proc/{pid}/fd"))


def test_ends_are_seen(t):
    """SIGKILL, SIGSTOP, an endless loop, a blocked process: seen, told apart, mended."""
    with sick_bed(t) as bed:
        router, core = bed.router, bed.router.module_pid("core")
        files = open_files(router.child.pid)
        for what, sig, how, times in (("exit", signal.SIGKILL, "exit", KILLS),
                                      ("stop", signal.SIGSTOP, "stop", 5),
                                      ("endless loop", signal.SIGUSR1, "hang", 5),
                                      ("blocked", signal.SIGUSR2, "hang", 2)):
            took = []
            for _ in range(times):
                # So that none is held for dying often.
                router.ctl("module", "restart", "user")
                ms, row = hit(router, "user", sig)
                assert row["ended-by"] == how, (what, row)
                took.append(ms)
            t.say(f"{what} seen after {statistics.median(took):.3f} ms (median of {times}), "
                  f"{max(took):.3f} ms at most")
        forwards(bed)
        assert router.module_pid("core") == core, "the core was restarted too"
        until(lambda: open_files(router.child.pid) == files, 10, "no descriptor is left open")


def all_ready(router):
    """Wait until every process is ready."""
    until(lambda: all(row["state"] == "ready"
                      for row in router.look("processes") or ({"state": "away"},)), 20,
          "all ready", 0.1)


def test_core_stopped(t):
    """SIGSTOP of the core, a child's and an adopted one's: seen, restarted; modules outlive it."""
    with lone_router(t) as router:
        for adopted in (False, True):
            if adopted:
                kill_supervisor(router)
            ms, row = hit(router, "core", signal.SIGSTOP)
            assert row["ended-by"] == "stop" and not row["adopted"], row
            t.say(f"stopped core seen after {ms:.3f} ms")
            all_ready(router)
            assert router.process("user")["restarts"] == 0, router.rows("processes")


def lcore_thread(router, role):
    """The thread of the first lcore with this role."""
    return next(row["thread"] for row in router.rows("lcores") if row["role"] == role)


def test_lcore_hangs(t):
    """An lcore in an endless loop: an alarm, and the core is restarted."""
    with lone_router(t) as router:
        pid, start = router.module_pid("core"), time.monotonic_ns()
        spin(lcore_thread(router, "forwarding"))
        row = comes_back(router, "core", pid)
        assert row["ended-by"] == "hang", row
        t.say(f"hung lcore seen after {(row['end-seen-ns'] - start) / 1e9:.3f} s")
        all_ready(router)
        with open(router.log, encoding="utf-8") as text:
            assert "alarm: lcore" in text.read()


def order(router, *words, done=True):
    """bhctl module WORDS; assert how it ended; what it said."""
    said = router.ctl("module", *words, timeout=60, check=False)
    assert (said.returncode == 0) == done, (words, said)
    return said.stdout + said.stderr


def written_by(bed):
    """The name of the program that wrote the record of the test's module."""
    client = Client(os.path.join(bed.router.rundir, "core.sock"))
    value = client.get("user", b"program".ljust(32, b"\0"))
    client.close()
    return value.rstrip(b"\0").decode()


def test_orders(t):
    """stop, start, restart and upgrade of a module; what is wrong is refused, and harms nothing."""
    with sick_bed(t) as bed:
        router, first = bed.router, bed.router.module_pid("user")
        assert "stopped" in order(router, "stop", "user")
        row = router.process("user")
        assert row["state"] == "stopped" and row["pid"] == 0 and row["ended-by"] == "order", row
        router.child.signal(signal.SIGHUP)  # starts held ones, not this one
        order(router, "start", "user")
        second = router.module_pid("user")
        assert second not in (0, first)
        assert "runs already" in order(router, "start", "user", done=False)
        order(router, "restart", "user")
        third = router.module_pid("user")
        assert third not in (0, second)
        for words, why in ((("restart", "core"), "no module"), (("stop", "x"), "no such module"),
                           (("upgrade", "user", "--binary", "/nowhere"), "cannot be started"),
                           (("upgrade", "user", "--binary", sick(t, "bad")), "old one goes on")):
            said = order(router, *words, done=False)
            assert why in said, (words, said)
        assert router.module_pid("user") == third and written_by(bed) == "sick"
        forwards(bed)


def test_upgrade(t):
    """The heir recovers, the core promotes it, the predecessor leaves; the next start is of the new
    program, too."""
    with sick_bed(t) as bed:
        router, first = bed.router, bed.router.module_pid("user")
        order(router, "upgrade", "user", "--binary", sick(t, "better"))
        row = router.process("user")
        assert row["pid"] not in (0, first) and row["state"] == "ready", row
        assert row["restarts"] == 0 and row["ended-by"] == "order", row
        assert written_by(bed) == "better"
        until(lambda: not os.path.exists(f"/proc/{first}/exe"), 10, "the predecessor left")
        until(lambda: router.process("user")["last-exit"] == "exit status 0", 10, "it left well")
        hit(router, "user", signal.SIGKILL)
        assert written_by(bed) == "better"
        hit(router, "user", signal.SIGUSR1)  # heartbeats are heeded as before
        for name in ("routing", "config"):
            pid, routes = router.module_pid(name), router.prefixes()
            t.say(order(router, "upgrade", name).strip())
            assert router.module_pid(name) != pid and router.prefixes() == routes
        router.reload(bed.config.route("198.51.100.0/24", host4(1)))
        until(lambda: "198.51.100.0/24" in router.prefixes(), 20, "a new route", 0.1)
        forwards(bed)


def pids(router):
    """{name: pid} of all processes."""
    return {row["name"]: row["pid"] for row in router.rows("processes")}


def kill_supervisor(router):
    """SIGKILL of the supervisor alone, and its successor."""
    router.child.kill()
    router.start()


def test_adoption(t):
    """The supervisor is killed, again and again: nobody notices, and its successor does all that
    it did."""
    with sick_bed(t) as bed:
        router, before = bed.router, pids(bed.router)
        hit(router, "user", signal.SIGKILL)
        before = pids(router)

        def held():
            files = {name: open_files(pid) for name, pid in before.items()}
            return {**files, "bulkhead": open_files(router.child.pid)}

        for n in range(3):
            kill_supervisor(router)
            forwards(bed)
            assert pids(router) == before, "a process is another"
            assert all(row["adopted"] for row in router.rows("processes"))
            assert router.process("user")["restarts"] == 1, "what was is forgotten"
            if n == 1:
                then = held()
        until(lambda: all(held()[name] <= then[name] for name in then), 20,
              f"no more descriptors than {then}")  # who just looked is still on its way out
        router.reload(bed.config.route("198.51.100.0/24", host4(1)))
        until(lambda: "198.51.100.0/24" in router.prefixes(), 20, "a new route", 0.1)
        order(router, "upgrade", "user", "--binary", sick(t, "better"))
        assert written_by(bed) == "better" and not router.process("user")["adopted"]
        for name, sig, how in (("routing", signal.SIGKILL, "exit"),
                               ("config", signal.SIGSTOP, "stop"),
                               ("user", signal.SIGUSR1, "hang")):
            _, row = hit(router, name, sig)
            assert row["ended-by"] == how and not row["adopted"], row
        forwards(bed)
        assert router.module_pid("core") == before["core"]


def test_module_dies_without_supervisor(t):
    """Killed after the supervisor: the next one starts it; put down ones stay down."""
    with sick_bed(t) as bed:
        router = bed.router
        order(router, "stop", "user")
        before = pids(router)
        router.child.kill()
        os.kill(before["routing"], signal.SIGKILL)
        router.start()
        row = router.process("routing")
        assert row["pid"] != before["routing"] and row["restarts"] == 1, row
        assert router.process("user")["state"] == "stopped"
        order(router, "start", "user")
        forwards(bed)


def test_core_and_supervisor_killed(t):
    """Modules that wait for a core in vain are ended by the next supervisor."""
    with lone_router(t) as router:
        before = pids(router)
        router.child.kill()
        os.kill(before["core"], signal.SIGKILL)
        until(lambda: not os.path.exists(f"/proc/{before['core']}/exe"), 10, "the core is gone")
        assert os.path.exists(f"/proc/{before['user']}/exe")
        router.start()
        left = [name for name, pid in before.items() if os.path.exists(f"/proc/{pid}/exe")]
        assert not left, left
        order(router, "restart", "routing")


def test_stopped_core_is_not_adopted(t):
    """A core that does not answer stays as it is: told, with what to do, and status 7."""
    with lone_router(t) as router:
        core = router.module_pid("core")
        router.child.kill()
        os.kill(core, signal.SIGSTOP)
        again = run(supervisor_argv(router.file, router.rundir), 60, router.env, check=False)
        assert again.returncode == 7 and "bulkhead-core" in again.stderr, again
        os.kill(core, signal.SIGCONT)
        router.start()
        assert router.module_pid("core") == core


def test_systemd_is_told(t):
    """NOTIFY_SOCKET: ready, status, the watchdog, and the end."""
    path, heard = os.path.join(t.workdir, "notify"), []
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(path)

        def listen():
            while not heard or heard[-1] != "STOPPING=1":
                heard.append(sock.recv(256).decode())
        listener = threading.Thread(target=listen, daemon=True)
        listener.start()
        with lone_router(t, NOTIFY_SOCKET=path, WATCHDOG_USEC="100000") as router:
            until(lambda: {"READY=1", "WATCHDOG=1"} <= set(heard), 20, "READY and WATCHDOG")
            order(router, "stop", "user")
            until(lambda: "STATUS=3 of 4 processes ready; user stopped" in heard, 20, "STATUS")
        listener.join(20)
        assert heard[-1] == "STOPPING=1", heard
