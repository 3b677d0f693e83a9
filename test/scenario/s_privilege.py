# SPDX-License-Identifier: BSD-3-Clause
"""As whom every process runs and what it still may do; who may use the core's socket."""
import errno
import grp
import os
import pwd
import shutil
import signal
import stat
import subprocess

from bhtest.bed import base_config, host4
from bhtest.client import Client, library
from bhtest.config import Config
from bhtest.netns import unique
from bhtest.process import until
from bhtest.router import Router, build_tree, program

USER, GROUP, STRANGER = 64201, 64202, 64203  # nobody has these
NET_RAW, NET_ADMIN = 1 << 13, 1 << 12
PERMISSION = 4
SETS = ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")


def module_user():
    """(uid, gid) of modules without --user."""
    try:
        user = pwd.getpwnam("bulkhead")
    except KeyError:
        user = pwd.getpwnam("nobody")
    try:
        return user.pw_uid, grp.getgrnam("bulkhead").gr_gid
    except KeyError:
        return user.pw_uid, user.pw_gid


def status(path):
    """/proc/PID/status as a dictionary of lists of words."""
    with open(f"/proc/{path}/status", encoding="ascii", errors="replace") as text:
        return {key: value.split() for key, value in (line.split(":", 1) for line in text)}


def threads(pid):
    """The status of every thread."""
    return [status(f"{pid}/task/{tid}") for tid in os.listdir(f"/proc/{pid}/task")]


def capabilities(state):
    """The sets of one thread, as numbers by name."""
    return {name: int(state[name][0], 16) for name in SETS}


def sanitized(router):
    """Whether the build says that it has no filter."""
    return "built with sanitizers" in router.child.text


def check_module(router, name, uid, gid):
    """A module: this user and group, no capability, no way to any, filtered."""
    for state in threads(router.module_pid(name)):
        assert set(state["Uid"]) == {str(uid)}, (name, state["Uid"])
        assert set(state["Gid"]) == {str(gid)}, (name, state["Gid"])
        assert not state["Groups"], (name, state["Groups"])
        assert not any(capabilities(state).values()), (name, capabilities(state))
        assert state["NoNewPrivs"] == ["1"], name
        assert state["Umask"] == ["0077"], (name, state["Umask"])
        if not sanitized(router):
            assert state["Seccomp"] == ["2"], (name, state["Seccomp"])


def check_core(router, keeps=0):
    """The core: our user, in every thread no more capabilities than these."""
    states = threads(router.module_pid("core"))
    assert len(states) > 3, "not all lcores were seen"
    for state in states:
        caps = capabilities(state)
        assert state["Uid"][0] == str(os.getuid()) and state["NoNewPrivs"] == ["1"], state["Uid"]
        assert caps == {"CapInh": 0, "CapPrm": keeps, "CapEff": keeps, "CapBnd": 0, "CapAmb": 0}, (
            state["Name"], caps)


def check_all(router, uid, gid):
    """Every process of a router without kernel devices."""
    modules = [row["name"] for row in router.rows("processes") if row["name"] != "core"]
    assert set(modules) >= {"config", "routing"}, modules
    for name in modules:
        check_module(router, name, uid, gid)
    check_core(router)


def null_config():
    """One port whose link is up without a peer."""
    return Config().interface("p0", "net_null0", ["10.0.0.1/24"],
                              {host4(0): "02:bb:00:00:00:02"})


class Running:
    """A router in `with`, in a directory that everybody may pass."""

    def __init__(self, t, config, *options):
        os.chmod(t.workdir, 0o711)
        self.router = Router(config, t.workdir, options)
        t.log_file(self.router.log)

    def __enter__(self):
        try:
            return self.router.start()
        except BaseException:
            self.router.kill()
            raise

    def __exit__(self, kind, *_):
        try:
            if not kind:
                self.router.stop()
        finally:
            self.router.kill()


def restarted(router, name):
    """SIGKILL a module and wait for its successor."""
    pid = router.module_pid(name)
    os.kill(pid, signal.SIGKILL)
    until(lambda: router.process(name)["pid"] not in (0, pid) and
          router.process(name)["state"] == "ready", 20, f"{name} restarted")


def test_processes(t):
    """Uid, capabilities, no_new_privs, filter, umask: of each at its start and after SIGKILL."""
    config = base_config(t.workdir, 2)
    config.plan = {**(config.plan or {}),
                   "modules": {"module": [{"name": "v6stack"}, {"name": "snmp"}]}}
    with Running(t, config) as router:
        uid, gid = module_user()
        check_all(router, uid, gid)
        for name in ("config", "routing", "v6stack", "snmp"):
            restarted(router, name)
        check_all(router, uid, gid)
        t.say(f"modules run as {uid}:{gid}; the core holds no capability")


def test_core_restart(t):
    """A core that died comes back with no more than before, and its modules too."""
    with Running(t, null_config().route("198.51.100.0/24", host4(0))) as router:
        pid = router.module_pid("core")
        os.kill(pid, signal.SIGKILL)
        until(lambda: router.ctl("show", "routes", check=False).returncode == 0 and
              "198.51.100.0/24" in router.prefixes(), 60, "routes after the core's restart", 0.2)
        until(lambda: router.process("routing")["state"] == "ready", 20, "all are ready")
        assert router.module_pid("core") != pid
        check_all(router, *module_user())


