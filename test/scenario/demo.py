#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""The demo: a YANG file, a router, testpmd on both sides, IPv4 and IPv6 in both directions.

Exit status 0 when every packet that testpmd's links took came back by the other link.
"""
import os
import shutil
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from bhtest import pcap  # noqa: E402  (the path is set above)
from bhtest.bed import base_config, flow, host4, host6  # noqa: E402
from bhtest.router import Router  # noqa: E402
from bhtest.traffic import Link, Traffic, sockets  # noqa: E402

SECONDS = 3.0
FLOWS = 256
LEGS = [(origin, family) for family in ("IPv4", "IPv6") for origin in (0, 1)]
REMOTE = {(0, "IPv4"): "172.16.0.0/16", (1, "IPv4"): "172.17.0.0/16",
          (0, "IPv6"): "2001:db8:a::/48", (1, "IPv6"): "2001:db8:b::/48"}


def demo_config(folder):
    """Two memif ports, a network behind each."""
    config = base_config(folder, 2)
    for (port, family), prefix in REMOTE.items():
        config.route(prefix, (host4 if family == "IPv4" else host6)(port))
    return config


def destination(port, family, n):
    """The n-th address of the network behind a port."""
    prefix = REMOTE[port, family].split("/")[0]
    if family == "IPv4":
        return prefix.replace(".0.0", f".{n >> 8}.{n & 255}", 1)
    return f"{prefix}{n:x}"


def leg(router, folder, origin, family, meanwhile=None):
    """Traffic of one family from one port to the other: (sent, received, seconds).

    meanwhile is called once all has come back, with the links still up."""
    target = 1 - origin
    source = os.path.join(folder, "source.pcap")
    pcap.write(source, (flow(destination(target, family, n), port=origin, seq=n, sport=1024 + n)
                        for n in range(1, FLOWS + 1)))
    paths = sockets(folder, 2)
    links = [Link(paths[n], 10 if n == origin else 12,
                  source if n == origin else None, infinite=n == origin) for n in range(2)]
    traffic = Traffic(links, os.path.join(folder, "testpmd.log"))
    try:
        traffic.connect()
        router.settled(router.config.interfaces, router.config.prefixes())
        began = time.monotonic()
        traffic.go()
        time.sleep(SECONDS)  # the length of the measurement
        traffic.stop_sources()
        seconds = time.monotonic() - began
        sent, received = traffic.drain()
        if meanwhile:
            meanwhile()
        traffic.close()
        return sent[origin], received[target], seconds
    except BaseException:
        traffic.kill()
        raise


def report(results):
    """The table of all legs; True if nothing was lost."""
    print(f"\n{'direction':<12}{'family':<8}{'sent':>12}{'received':>12}{'lost':>8}{'Mpps':>8}")
    for (origin, family), (sent, received, seconds) in results.items():
        print(f"p{origin} -> p{1 - origin:<6}{family:<8}{sent:>12}{received:>12}{sent - received:>8}"
              f"{received / seconds / 1e6:>8.2f}")
    return all(sent == received and sent for sent, received, _ in results.values())


def show(router, *words):
    """Print what bhctl shows."""
    print(f"\n$ bhctl show {' '.join(words)}")
    print(router.ctl("show", *words).stdout, end="", flush=True)


def show_all(router):
    """What a user would look at."""
    for words in (["interfaces"], ["routes"], ["processes"], ["connections"], ["counters"]):
        show(router, *words)


def run(folder):
    """The whole demo; its exit status."""
    options = ["--no-huge"] if os.environ.get("BH_NO_HUGE") else []
    config = demo_config(folder)
    router = Router(config, folder, options)
    began = time.monotonic()
    try:
        router.start()
        print(f"bulkhead is ready after {time.monotonic() - began:.1f} s", flush=True)
        results = {}
        for origin, family in LEGS:
            print(f"testpmd: {family} from p{origin} to p{1 - origin}, {SECONDS:.0f} s ...",
                  flush=True)
            last = (origin, family) == LEGS[-1]
            results[origin, family] = leg(router, folder, origin, family,
                                          (lambda: show_all(router)) if last else None)
        lossless = report(results)
        router.stop()
    except BaseException:
        router.kill()
        if os.path.exists(router.log):
            with open(router.log, encoding="utf-8", errors="replace") as text:
                print("".join(text.readlines()[-30:]), file=sys.stderr)
        raise
    print("\nno packet lost" if lossless else "\npackets were LOST")
    return 0 if lossless else 1


def main():
    """A folder of its own, removed at the end."""
    folder = tempfile.mkdtemp(prefix="bhdemo.")
    try:
        return run(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
