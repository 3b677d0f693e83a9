# SPDX-License-Identifier: BSD-3-Clause
"""What leaves the router, judged on captured frames: rewrite, longest match, ECMP."""
from collections import Counter

from bhtest import packet as p
from bhtest import verify
from bhtest.bed import Bed, base_config, flow, host4, host6, host_mac, port_mac

FLOWS = 10000
ECMP4, ECMP6 = "100.64.0.0/10", "2001:db8:ec::/48"

# Overlapping prefixes, each to a host of its own, with addresses that must choose it.
LONGEST4 = {
    "0.0.0.0/0": (1, 0, ["8.8.8.8", "171.255.255.255", "173.0.0.0", "223.255.255.255"]),
    "172.0.0.0/8": (1, 1, ["172.1.2.3", "172.17.0.255", "172.17.2.0", "172.255.255.255"]),
    "172.17.1.0/24": (2, 2, ["172.17.1.0", "172.17.1.6", "172.17.1.8", "172.17.1.255"]),
    "172.17.1.7/32": (2, 3, ["172.17.1.7"]),
}
LONGEST6 = {
    "::/0": (1, 0, ["2600::1", "2001:db9:ffff::1", "2001:dbb::"]),
    "2001:dba::/32": (1, 1, ["2001:dba::1", "2001:dba:0:2::1", "2001:dba:ffff::"]),
    "2001:dba:0:1::/64": (2, 2, ["2001:dba:0:1::", "2001:dba:0:1::6",
                                 "2001:dba:0:1:ffff:ffff:ffff:ffff"]),
    "2001:dba:0:1::7/128": (2, 3, ["2001:dba:0:1::7"]),
}


def open_bed(t):
    """Three ports; the routes of every test of this file."""
    config = base_config(t.workdir, 3)
    for table, host in ((LONGEST4, host4), (LONGEST6, host6)):
        for prefix, (port, number, _) in table.items():
            config.route(prefix, host(port, number))
    config.route(ECMP4, *(host4(1, number) for number in range(4)))
    config.route(ECMP6, *(host6(1, number) for number in range(4)))
    return Bed(t, config)


def exchange(bed, frames, port=1, number=0):
    """Send frames into port 0 and assert that all leave by `port` to host `number`, rewritten."""
    for seq, frame in enumerate(frames):
        assert p.marked(frame) == seq, "frames must be marked in order"
    got = bed.burst({0: frames}, len(frames))
    verify.check_all_forwarded(frames, got.pop(port), port_mac(port), host_mac(port, number))
    for other, strays in got.items():
        assert not strays, f"{len(strays)} frames left by port {other}"


def test_rewrite_sizes(t, bed):
    """Frames of 64, 594 and 1500 bytes and the largest, 1514; of IPv6 the smallest marked is 70."""
    frames = [flow(dst, size, seq=seq, ttl=ttl) for seq, (dst, size, ttl) in enumerate(
        (dst, size, ttl) for dst in ("8.8.8.8", "172.1.2.3") for size in (64, 594, 1500, 1514)
        for ttl in (2, 64, 255) if dst == "8.8.8.8")]
    exchange(bed, frames)
    frames = [flow("2600::1", size, seq=seq, hlim=hlim) for seq, (size, hlim) in enumerate(
        (size, hlim) for size in (70, 594, 1500, 1514) for hlim in (2, 64, 255))]
    exchange(bed, frames)


def test_rewrite_checksum_every_ttl(t, bed):
    """The checksum is right for every TTL and many identifiers: the carry of RFC 1624 included."""
    frames = [flow("8.8.8.8", seq=ttl - 2 + 254 * turn, ttl=ttl, ident=ttl * 257 + turn * 9973
                   & 0xffff) for turn in range(16) for ttl in range(2, 256)]
    exchange(bed, frames)


def test_rewrite_protocols(t, bed):
    """TCP, ICMP, UDP without checksum, DSCP, DF and fragments pass untouched."""
    src, dst = host4(0), "8.8.8.8"
    bodies = [(p.TCP, p.tcp(src, dst, 1, 2, p.mark(0, 100)), {}),
              (p.ICMP, p.icmp_echo(7, 1, p.mark(1, 56)), {"df": True}),
              (p.UDP, p.udp(src, dst, 1, 2, p.mark(2), csum=0), {"tos": 0xb8}),
              (p.UDP, p.udp(src, dst, 1, 2, p.mark(3, 800)), {"mf": True, "ident": 77}),
              (p.UDP, p.mark(4, 800), {"offset": 101, "ident": 77}),
              (253, p.mark(5, 33), {})]
    exchange(bed, [p.eth(port_mac(0), host_mac(0), p.ETH_IP4, p.ip4(src, dst, *body[:2], **body[2]))
                   for body in bodies])
    src, dst = host6(0), "2600::1"
    bodies = [(p.TCP, p.tcp(src, dst, 1, 2, p.mark(0, 100)), {}),
              (p.ICMP6, p.icmp6_echo(src, dst, 7, 1, p.mark(1, 56)), {"tclass": 0xb8}),
              (p.UDP, p.udp(src, dst, 1, 2, p.mark(2)), {"flow": 0xfffff}),
              (253, p.mark(3, 33), {})]
    exchange(bed, [p.eth(port_mac(0), host_mac(0), p.ETH_IP6, p.ip6(src, dst, *body[:2], **body[2]))
                   for body in bodies])


