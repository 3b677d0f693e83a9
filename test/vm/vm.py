# SPDX-License-Identifier: BSD-3-Clause
"""A guest with two emulated NICs behind an emulated IOMMU, and a shell in it.

It has no disk: the host's root, read-only over 9p, is its root, so what was just built runs. QEMU
emulates (no KVM), so everything is slow but works on any machine.
"""
import json
import os
import shutil
import socket
import time

from bhtest.process import Child, Timeout, until

from wire import Wire

HERE = os.path.dirname(os.path.abspath(__file__))
SHARE = "/run/share"  # the shared folder as the guest sees it
BOOT = 120
OPTIONS = {
    "e1000": "romfile=",
    "e1000e": "romfile=",
    "virtio-net-pci": "disable-legacy=on,iommu_platform=on,rx_queue_size=1024,romfile=",
    "vmxnet3": "romfile=",
}
ADDRESSES = ("0000:00:05.0", "0000:00:06.0")


def nic_mac(n):
    """The MAC address of NIC n."""
    return f"52:54:00:00:00:{n + 10:02x}"


def connect(path, timeout):
    """A stream socket of QEMU's."""
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    until(lambda: sock.connect_ex(path) == 0, timeout, f"QEMU listens on {path}", 0.1)
    return sock


class Lines:
    """Lines from a socket, each waited for with a deadline."""

    def __init__(self, sock):
        self.sock, self.rest = sock, b""

    def next(self, deadline):
        """The next line."""
        while b"\n" not in self.rest:
            left = deadline - time.monotonic()
            if left <= 0:
                raise Timeout("the guest does not answer in time")
            self.sock.settimeout(left)
            try:
                data = self.sock.recv(4096)
            except TimeoutError:
                continue
            if not data:
                raise Timeout("the guest has ended")
            self.rest += data
        line, self.rest = self.rest.split(b"\n", 1)
        return line.decode(errors="replace").strip()


class Vm:
    """A running guest, without an IOMMU if so told. folder is its own, for sockets and logs."""

    def __init__(self, image, nic, folder, iommu=True):
        self.folder, self.nic, self.commands = folder, nic, 0
        self.share = os.path.join(folder, "share")
        self.console = os.path.join(folder, "console.log")
        os.mkdir(self.share)
        shutil.copy(os.path.join(HERE, "agent"), self.share)
        self.wires = [Wire(folder, name) for name in "ab"]
        self.qemu = Child(self._argv(image, nic, iommu), os.path.join(folder, "qemu.log"))
        self.agent = self.qmp = None

    def _argv(self, image, nic, iommu):
        argv = ["qemu-system-x86_64", "-machine", "q35,kernel-irqchip=split",
                "-accel", "tcg,thread=multi", "-cpu", "Nehalem", "-smp", "2", "-m", "1536M",
                "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
                "-kernel", image[0], "-initrd", image[1], "-append",
                "console=ttyS0 quiet panic=-1 hugepages=256"
                + (" intel_iommu=on iommu=pt" if iommu else ""),
                "-serial", f"file:{self.console}",
                "-chardev", f"socket,id=agent,path={self.folder}/agent.s,server=on,wait=off",
                "-serial", "chardev:agent",
                "-qmp", f"unix:{self.folder}/qmp.s,server=on,wait=off"]
        if iommu:
            argv += ["-device", "intel-iommu,intremap=on,caching-mode=on"]
        for n, (tag, path, more) in enumerate((("host", "/", ",readonly=on,multidevs=remap"),
                                               ("share", self.share, ""))):
            argv += ["-fsdev", f"local,id={tag},path={path},security_model=none{more}",
                     "-device", f"virtio-9p-pci,fsdev={tag},mount_tag={tag},addr={n + 2}"]
        for n, wire in enumerate(self.wires):
            argv += ["-netdev", wire.netdev(), "-device",
                     f"{nic},netdev={wire.name},mac={nic_mac(n)},addr={n + 5},{OPTIONS[nic]}"]
        return argv

    def boot(self):
        """Wait for the guest's agent."""
        try:
            sock = connect(f"{self.folder}/agent.s", 20)
            self.agent = Lines(sock)
            deadline = time.monotonic() + BOOT
            while self.agent.next(deadline) != "ready":
                pass
            self.qmp = Lines(connect(f"{self.folder}/qmp.s", 20))
            self.qmp.next(time.monotonic() + 10)
            self.ask("qmp_capabilities")
        except Timeout as why:
            raise Timeout(f"{why}; the guest's console:\n{self.console_tail()}") from None
        return self

    def console_tail(self):
        """The last lines of the guest's console and what QEMU said."""
        text = self.qemu.text
        if os.path.exists(self.console):
            with open(self.console, encoding="utf-8", errors="replace") as console:
                text += console.read()
        return "\n".join(text.splitlines()[-20:])

    def ask(self, command, **arguments):
        """A command to QEMU itself; its answer."""
        deadline = time.monotonic() + 10
        text = json.dumps({"execute": command, "arguments": arguments})
        self.qmp.sock.sendall(text.encode() + b"\n")
        while True:
            answer = json.loads(self.qmp.next(deadline))
            if "error" in answer:
                raise AssertionError(f"QEMU: {answer['error']}")
            if "return" in answer:
                return answer["return"]

    def run(self, command, timeout=60):
        """A line for the guest's shell: (exit code, all it printed)."""
        self.commands += 1
        self.agent.sock.sendall(f"{self.commands} {command}\n".encode())
        deadline = time.monotonic() + timeout
        try:
            while True:
                words = self.agent.next(deadline).split()
                if words[:2] == ["done", str(self.commands)]:
                    break
        except Timeout as why:
            raise Timeout(f"{command}: {why}") from None
        return int(words[2]), self.read(f"{self.commands}.out")

    def path(self, name):
        """A file of the shared folder, as the host sees it."""
        return os.path.join(self.share, name)

    def read(self, name):
        """The text of a file of the shared folder; empty if there is none."""
        if not os.path.exists(self.path(name)):
            return ""
        with open(self.path(name), encoding="utf-8", errors="replace") as text:
            return text.read()

    def close(self):
        """Switch it off."""
        self.qemu.kill()
        for wire in self.wires:
            wire.close()
        for lines in (self.agent, self.qmp):
            if lines:
                lines.sock.close()
