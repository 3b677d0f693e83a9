# SPDX-License-Identifier: BSD-3-Clause
"""Each bad packet raises its own named counter by exactly the number sent, and no other."""
from bhtest import packet as p
from bhtest.bed import Bed, base_config, flow, host4, host6, host_mac, port_mac
from bhtest.process import Timeout, until

COUNT = 37
GOOD4, GOOD6 = "172.16.0.1", "2001:dba::1"
OFF_PORT, NARROW = 2, 1400


def open_bed(t):
    """Ports 0 and 1 (with a small MTU) forward, port 2 does not; there is no default route."""
    config = base_config(t.workdir, 2, mtu4=NARROW, mtu6=NARROW)
    off = base_config(t.workdir, 3, forwarding=False)
    config.interfaces["p2"] = off.interfaces["p2"]
    config.route("172.16.0.0/12", host4(1)).route("2001:dba::/32", host6(1))
    for n, kind in enumerate(("blackhole", "unreachable", "prohibit")):
        config.route(f"203.0.{n}.0/24", special=kind).route(f"2001:dbc:{n}::/48", special=kind)
    return Bed(t, config)


def rise(before, after):
    """The counters that differ, with their difference."""
    return {name: after[name] - before.get(name, 0) for name in after
            if after[name] != before.get(name, 0)}


def expect_drop(bed, frames, *names, port=0):
    """Send frames into a port: nothing leaves, and one of names alone rises, by their number."""
    before, want = bed.router.drops(), len(frames)
    got = bed.burst({port: frames})
    try:
        until(lambda: sum(rise(before, bed.router.drops()).values()) >= want, 3, "drops counted")
    except Timeout:
        pass
    risen = rise(before, bed.router.drops())
    leaked = {n: len(caught) for n, caught in got.items() if caught}
    assert not leaked, f"frames forwarded by port: {leaked}; counters {risen}"
    assert any(risen == {name: want} for name in names), f"{want} sent, want {names}, have {risen}"


def frame4(port=0, dst_mac=None, cut=None, **fields):
    """An IPv4 frame into a port; cut keeps so many bytes after the Ethernet header."""
    body = p.mark(0, 18)
    packet = p.ip4(host4(port), GOOD4, 253, body, **fields)
    return p.eth(dst_mac or port_mac(port), host_mac(port), p.ETH_IP4, packet[:cut])


def frame6(port=0, dst_mac=None, cut=None, **fields):
    """An IPv6 frame into a port."""
    packet = p.ip6(host6(port), GOOD6, 253, p.mark(0, 18), **fields)
    return p.eth(dst_mac or port_mac(port), host_mac(port), p.ETH_IP6, packet[:cut])


def test_good_packets_raise_none(t, bed):
    """The bed forwards what is right and counts no drop: the base of every other test here."""
    before = bed.router.drops()
    frames = [frame4(), frame6()] * COUNT
    got = bed.burst({0: frames}, len(frames))
    assert len(got[1]) == len(frames), f"{len(got[1])} of {len(frames)} arrived"
    assert not rise(before, bed.router.drops())


def test_eth_wrong_mac(t, bed):
    """Another unicast destination MAC."""
    other = "02:bb:00:00:77:77"
    expect_drop(bed, [frame4(dst_mac=other), frame6(dst_mac=other)] * COUNT, "eth_wrong_mac")


def test_eth_unknown_type(t, bed):
    """An ethertype that is neither IP nor ARP."""
    frame = p.eth(port_mac(0), host_mac(0), 0x88b5, p.mark(0, 46))
    expect_drop(bed, [frame] * COUNT, "eth_unknown_type")


def test_eth_truncated(t, bed):
    """Less than an Ethernet header."""
    expect_drop(bed, [frame4()[:size] for size in range(1, 14)], "eth_truncated")


def test_ip4_truncated(t, bed):
    """Less than a header of 20 bytes."""
    expect_drop(bed, [frame4(cut=cut) for cut in range(1, 20)], "ip4_truncated")


def test_ip4_bad_version(t, bed):
    """Versions other than 4 under ethertype IPv4."""
    expect_drop(bed, [frame4(version=version) for version in (0, 3, 5, 6, 15)] * 5,
                "ip4_bad_version")


def test_ip4_bad_length(t, bed):
    """Header shorter than 20 or longer than the packet; total length below header, above frame."""
    wrong = [dict(ihl=0), dict(ihl=4), dict(ihl=15), dict(total=19), dict(total=0),
             dict(total=39), dict(total=65535)]
    expect_drop(bed, [frame4(**fields) for fields in wrong] * 5, "ip4_bad_length")


def test_ip4_bad_checksum(t, bed):
    """Every single flipped bit of the checksum."""
    good = int.from_bytes(frame4()[24:26], "big")
    expect_drop(bed, [frame4(csum=good ^ 1 << bit) for bit in range(16)] * 3, "ip4_bad_checksum")