def test_rewrite_padding(t, bed):
    """What Ethernet has padded behind the packet goes; the packet stays whole."""
    frames = [flow("8.8.8.8", 50, seq=0), flow("2600::1", 70, seq=1)]
    got = bed.burst({0: [frame + bytes(64) for frame in frames]}, len(frames))
    verify.check_all_forwarded(frames, got[1], port_mac(1), host_mac(1))


def test_rewrite_ip4_options(t, bed):
    """Header lengths 6 to 15: the checksum covers the options, which stay as they are."""
    frames = []
    for words in range(1, 11):
        for kind in (b"\x01" * 4, b"\x9e\x04\xaa\x55"):
            frames.append(flow("8.8.8.8", 200, seq=len(frames), options=kind * words))
    exchange(bed, frames)


def test_rewrite_ip6_extension_headers(t, bed):
    """Extension headers that a router does not look at pass, alone and in chains."""
    experiment = bytes((0x1e, 4)) + b"data"
    destination = (p.DSTOPTS, p.ext_options(experiment))
    hop = (p.HOPOPTS, p.ext_options(experiment))
    chains = [[destination], [hop], [(p.ROUTING, p.ext_routing(["2001:db8::9"], 4))],
              [(p.FRAGMENT, p.ext_fragment(0, False, 9))],
              [hop, destination, (p.ROUTING, p.ext_routing(["2001:db8::9"], 4)),
               (p.FRAGMENT, p.ext_fragment(0, False, 9)), destination],
              [(p.DSTOPTS, p.ext_options(bytes((0x1e, 250)) + bytes(250)))] * 3]
    frames = [flow("2600::1", 1400, seq=seq, ext=chain) for seq, chain in enumerate(chains)]
    first = p.udp(host6(0), "2600::1", 1, 2, p.mark(len(frames), 800))
    fragments = [p.ip6(host6(0), "2600::1", p.UDP, first, ext=[(p.FRAGMENT, p.ext_fragment(
        0, True, 5))]), p.ip6(host6(0), "2600::1", p.UDP, p.mark(len(frames) + 1, 77), ext=[(
            p.FRAGMENT, p.ext_fragment(101, False, 5))])]
    frames += [p.eth(port_mac(0), host_mac(0), p.ETH_IP6, one) for one in fragments]
    exchange(bed, frames)


def check_longest(bed, table):
    """Send to every address of the table and compare where each frame went."""
    wanted = [(port, number, dst) for port, number, addresses in table.values()
              for dst in addresses]
    frames = [flow(dst, seq=seq) for seq, (_, _, dst) in enumerate(wanted)]
    got = bed.burst({0: frames}, len(frames))
    for port in (0, 1, 2):
        mine = [frame for frame, want in zip(frames, wanted) if want[0] == port]
        verify.check_all_forwarded(mine, got[port], port_mac(port),
                                   lambda frame: host_mac(*wanted[p.marked(frame)][:2]))


def test_longest_match_ip4(t, bed):
    """/0 /8 /24 /32 on top of one another, at both edges of each."""
    check_longest(bed, LONGEST4)


def test_longest_match_ip6(t, bed):
    """::/0 /32 /64 /128 on top of one another, at both edges of each."""
    check_longest(bed, LONGEST6)


def check_spread(t, bed, destination, label=lambda n: {}):
    """FLOWS flows, twice each: 20-30 % on each of 4 next hops, both packets on the same."""
    flows = [dict(dst=destination(n), sport=1024 + n % 7919, dport=4000 + n % 13, **label(n))
             for n in range(FLOWS)]
    frames = [flow(**flows[seq % FLOWS], seq=seq) for seq in range(2 * FLOWS)]
    got = bed.burst({0: frames}, len(frames))[1]
    assert len(got) == len(frames), f"{len(got)} of {len(frames)} arrived"
    member = {p.marked(frame): frame[:6] for frame in got}
    for seq in range(FLOWS):
        assert member[seq] == member[seq + FLOWS], f"flow {seq} changed its next hop"
    share = Counter(member[seq] for seq in range(FLOWS))
    hosts = {p.mac(host_mac(1, number)) for number in range(4)}
    assert set(share) == hosts, f"next hops used: {[mac.hex(':') for mac in share]}"
    figures = sorted(count * 100 / FLOWS for count in share.values())
    t.say("shares in %: " + " ".join(f"{figure:.1f}" for figure in figures))
    assert 20 <= figures[0] and figures[-1] <= 30, f"shares {figures}"
    verify.check_all_forwarded(frames, got, port_mac(1),
                               lambda frame: verify.text_mac(member[p.marked(frame)]))


def test_ecmp_ip4(t, bed):
    """IPv4 flows that differ in destination and ports."""
    check_spread(t, bed, lambda n: f"100.64.{n >> 6 & 255}.{n & 63}")


def test_ecmp_ip4_ports_only(t, bed):
    """IPv4 flows between two addresses that differ in ports alone."""
    check_spread(t, bed, lambda n: "100.64.0.1")


def test_ecmp_ip6(t, bed):
    """IPv6 flows that differ in destination and ports."""
    check_spread(t, bed, lambda n: f"2001:db8:ec::{n & 1023:x}")


def test_ecmp_ip6_flow_label(t, bed):
    """IPv6 flows that differ in ports and flow label."""
    check_spread(t, bed, lambda n: "2001:db8:ec::1", lambda n: {"flow": n * 104729 & 0xfffff})