def test_file_of_root(t):
    """A configuration that only root may read: at start, replaced and reloaded, after SIGKILL."""
    mask = os.umask(0o077)
    try:
        config = null_config().route("198.51.100.0/24", host4(0))
        with Running(t, config) as router:
            assert stat.S_IMODE(os.stat(router.file).st_mode) == 0o600
            check_module(router, "config", *module_user())
            router.reload(config.route("203.0.113.0/24", host4(0)))
            until(lambda: "203.0.113.0/24" in router.prefixes(), 20, "the new route", 0.1)
            restarted(router, "config")
            router.reload(config.delete_route("198.51.100.0/24"))
            until(lambda: "198.51.100.0/24" not in router.prefixes(), 20, "a route gone", 0.1)
            assert "203.0.113.0/24" in router.prefixes()
            os.unlink(router.file)
            router.child.signal(signal.SIGHUP)
            router.child.expect("router.json: cannot read", 10)
            assert "203.0.113.0/24" in router.prefixes()
            check_all(router, *module_user())
    finally:
        os.umask(mask)


def closed_tree(t):
    """The build tree's programs and YANG modules below a directory that is closed to all."""
    closed = os.path.join(t.workdir, "closed")
    tree = os.path.join(closed, "tree")
    build = build_tree()
    for path in ("app/core/bulkhead-core", "config/bulkhead-config",
                 "modules/routing/bulkhead-routing", "config/yang/bulkhead.yang",
                 "config/yang/bulkhead-deviations.yang"):
        os.makedirs(os.path.dirname(os.path.join(tree, path)), exist_ok=True)
        shutil.copy(os.path.join(build, path), os.path.join(tree, path))
    os.chmod(closed, 0o700)
    return tree


def test_closed_build_tree(t):
    """A build tree where the modules' user cannot go: they start, and hold no capability."""
    with Running(t, null_config(), "-B", closed_tree(t)) as router:
        with open(f"/proc/{router.module_pid('config')}/cmdline", "rb") as text:
            assert b"--run" in text.read()
        exe = os.readlink(f"/proc/{router.module_pid('config')}/exe")
        assert "/closed/tree/" in exe, exe
        check_all(router, *module_user())
        router.reload(router.config.route("198.51.100.0/24", host4(0)))
        until(lambda: "198.51.100.0/24" in router.prefixes(), 20, "the new route", 0.1)


def test_kernel_device(t):
    """A TAP: the core keeps CAP_NET_RAW and CAP_NET_ADMIN, all else as before."""
    if not os.access("/dev/net/tun", os.W_OK):
        t.say("no /dev/net/tun here")
        return
    config = Config().interface("p0", f"net_tap0,iface={unique('bhp')}", ["192.0.2.1/24"])
    with Running(t, config) as router:
        check_core(router, NET_RAW | NET_ADMIN)
        check_module(router, "config", *module_user())
        until(lambda: router.links_up() == {"p0"}, 10, "the TAP up", 0.1)


def test_kernel_device_too_late(t):
    """A kernel interface that is configured later: refused with a text, the rest goes on."""
    config = base_config(t.workdir, 1)
    with Running(t, config) as router:
        router.reload(config.copy().interface("k0", "net_af_packet0,iface=lo", ["192.0.2.1/24"]))

        def told():
            row = [row for row in router.rows("interfaces") if row["name"] == "k0"]
            return row and "CAP_NET_RAW: restart bulkhead" in row[0]["error"]
        until(told, 10, "the error of k0", 0.1)
        check_core(router)


def as_user(argv, env, groups=()):
    """Run as STRANGER, member of these groups."""
    return subprocess.run(argv, capture_output=True, text=True, timeout=30, env=env, check=False,
                          user=STRANGER, group=STRANGER, extra_groups=list(groups))


def write_as_member(socket):
    """In a child, as a member of the group: read, then try to write. The answer of the core."""
    library()
    pid = os.fork()
    if pid == 0:
        code = 255
        try:
            os.setgroups([GROUP])
            os.setresgid(STRANGER, STRANGER, STRANGER)
            os.setresuid(STRANGER, STRANGER, STRANGER)
            client = Client(socket)
            if client.get("interface", (1).to_bytes(4, "little")):
                code = -client.add("user", b"x".ljust(32, b"\0"), b"1234")
        finally:
            os._exit(code)
    return -os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def test_socket(t):
    """Outside the group: refused, with what to do. A member reads, and writes nothing."""
    with Running(t, base_config(t.workdir, 1), "--user", str(USER), "--group",
                 str(GROUP)) as router:
        check_all(router, USER, GROUP)
        socket = os.path.join(router.rundir, "core.sock")
        mode = os.stat(socket)
        assert (stat.S_IMODE(mode.st_mode), mode.st_uid, mode.st_gid) == (0o660, os.getuid(), GROUP)
        bhctl = shutil.copy(program("app", "ctl", "bhctl"), t.workdir)
        done = as_user([bhctl, "show", "interfaces"], router.env)
        assert done.returncode == PERMISSION, done
        assert f"member of group {GROUP}" in done.stderr and not done.stdout, done
        t.say(done.stderr.strip())
        done = as_user([bhctl, "show", "interfaces"], router.env, [GROUP])
        assert done.returncode == 0 and "p0" in done.stdout, done
        assert write_as_member(socket) == -errno.EPERM
        done = as_user([bhctl, "module", "restart", "routing"], router.env, [GROUP])
        assert done.returncode == PERMISSION and "root's to give" in done.stderr, done
        assert router.process("routing")["restarts"] == 0
        assert not router.rows("tables")[0]["stale"]


def test_unknown_user(t):
    """--user and --group that do not exist: said, and nothing is started."""
    for option in ("--user", "--group"):
        router = Router(base_config(t.workdir, 1), t.workdir, [option, "no-such-name"])
        t.log_file(router.log)
        try:
            router.write()
            done = subprocess.run([program("app", "supervisor", "bulkhead"), "-c", router.file,
                                   "-r", router.rundir, option, "no-such-name"], timeout=30,
                                  capture_output=True, text=True, check=False)
            assert done.returncode == 6 and "no-such-name" in done.stderr, done
        finally:
            router.kill()
