# SPDX-License-Identifier: BSD-3-Clause
"""Traffic through a router: one testpmd that is source, link and sink of every memif link.

One lcore turns round the ports in order (chained topology): source -> memif -> sink, for each link.
  source  net_pcap with rx only: each packet of a file once, or for ever (infinite_rx)
  memif   client of the router's port, or its server, which outlives the router's core
  sink    net_pcap with tx only, which captures, or net_null that never receives, which drops
With retry the full memif ring is the brake: nothing is lost on the way in, and as the same lcore
empties the other end, the packets in flight stay near the size of one ring. For strict no-loss the
router's output ring must hold the input ring and a few bursts: give the link that only receives the
double rsize, or send no more than a ring holds. Two directions at once without loss take two pairs
of links, each pair with a smaller ring in than out: where one link does both, its rings are equal,
and on a busy machine a few bursts in ten million are lost, paced or not.
Stopping only the sources is a stop, a shorter port list, and a start: rings and counters live on.

The memif driver of DPDK 22.11 unmaps the rings when the peer goes, though a lcore may be polling
them: at 1 of 40 ends of a testpmd the polling peer died of SIGSEGV. So end in this order: halt(),
stop the router, close(); and use one Traffic for as long as the router runs.
"""
import os
import time

from bhtest import pcap
from bhtest.process import Timeout, until
from bhtest.testpmd import Testpmd


class Link:
    """One memif link: what is sent on it and what becomes of what returns."""

    def __init__(self, socket, rsize=10, send=None, infinite=False, capture=None, ident=0,
                 role="client"):
        self.socket, self.rsize, self.ident, self.role = socket, rsize, ident, role
        self.send, self.infinite, self.capture = send, infinite, capture

    def vdevs(self, n):
        """(source or None, memif, sink) as vdev arguments for link number n."""
        source = None
        if self.send:
            source = f"net_pcap_s{n},rx_pcap={self.send}"
            if self.infinite:
                source += ",infinite_rx=1"
        memif = (f"net_memif{n},role={self.role},id={self.ident},socket={self.socket},"
                 f"socket-abstract=no,rsize={self.rsize},zero-copy=no")
        sink = f"net_pcap_k{n},tx_pcap={self.capture}" if self.capture else f"net_null{n},no-rx=1"
        return source, memif, sink


