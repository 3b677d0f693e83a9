# SPDX-License-Identifier: BSD-3-Clause
"""Bad files and a bad environment: what is said, the exit code, and that nothing is left."""
import os

from bhtest.bed import base_config, host4
from bhtest.config import Config
from bhtest.process import run
from bhtest.router import (Router, check_argv, end, environment, files, supervisor_argv,
                           tagged)

INVALID, UNREADABLE, MEMORY, PRIVILEGE, BUSY, NO_DEVICE = 2, 3, 5, 6, 7, 8
# Root without any capability: what it does not own it cannot touch.
POWERLESS = ["setpriv", "--bounding-set=-all", "--inh-caps=-all", "--ambient-caps=-all"]


def attempt(t, file, check=False, before=(), folder=None):
    """Run the supervisor to its end: (exit code, all it said); nothing may be left of it."""
    rundir = os.path.join(folder or t.workdir, "attempt")
    try:
        argv = check_argv(file) if check else supervisor_argv(file, rundir)
        done = run([*before, *argv], 30, environment(rundir), check=False)
        left = tagged(rundir)
        assert not left, f"processes left: {left}"
    finally:
        end(tagged(rundir))
    sockets = [name for name in files(rundir) if name.endswith(".sock")]
    assert not sockets, f"sockets left: {sockets}"
    return done.returncode, done.stdout + done.stderr


def write(t, text):
    """A file with this text."""
    path = os.path.join(t.workdir, "bad.json")
    with open(path, "w", encoding="utf-8") as out:
        out.write(text)
    return path


def refuse(t, config, *words):
    """Expect exit code 2 and every word in the message, from a start and from --check."""
    file = config if isinstance(config, str) else config.write(os.path.join(t.workdir, "bad.json"))
    for check in (False, True):
        code, said = attempt(t, file, check)
        assert code == INVALID, f"exit code {code}: {said}"
        for word in words:
            assert word in said, f"{word!r} is not in: {said}"


def test_check_valid(t):
    """--check of a valid file: exit code 0, nothing started."""
    config = base_config(t.workdir, 2).route("0.0.0.0/0", host4(1))
    code, said = attempt(t, config.write(os.path.join(t.workdir, "good.json")), True)
    assert code == 0, f"exit code {code}: {said}"


def test_syntax_error(t):
    """A file cut in the middle."""
    file = base_config(t.workdir, 2).write(os.path.join(t.workdir, "whole.json"))
    with open(file, encoding="utf-8") as text:
        whole = text.read()
    refuse(t, write(t, whole[:len(whole) // 2]))
    refuse(t, write(t, ""))


def test_unknown_node(t):
    """A node that no module defines."""
    config = base_config(t.workdir, 1)
    config.interfaces["p0"]["colour"] = "red"
    refuse(t, config, "colour")


def test_bad_prefix(t):
    """A prefix length above 32."""
    refuse(t, base_config(t.workdir, 1).route("192.0.2.0/33", host4(0)), "192.0.2.0/33",
           "destination-prefix")


def test_bad_address(t):
    """An address that is none, and a prefix length that is none."""
    config = base_config(t.workdir, 1)
    config.interfaces["p0"]["ietf-ip:ipv4"]["address"][0]["ip"] = "10.0.0.256"
    refuse(t, config, "10.0.0.256")


def test_dangling_interface(t):
    """A route by an interface that is not configured."""
    refuse(t, base_config(t.workdir, 1).route("192.0.2.0/24", interface="nowhere"), "nowhere",
           "outgoing-interface")


def test_duplicate_address(t):
    """One address on two interfaces: our own check, in libyang's form with the path."""
    config = base_config(t.workdir, 2)
    config.interfaces["p1"]["ietf-ip:ipv4"]["address"][0]["ip"] = "10.0.0.1"
    refuse(t, config, "10.0.0.1", "/ietf-interfaces:interfaces/interface[name=")


def test_missing_file(t):
    """A file that is not there."""
    code, said = attempt(t, os.path.join(t.workdir, "none.json"))
    assert code == UNREADABLE and "none.json" in said, f"exit code {code}: {said}"


def environment_error(result, want, word):
    """Expect this exit code, and a line that names what is wrong."""
    code, said = result
    assert code == want, f"exit code {code}: {said}"
    assert any(word in line for line in said.splitlines()), f"no line has {word!r}: {said}"


def test_missing_device(t):
    """A PCI device that is not there: said with its address."""
    config = base_config(t.workdir, 1).interface("nic", "0000:7f:1f.7", ["192.0.2.1/24"])
    environment_error(attempt(t, config.write(os.path.join(t.workdir, "nic.json"))), NO_DEVICE,
                      "0000:7f:1f.7")


def test_missing_hugepages(t):
    """More memory than there are hugepages: said with the number to reserve."""
    if os.environ.get("BH_NO_HUGE"):
        t.say("no hugepages on this machine: nothing to run out of")
        return
    config = base_config(t.workdir, 1, plan={"memory": {"size": 1048576}})
    environment_error(attempt(t, config.write(os.path.join(t.workdir, "big.json"))), MEMORY,
                      "vm.nr_hugepages=")


def test_missing_privilege(t):
    """A run directory that may not be made; a kernel interface without CAP_NET_RAW."""
    foreign = os.path.join(t.workdir, "foreign")
    os.mkdir(foreign, 0o700)
    os.chown(foreign, 65534, 65534)
    file = base_config(t.workdir, 1).write(os.path.join(t.workdir, "one.json"))
    environment_error(attempt(t, file, before=POWERLESS, folder=foreign), PRIVILEGE, "--run-dir")
    config = Config().interface("p0", "net_af_packet0,iface=lo", ["192.0.2.1/24"])
    file = config.write(os.path.join(t.workdir, "kernel.json"))
    environment_error(attempt(t, file, before=POWERLESS), PRIVILEGE, "CAP_NET_RAW")


def test_busy_socket(t):
    """A second router on the same run directory: refused, and the first goes on."""
    first = Router(base_config(t.workdir, 1), t.workdir)
    t.log_file(first.log)
    try:
        first.start()
        done = run(supervisor_argv(first.file, first.rundir), 30, first.env, check=False)
        environment_error((done.returncode, done.stdout + done.stderr), BUSY, first.rundir)
        assert first.rows("interfaces"), "the first router no longer answers"
        first.stop()
    finally:
        first.kill()


def test_bhctl_without_router(t):
    """bhctl with no router running: one line, exit code other than 0."""
    router = Router(base_config(t.workdir, 1), t.workdir)
    done = router.ctl("show", "routes", check=False)
    assert done.returncode and router.rundir in done.stderr, (done.returncode, done.stderr)
    assert len(done.stderr.splitlines()) == 1, done.stderr
