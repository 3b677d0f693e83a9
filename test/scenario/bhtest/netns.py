# SPDX-License-Identifier: BSD-3-Clause
"""Network namespaces and veth pairs, named uniquely and always removed."""
import atexit
import contextlib
import ctypes
import itertools
import os

from bhtest.process import run

SERIAL = itertools.count()
MADE = []


def unique(stem):
    """A name no other run uses, short enough for an interface (15 bytes)."""
    return f"{stem[:4]}{os.getpid() % 10**6}x{next(SERIAL)}"


def _setns(file):
    """setns(2), which Python 3.11 does not have."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(file.fileno(), 0x40000000):  # CLONE_NEWNET
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))


class Netns:
    """A network namespace that lives as long as this object's `with` or until destroy()."""

    def __init__(self, stem="bh"):
        self.name = unique(stem)
        run(["ip", "netns", "add", self.name])
        MADE.append(self)
        self.ip("link", "set", "lo", "up")

    def run(self, *argv, timeout=30, check=True):
        """Run a program inside to its end."""
        return run(["ip", "netns", "exec", self.name, *argv], timeout, check=check)

    def ip(self, *argv):
        """Run ip inside."""
        return run(["ip", "-n", self.name, *argv])

    def batch(self, lines):
        """Run many ip commands inside at once."""
        run(["ip", "-n", self.name, "-batch", "-"], stdin="\n".join(lines) + "\n")

    def sysctl(self, **values):
        """Set sysctls by path with __ for /: net__ipv4__ip_forward=1."""
        self.run("sysctl", "-qw", *(f"{key.replace('__', '/')}={value}"
                                    for key, value in values.items()))

    @contextlib.contextmanager
    def entered(self):
        """This thread is inside: sockets that it makes meanwhile stay there."""
        with open("/proc/thread-self/ns/net", "rb") as home, \
                open(f"/run/netns/{self.name}", "rb") as inside:
            _setns(inside)
            try:
                yield
            finally:
                _setns(home)

    def destroy(self):
        """Remove the namespace and with it the interfaces inside."""
        if self in MADE:
            MADE.remove(self)
            run(["ip", "netns", "del", self.name], check=False)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.destroy()


def cleanup():
    """Remove every namespace that is left."""
    for space in list(MADE):
        space.destroy()


atexit.register(cleanup)


class Veth:
    """A veth pair: `outer` stays in our namespace (for the router), `inner` is moved inside.

    Checksum offload is off on both, because a raw reader of the outer end would see partial
    checksums; the outer end gets no address of its own. With `outside` the outer end is made
    in that namespace.
    """

    def __init__(self, space, inner="eth0", mac=None, outside=None):
        self.space, self.inner, self.outer = space, inner, unique("bhv")
        peer = ["address", mac] if mac else []
        here = outside.run if outside else lambda *argv, **more: run(list(argv), **more)
        here("ip", "link", "add", self.outer, "type", "veth", "peer", "name", inner, *peer,
             "netns", space.name)
        here("sysctl", "-qw", f"net/ipv6/conf/{self.outer}/disable_ipv6=1")
        here("ethtool", "-K", self.outer, "tx", "off", check=False)
        space.run("ethtool", "-K", inner, "tx", "off", check=False)
        here("ip", "link", "set", self.outer, "up", "promisc", "on")
        space.ip("link", "set", inner, "up")

    def destroy(self):
        """Remove the pair."""
        self.space.run("ip", "link", "del", self.inner, check=False)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.destroy()
