# SPDX-License-Identifier: BSD-3-Clause
"""Build Ethernet, IPv4, IPv6, UDP, TCP and ICMP frames from Python values.

A builder fills lengths and checksums in; every field that a negative test wants wrong can be given.
Layers are plain bytes: eth(dst, src, ETH_IP4, ip4(a, b, UDP, udp(...))). Text addresses are packed
once and remembered, so that files of many thousand flows are built in seconds.
"""
import functools
import ipaddress
import struct

ETH_IP4, ETH_ARP, ETH_IP6 = 0x0800, 0x0806, 0x86dd
HOPOPTS, ICMP, TCP, UDP, ROUTING, FRAGMENT = 0, 1, 6, 17, 43, 44
ICMP6, NONEXT, DSTOPTS = 58, 59, 60
MARK = b"BHmk"


@functools.lru_cache(maxsize=1 << 17)
def addr(text):
    """An IPv4 or IPv6 address in network order."""
    return ipaddress.ip_address(text).packed


@functools.lru_cache(maxsize=4096)
def mac(text):
    """A MAC address in network order."""
    return bytes.fromhex(text.replace(":", ""))


def checksum(data):
    """Internet checksum, RFC 1071: the one's complement sum is the value modulo 65535."""
    if len(data) & 1:
        data += b"\0"
    value = int.from_bytes(data, "big")
    if not value:
        return 0xffff
    return -value % 0xffff


def pseudo(src, dst, proto, length):
    """The pseudo header of RFC 768/793 (4-byte addresses) or RFC 8200 (16-byte addresses)."""
    if len(src) == 4:
        return src + dst + struct.pack("!BBH", 0, proto, length)
    return src + dst + struct.pack("!IHBB", length, 0, 0, proto)


def eth(dst, src, ethertype, payload):
    """An Ethernet II frame without FCS."""
    return mac(dst) + mac(src) + struct.pack("!H", ethertype) + payload


def mark(seq, size=8):
    """A payload that names its packet by number, filled with a pattern up to size bytes."""
    head = MARK + struct.pack("!I", seq)
    fill = bytes((seq + i) & 0xff for i in range(64))
    return (head + fill * (size // 64 + 1))[:max(size, 8)]


def marked(frame):
    """The number that mark() put in the frame, or None."""
    at = frame.find(MARK)
    if at < 0 or len(frame) < at + 8:
        return None
    return struct.unpack_from("!I", frame, at + 4)[0]


def udp(src, dst, sport, dport, payload, csum=None):
    """A UDP datagram; src and dst are those of the pseudo header."""
    head = struct.pack("!HHH", sport, dport, 8 + len(payload))
    if csum is None:
        whole = pseudo(addr(src), addr(dst), UDP, 8 + len(payload)) + head + b"\0\0" + payload
        csum = checksum(whole) or 0xffff
    return head + struct.pack("!H", csum) + payload


def tcp(src, dst, sport, dport, payload=b"", seq=1, flags=0x10):
    """A TCP segment without options; src and dst are those of the pseudo header."""
    head = struct.pack("!HHIIBBHHH", sport, dport, seq, 0, 5 << 4, flags, 8192, 0, 0)
    csum = checksum(pseudo(addr(src), addr(dst), TCP, 20 + len(payload)) + head + payload)
    return head[:16] + struct.pack("!H", csum) + head[18:] + payload


def icmp_echo(ident, seq, payload=b""):
    """An ICMP echo request."""
    head = struct.pack("!BBHHH", 8, 0, 0, ident, seq)
    return head[:2] + struct.pack("!H", checksum(head + payload)) + head[4:] + payload


def icmp6_echo(src, dst, ident, seq, payload=b""):
    """An ICMPv6 echo request."""
    head = struct.pack("!BBHHH", 128, 0, 0, ident, seq)
    csum = checksum(pseudo(addr(src), addr(dst), ICMP6, 8 + len(payload)) + head + payload)
    return head[:2] + struct.pack("!H", csum) + head[4:] + payload


def ip4(src, dst, proto, payload, ttl=64, options=b"", tos=0, ident=0, df=False, mf=False,
        offset=0, version=4, ihl=None, total=None, csum=None):
    """An IPv4 packet. options are padded to 4 bytes; offset counts 8-byte units.

    version, ihl, total (length) and csum override what is right.
    """
    options += b"\0" * (-len(options) % 4)
    words = 5 + len(options) // 4
    head = struct.pack("!BBHHHBBH4s4s", version << 4 | (words if ihl is None else ihl), tos,
                       words * 4 + len(payload) if total is None else total, ident,
                       df << 14 | mf << 13 | offset, ttl, proto, 0, addr(src), addr(dst)) + options
    if csum is None:
        csum = checksum(head)
    return head[:10] + struct.pack("!H", csum & 0xffff) + head[12:] + payload


def ext_options(options=b""):
    """The body of a hop-by-hop or destination options header: options padded with PadN/Pad1."""
    room = -(2 + len(options)) % 8
    if room == 1:
        return options + b"\0"
    return options + (bytes((1, room - 2)) + b"\0" * (room - 2) if room else b"")


def ext_routing(segments=(), rtype=0, left=0):
    """The body of a routing header with full addresses."""
    return bytes((rtype, left)) + b"\0" * 4 + b"".join(addr(s) for s in segments)


def ext_fragment(offset, more, ident):
    """The body of a fragment header; offset counts 8-byte units."""
    return struct.pack("!HI", offset << 3 | more, ident)


def extensions(headers, final):
    """Chain [(type, body)] in front of next header final: (first next header, bytes)."""
    chain = b""
    for kind, body in reversed(headers):
        length = 0 if kind == FRAGMENT else (len(body) + 2) // 8 - 1
        chain = struct.pack("!BB", final, length) + body + chain
        final = kind
    return final, chain


def ip6(src, dst, proto, payload, hlim=64, flow=0, tclass=0, ext=(), version=6, total=None):
    """An IPv6 packet; ext is [(type, body)]; version and total (payload length) override."""
    first, chain = extensions(list(ext), proto)
    length = len(chain) + len(payload) if total is None else total
    head = struct.pack("!IHBB", version << 28 | tclass << 20 | flow, length, first, hlim)
    return head + addr(src) + addr(dst) + chain + payload


def is6(address):
    """Whether a text address is IPv6."""
    return ":" in address


def flow(dst_mac, src_mac, src, dst, sport, dport, seq=0, size=None, **fields):
    """A whole UDP frame of either version with a marked payload.

    size is that of the frame without FCS; fields go to ip4() or ip6().
    """
    six = is6(dst)
    if size is None:
        room = 18
    else:
        chain = len(extensions(list(fields.get("ext", ())), UDP)[1])
        options = len(fields.get("options", b"")) + 3 & ~3
        room = size - 14 - (40 + chain if six else 20 + options) - 8
    if room < 8:
        raise ValueError(f"no room for a marked UDP payload in {size} bytes")
    body = udp(src, dst, sport, dport, mark(seq, room))
    if six:
        return eth(dst_mac, src_mac, ETH_IP6, ip6(src, dst, UDP, body, **fields))
    return eth(dst_mac, src_mac, ETH_IP4, ip4(src, dst, UDP, body, **fields))
