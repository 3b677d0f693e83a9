# SPDX-License-Identifier: BSD-3-Clause
"""A file with 100,000 IPv4 and 20,000 IPv6 static routes loads; figures for the time taken."""
import time

from bhtest import verify
from bhtest.bed import Bed, base_config, flow, host4, host6, host_mac, port_mac
from bhtest import packet as p

ROUTES4, ROUTES6, HOSTS = 100000, 20000, 4
SAMPLES = 2000
LIMITS = {"test_many_static_routes": 420}


def prefix4(n):
    """Prefix number n: /24s under 20/8 and 21/8."""
    return f"{20 + (n >> 16)}.{n >> 8 & 255}.{n & 255}.0/24"


def prefix6(n):
    """Prefix number n: /48s under 2001:dc0::/32."""
    return f"2001:dc0:{n:x}::/48"


def samples():
    """(destination, route number) of flows spread over all routes."""
    for i in range(SAMPLES):
        n = i * ROUTES4 // SAMPLES
        yield prefix4(n).replace(".0/24", f".{i % 250 + 1}"), n
        n = i * ROUTES6 // SAMPLES
        yield prefix6(n).replace("::/48", f"::{i + 1:x}"), n


def test_many_static_routes(t):
    """Load, list, forward by a sample of them, stop."""
    config = base_config(t.workdir, 2)
    for n in range(ROUTES4):
        config.route(prefix4(n), host4(1, n % HOSTS))
    for n in range(ROUTES6):
        config.route(prefix6(n), host6(1, n % HOSTS))
    start = time.monotonic()
    with Bed(t, config) as bed:
        t.say(f"loaded and settled in {time.monotonic() - start:.1f} s")
        start = time.monotonic()
        listed = bed.router.prefixes()
        t.say(f"{len(listed)} routes listed in {time.monotonic() - start:.2f} s")
        missing = config.prefixes() - listed
        assert not missing, f"{len(missing)} routes missing"
        chosen = list(samples())
        frames = [flow(dst, seq=seq) for seq, (dst, _) in enumerate(chosen)]
        got = bed.burst({0: frames}, len(frames))
        verify.check_all_forwarded(frames, got[1], port_mac(1), lambda frame: host_mac(
            1, chosen[p.marked(frame)][1] % HOSTS))
        start = time.monotonic()
    t.say(f"stopped in {time.monotonic() - start:.1f} s")
