# SPDX-License-Identifier: BSD-3-Clause
"""The other end of an emulated NIC: Ethernet frames as datagrams on a unix socket."""
import os
import socket
import threading
import time

FRAMES, PAUSE = 8, 0.002  # paced: a guest without KVM is slow, and its NIC has few buffers
BUFFER = 4 << 20


class Wire:
    """Socket NAME.h of the host, which faces NAME.q of QEMU, in a folder."""

    def __init__(self, folder, name):
        self.name, self.peer = name, os.path.join(folder, name + ".q")
        self.near = os.path.join(folder, name + ".h")
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
            self.sock.setsockopt(socket.SOL_SOCKET, option, BUFFER)
        self.sock.bind(self.near)
        self.sock.settimeout(10)
        self.frames, self.open = [], True
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        while self.open:
            try:
                frame = self.sock.recv(1 << 16)
            except TimeoutError:
                continue
            except OSError:
                return
            if frame:
                self.frames.append(frame)

    def netdev(self):
        """QEMU's -netdev argument."""
        return (f"dgram,id={self.name},local.type=unix,local.path={self.peer},"
                f"remote.type=unix,remote.path={self.near}")

    def send(self, frames):
        """Send them, paced; a guest that takes none for 10 s raises TimeoutError."""
        for n, frame in enumerate(frames):
            if n % FRAMES == 0:
                time.sleep(PAUSE)
            self.sock.sendto(frame, self.peer)

    def close(self):
        """Close it."""
        self.open = False
        self.sock.shutdown(socket.SHUT_RDWR)
        self.sock.close()


def exchange(wires, frames, expect, timeout=40, quiet=0.5):
    """Send frames {n: [frame]} into wires[n]; {n: [captured unicast frame]}.

    `expect` frames in all are waited for, then `quiet` seconds of silence; missing ones are waited
    for until no frame has come for 8 times as long.
    """
    for wire in wires:
        wire.frames.clear()
    senders = [threading.Thread(target=wires[n].send, args=(out,)) for n, out in frames.items()]
    for sender in senders:
        sender.start()
    count, since = 0, time.monotonic()
    deadline = since + timeout
    while time.monotonic() < deadline:
        time.sleep(0.05)
        now = sum(len(wire.frames) for wire in wires)
        if now != count or any(sender.is_alive() for sender in senders):
            count, since = now, time.monotonic()
        elif time.monotonic() - since > (quiet if count >= expect else 8 * quiet):
            break
    for sender in senders:
        sender.join(15)
    return {n: [frame for frame in wire.frames if not frame[0] & 1]
            for n, wire in enumerate(wires)}