class Traffic:
    """Links driven by one testpmd. Use: connect(), go(), then drain() or wait, then close().

    pace adds so many net_null ports, whose 32 packets a turn cost time: about 3 Mpps at 16. testpmd
    takes 32 ports in all.
    """

    def __init__(self, links, log, cpus=None, mem=None, pace=0):
        self.links, self.vdevs = links, []
        self.sources, self.memifs, self.sinks = {}, {}, {}
        for n, link in enumerate(links):
            for kind, vdev in zip((self.sources, self.memifs, self.sinks), link.vdevs(n)):
                if vdev:
                    kind[n] = len(self.vdevs)
                    self.vdevs.append(vdev)
        if pace:
            self.vdevs += [f"net_null_p{n},size=1024,copy=1" for n in range(pace)]
            self.vdevs.append("net_null_p,no-rx=1")  # the end of their chain, that feeds no link
        loaded = sum(self.count(link.send) for link in links if link.send and link.infinite)
        mbufs = 8192 + loaded
        mem = mem or max(64, 32 + mbufs * 2432 // (1 << 20))
        self.dropped, self.base = 0, None
        self.pmd = Testpmd(self.vdevs, log, cpus, mem, mbufs, ["--port-topology=chained"])

    @staticmethod
    def count(path):
        """Packets in a file."""
        return sum(1 for _ in pcap.records(path))

    def connect(self, timeout=15):
        """Wait until testpmd is ready and every memif link is up. Then it only receives."""
        self.pmd.ready(timeout)
        self.pmd.retry()
        until(lambda: set(self.memifs.values()) <= self.pmd.links_up(), timeout,
              f"memif links to {[link.socket for link in self.links]}")
        self._receive_only()
        return self

    def _receive_only(self):
        """Start all but the sources.

        A turn of this before the first packet matters: a memif client offers its buffers to the
        router only when it first polls, and until then the router's output ring is full.
        """
        self.pmd.portlist(sorted([*self.memifs.values(), *self.sinks.values()]))
        self.pmd.start()

    def go(self, sources=None):
        """Start sending and receiving; what came before this is not counted.

        sources: the links that send; all that have a source by default.
        """
        self._all_ports(sources)
        self.base = self._packets()
        self.pmd.start()
        return self

    def _all_ports(self, sources=None):
        self.halt()
        silent = {port for n, port in self.sources.items()
                  if sources is not None and n not in sources}
        self.pmd.portlist(port for port in range(len(self.vdevs)) if port not in silent)

    def _packets(self):
        stats = self.pmd.port_stats()
        return [{n: stats[port][field] for n, port in self.memifs.items()}
                for field in ("TX-packets", "RX-packets")]

    def _counts(self):
        return [{n: now[n] - base[n] for n in now}
                for now, base in zip(self._packets(), self.base)]

    def sent(self):
        """Packets that each memif took since go(): {link: n}."""
        return self._counts()[0]

    def received(self):
        """Packets that each memif brought back since go(): {link: n}."""
        return self._counts()[1]

    def totals(self):
        """(all sent, all received) since go()."""
        return tuple(sum(counts.values()) for counts in self._counts())

    def wait_received(self, more, timeout=30):
        """Wait until `more` further packets have come back."""
        goal = self.totals()[1] + more
        until(lambda: self.totals()[1] >= goal, timeout, f"{more} packets back")

    def stop_sources(self, timeout=30):
        """End the sending; what is under way still comes in."""
        self._stop(timeout)
        self._receive_only()

    def _stop(self, timeout):
        self.dropped += sum(port.get("TX-dropped", 0) for port in self.pmd.fwd_stats().values())
        self.pmd.stop(timeout)

    def finite_sent(self, timeout=60):
        """Wait until every finite source has been sent to its last packet."""
        goal = {n: self.count(self.links[n].send) for n in self.sources
                if not self.links[n].infinite}
        until(lambda: (lambda now: all(now[n] >= goal[n] for n in goal))(self.sent()),
              timeout, f"packets sent {goal}")

    def drain(self, expect=None, quiet=0.25, timeout=20):
        """Wait for the last packets: until `expect` in all are back and then none for `quiet` s.

        Returns (sent, received) by link. Packets that are missing are waited for 8 times as long.
        """
        deadline = time.monotonic() + timeout
        last, since = self.totals(), time.monotonic()
        while True:
            time.sleep(0.02)
            now = self.totals()
            if now != last:
                last, since = now, time.monotonic()
            enough = expect is None or now[1] >= expect
            if time.monotonic() - since >= (quiet if enough else 8 * quiet):
                break
            if time.monotonic() > deadline:
                raise Timeout(f"packets still come after {timeout} s: {now}")
        return tuple(self._counts())

    def halt(self):
        """Stop sending and receiving, but keep the links up."""
        if self.pmd.forwarding:
            self._stop(30)

    def close(self):
        """Quit, with the router stopped already; assert that testpmd itself has lost nothing."""
        self.halt()
        self.pmd.close()
        if self.dropped:
            raise AssertionError(f"testpmd dropped {self.dropped} packets in spite of retry")

    def kill(self):
        """End it at once."""
        self.pmd.kill()

    def burst(self, frames, expect=0, quiet=0.15, timeout=30):
        """Send frames {link: [frame, ...]} once, over links of burst_links().

        `expect` packets in all are waited for, then `quiet` seconds of silence. Returns what came
        back on each capturing link: {link: [frame, ...]}.
        """
        self._all_ports()
        for n, source in self.sources.items():
            pcap.write(self.links[n].send, frames.get(n, ()))
            self.pmd.restart_port(source)
        captures = [n for n, link in enumerate(self.links) if link.capture]
        for n in captures:
            self.pmd.restart_port(self.sinks[n])
        self.go()
        until(lambda: self.totals()[0] >= sum(map(len, frames.values())), timeout, "burst sent")
        self.drain(expect, quiet, timeout)
        self._stop(timeout)
        return {n: self.captured(n) for n in captures}

    def captured(self, n):
        """The frames that link n brought back. Complete after drain()."""
        return pcap.read(self.links[n].capture)


def burst_links(folder, paths):
    """Links over these sockets that send from and capture to files in folder, for burst().

    Link 0 has the smallest ring: what is sent on it can be any number of packets; on the others no
    more than a ring holds.
    """
    links = []
    for n, path in enumerate(paths):
        send = os.path.join(folder, f"send{n}.pcap")
        pcap.write(send, ())
        links.append(Link(path, 12 if n else 10, send,
                          capture=os.path.join(folder, f"got{n}.pcap")))
    return links


def memif_args(socket, rsize=10, ident=0, role="server"):
    """The devargs of the router's end of a link."""
    return (f"role={role},id={ident},socket={socket},socket-abstract=no,rsize={rsize},"
            "zero-copy=no")


def sockets(folder, count):
    """Paths of memif sockets in a folder."""
    return [os.path.join(folder, f"m{n}.sock") for n in range(count)]
