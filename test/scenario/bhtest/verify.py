# SPDX-License-Identifier: BSD-3-Clause
"""Judge captured frames, independently of the router's code and of its counters."""
import struct

from bhtest import packet as p

EXTENSIONS = (p.HOPOPTS, p.ROUTING, p.DSTOPTS, p.FRAGMENT)


class Wrong(AssertionError):
    """A captured frame is not what it must be."""


def need(truth, text, frame=b""):
    """Raise Wrong with the frame in hex unless truth."""
    if not truth:
        raise Wrong(text + (": " + frame[:96].hex() if frame else ""))


def text_mac(raw):
    """Six bytes as aa:bb:cc:dd:ee:ff."""
    return raw.hex(":")


def upper6(frame):
    """Behind IPv6 extension headers: (upper protocol, its offset, fragment bits, destination)."""
    proto, at, offset, dst = frame[20], 54, 0, frame[38:54]
    while proto in EXTENSIONS and at + 8 <= len(frame):
        size = 8 if proto == p.FRAGMENT else (frame[at + 1] + 1) * 8
        if proto == p.FRAGMENT:
            offset = struct.unpack_from("!H", frame, at + 2)[0] & 0xfff9
        if proto == p.ROUTING and frame[at + 3]:
            dst = frame[at + size - 16:at + size]
        proto, at = frame[at], at + size
    return proto, at, offset, dst


def upper4(frame):
    """(upper protocol, its offset, fragment offset and more bit, destination)."""
    return (frame[23], 14 + (frame[14] & 15) * 4,
            struct.unpack_from("!H", frame, 20)[0] & 0x3fff, frame[30:34])


def upper_checksum_right(frame, six):
    """Recompute the UDP, TCP, ICMP or ICMPv6 checksum; a fragment or other protocol is right."""
    proto, at, fragment, dst = upper6(frame) if six else upper4(frame)
    if fragment or proto not in (p.UDP, p.TCP, p.ICMP, p.ICMP6):
        return True
    body = frame[at:]
    if proto == p.UDP and not six and body[6:8] == b"\0\0":
        return True
    src = frame[22:38] if six else frame[26:30]
    head = b"" if proto == p.ICMP else p.pseudo(src, dst, proto, len(body))
    return p.checksum(head + body) == 0


def check_sound(frame):
    """Assert that a frame is a whole IPv4 or IPv6 packet with right lengths and checksums."""
    kind = struct.unpack_from("!H", frame, 12)[0]
    need(kind in (p.ETH_IP4, p.ETH_IP6), f"ethertype {kind:#06x} is not IP", frame)
    if kind == p.ETH_IP4:
        size = (frame[14] & 15) * 4
        need(frame[14] >> 4 == 4 and size >= 20, "bad IPv4 version or header length", frame)
        total = struct.unpack_from("!H", frame, 16)[0]
        need(total == len(frame) - 14, f"IPv4 total length {total}", frame)
        need(p.checksum(frame[14:14 + size]) == 0, "IPv4 header checksum wrong", frame)
    else:
        need(frame[14] >> 4 == 6, "bad IPv6 version", frame)
        total = struct.unpack_from("!H", frame, 18)[0]
        need(total == len(frame) - 54, f"IPv6 payload length {total}", frame)
    need(upper_checksum_right(frame, kind == p.ETH_IP6), "upper-layer checksum wrong", frame)


def check_forwarded(sent, got, expect_src_mac, expect_dst_mac):
    """Assert that got is sent as one router hop must leave it, and nothing else has changed."""
    need(len(got) == len(sent), f"length {len(got)}, sent {len(sent)}", got)
    need(got[:6] == p.mac(expect_dst_mac),
         f"destination MAC {text_mac(got[:6])}, not {expect_dst_mac}", got)
    need(got[6:12] == p.mac(expect_src_mac),
         f"source MAC {text_mac(got[6:12])}, not {expect_src_mac}", got)
    need(got[12:14] == sent[12:14], "ethertype changed", got)
    if got[12:14] == b"\x08\x00":
        size = (sent[14] & 15) * 4
        need(got[22] == sent[22] - 1, f"TTL {got[22]}, sent {sent[22]}", got)
        need(p.checksum(got[14:14 + size]) == 0, "IPv4 header checksum wrong", got)
        need(got[14:22] + got[23:24] + got[26:] == sent[14:22] + sent[23:24] + sent[26:],
             "bytes besides TTL and checksum changed", got)
        return
    need(got[21] == sent[21] - 1, f"hop limit {got[21]}, sent {sent[21]}", got)
    need(got[14:21] + got[22:] == sent[14:21] + sent[22:], "bytes besides hop limit changed", got)


def by_mark(frames):
    """Map mark number -> list of captured frames that carry it."""
    found = {}
    for frame in frames:
        found.setdefault(p.marked(frame), []).append(frame)
    return found


def check_all_forwarded(sent, got, expect_src_mac, expect_dst_mac):
    """Assert that every marked frame of sent came exactly once, forwarded right, and nothing else.

    expect_dst_mac is one MAC or a function from the sent frame to its MAC.
    """
    arrived = by_mark(got)
    for frame in sent:
        seq = p.marked(frame)
        copies = arrived.pop(seq, [])
        need(len(copies) == 1, f"packet {seq} arrived {len(copies)} times", frame)
        dst = expect_dst_mac(frame) if callable(expect_dst_mac) else expect_dst_mac
        check_forwarded(frame, copies[0], expect_src_mac, dst)
    need(not arrived, f"{len(arrived)} packets arrived that were not expected, first "
         f"{next(iter(arrived.items()), None)}")