def test_ip4_martian_source(t, bed):
    """Loopback, this network, multicast, broadcast and link-local as source."""
    sources = ("127.0.0.1", "0.0.0.0", "0.1.2.3", "224.0.0.1", "239.1.1.1", "255.255.255.255",
               "169.254.1.1")
    expect_drop(bed, [flow(GOOD4, src=src) for src in sources] * 5, "ip4_martian_source")


def test_ip4_martian_destination(t, bed):
    """Loopback, this network and reserved addresses as destination."""
    frames = [flow(dst) for dst in ("127.0.0.1", "0.0.0.0", "0.1.2.3", "240.0.0.1")]
    expect_drop(bed, frames * 5, "ip4_martian_destination")


def test_ip4_ttl_expired(t, bed):
    """TTL 1 and 0."""
    expect_drop(bed, [frame4(ttl=1)] * COUNT + [frame4(ttl=0)] * 3, "ip4_ttl_expired")


def test_ip4_no_route(t, bed):
    """A destination that no prefix covers."""
    expect_drop(bed, [flow("192.0.2.1")] * COUNT, "ip4_no_route")


def test_ip4_mtu_exceeded(t, bed):
    """DF set and one byte above the outgoing MTU; at the MTU it passes."""
    assert len(bed.burst({0: [flow(GOOD4, 14 + NARROW, df=True)]}, 1)[1]) == 1
    expect_drop(bed, [flow(GOOD4, 15 + NARROW, df=True)] * COUNT, "ip4_mtu_exceeded")


def test_ip6_truncated(t, bed):
    """Less than a header of 40 bytes."""
    expect_drop(bed, [frame6(cut=cut) for cut in range(1, 40)], "ip6_truncated")


def test_ip6_bad_version(t, bed):
    """Versions other than 6 under ethertype IPv6."""
    expect_drop(bed, [frame6(version=version) for version in (0, 4, 5, 7, 15)] * 5,
                "ip6_bad_version")


def test_ip6_bad_length(t, bed):
    """Payload length above what the frame holds."""
    expect_drop(bed, [frame6(total=total) for total in (19, 1000, 65535)] * 5, "ip6_bad_length")


def test_ip6_martian_source(t, bed):
    """Loopback, unspecified, multicast, IPv4-mapped and link-local as source."""
    sources = ("::1", "::", "ff02::1", "ff0e::1", "::ffff:1.2.3.4", "fe80::9")
    expect_drop(bed, [flow(GOOD6, src=src) for src in sources] * 5, "ip6_martian_source")


def test_ip6_martian_destination(t, bed):
    """Loopback, unspecified and IPv4-mapped as destination."""
    frames = [flow(dst) for dst in ("::1", "::", "::ffff:1.2.3.4")]
    expect_drop(bed, frames * 5, "ip6_martian_destination")


def test_ip6_hop_limit_expired(t, bed):
    """Hop limit 1 and 0."""
    expect_drop(bed, [frame6(hlim=1)] * COUNT + [frame6(hlim=0)] * 3, "ip6_hop_limit_expired")


def test_ip6_no_route(t, bed):
    """A destination that no prefix covers."""
    expect_drop(bed, [flow("2600::1")] * COUNT, "ip6_no_route")


def test_ip6_too_big(t, bed):
    """One byte above the outgoing MTU; at the MTU it passes."""
    assert len(bed.burst({0: [flow(GOOD6, 14 + NARROW)]}, 1)[1]) == 1
    expect_drop(bed, [flow(GOOD6, 15 + NARROW)] * COUNT, "ip6_too_big")


def check_special(bed, n, name):
    """Both families into the special route number n."""
    expect_drop(bed, [flow(f"203.0.{n}.9"), flow(f"2001:dbc:{n}::9")] * COUNT, name)


def test_nexthop_blackhole(t, bed):
    """Static routes to blackhole."""
    check_special(bed, 0, "nexthop_blackhole")


def test_nexthop_unreachable(t, bed):
    """Static routes to unreachable."""
    check_special(bed, 1, "nexthop_unreachable")


def test_nexthop_prohibit(t, bed):
    """Static routes to prohibit."""
    check_special(bed, 2, "nexthop_prohibit")


def test_forwarding_disabled(t, bed):
    """Transit received on an interface whose `forwarding` is false."""
    frames = [frame4(OFF_PORT), frame6(OFF_PORT)] * COUNT
    expect_drop(bed, frames, "forwarding_disabled", port=OFF_PORT)


def test_punt_no_stack(t, bed):
    """Packets to the router's own addresses while no protocol stack is connected."""
    frames = [flow("10.0.0.1"), flow("10.0.1.1"), flow("2001:db8::1"), flow("2001:db8:1::1")]
    expect_drop(bed, frames * COUNT, "punt_no_stack")


def test_neighbor_unresolved(t, bed):
    """A connected host that is no known neighbor, while nobody can resolve it."""
    frames = [flow("10.0.1.99"), flow("2001:db8:1::99")] * COUNT
    expect_drop(bed, frames, "neighbor_unresolved", "punt_no_stack")
