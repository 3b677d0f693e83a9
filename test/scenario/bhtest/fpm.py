# SPDX-License-Identifier: BSD-3-Clause
"""A speaker of FPM: says what zebra's dplane_fpm_nl would, netlink messages in frames of FPM.

Hops are Hop(ifindex, gateway, weight); ifindexes are the kernel's. Messages are bytes; frame()
puts one or several of them into a frame.
"""
import ipaddress
import socket
import struct
from collections import namedtuple

NEWROUTE, DELROUTE, NEWNEXTHOP, DELNEXTHOP = 24, 25, 104, 105
UNICAST, BLACKHOLE, UNREACHABLE, PROHIBIT = 1, 6, 7, 8
KERNEL, BGP, OSPF, ZEBRA_STATIC = 2, 186, 188, 196
DST, OIF, GATEWAY, PRIORITY, MULTIPATH, VIA, ENCAP, NH_ID = 1, 4, 5, 6, 9, 18, 22, 30
NHA_ID, NHA_GROUP, NHA_BLACKHOLE, NHA_OIF, NHA_GATEWAY = 1, 2, 4, 5, 6
MAIN = 254
FAMILY = {4: socket.AF_INET, 6: socket.AF_INET6}

Hop = namedtuple("Hop", "ifindex gateway weight", defaults=(None, 1))


def attr(kind, data):
    """One attribute."""
    return struct.pack("=HH", len(data) + 4, kind) + data + bytes(-len(data) % 4)


def message(kind, body, port=4711):
    """One netlink message."""
    return struct.pack("=IHHII", len(body) + 16, kind, 0x405, 0, port) + body


def frame(*messages):
    """A frame of FPM."""
    body = b"".join(messages)
    return struct.pack("!BBH", 1, 1, len(body) + 4) + body


def _gateway(family, gateway):
    """The attribute of a gateway, which may be of the other family."""
    address = ipaddress.ip_address(gateway)
    if address.version == family:
        return attr(GATEWAY, address.packed)
    return attr(VIA, struct.pack("=H", FAMILY[address.version]) + address.packed)


def _hop(family, hop):
    return ((attr(OIF, struct.pack("=I", hop.ifindex)) if hop.ifindex else b"") +
            (_gateway(family, hop.gateway) if hop.gateway else b""))


def _nexthop(family, hop):
    """A struct rtnexthop."""
    more = _gateway(family, hop.gateway) if hop.gateway else b""
    return struct.pack("=HBBI", 8 + len(more), 0, hop.weight - 1, hop.ifindex) + more


def route(prefix, *hops, kind=NEWROUTE, proto=BGP, rtype=UNICAST, nh_id=0, port=4711, more=b""):
    """RTM_NEWROUTE or RTM_DELROUTE."""
    net = ipaddress.ip_network(prefix)
    body = struct.pack("=BBBBBBBBI", FAMILY[net.version], net.prefixlen, 0, 0, MAIN, proto, 0,
                       rtype, 0)
    body += attr(DST, net.network_address.packed) + attr(PRIORITY, struct.pack("=I", 20))
    if nh_id:
        body += attr(NH_ID, struct.pack("=I", nh_id))
    elif len(hops) == 1:
        body += _hop(net.version, hops[0])
    elif hops:
        body += attr(MULTIPATH, b"".join(_nexthop(net.version, hop) for hop in hops))
    return message(kind, body + more, port)


def withdraw(prefix, proto=BGP, port=4711):
    """RTM_DELROUTE."""
    return route(prefix, kind=DELROUTE, proto=proto, port=port)


def nexthop(nh_id, hop, port=4711):
    """RTM_NEWNEXTHOP of one hop."""
    version = ipaddress.ip_address(hop.gateway).version if hop.gateway else 4
    body = struct.pack("=BBBBI", FAMILY[version], 0, 11, 0, 0)
    body += attr(NHA_ID, struct.pack("=I", nh_id))
    if hop.gateway:
        body += attr(NHA_GATEWAY, ipaddress.ip_address(hop.gateway).packed)
    return message(NEWNEXTHOP, body + attr(NHA_OIF, struct.pack("=I", hop.ifindex)), port)


def group(nh_id, *members, port=4711):
    """RTM_NEWNEXTHOP of a group; members are (id, weight)."""
    body = struct.pack("=BBBBI", 0, 0, 11, 0, 0) + attr(NHA_ID, struct.pack("=I", nh_id))
    listed = b"".join(struct.pack("=IBBH", member, weight - 1, 0, 0) for member, weight in members)
    return message(NEWNEXTHOP, body + attr(NHA_GROUP, listed), port)


def drop_nexthop(nh_id, port=4711):
    """RTM_DELNEXTHOP."""
    body = struct.pack("=BBBBI", 0, 0, 11, 0, 0) + attr(NHA_ID, struct.pack("=I", nh_id))
    return message(DELNEXTHOP, body, port)


class Speaker:
    """A connection to the router's listener, from within a namespace's process or this one."""

    def __init__(self, address="127.0.0.1", port=2620, timeout=20):
        self.sock = socket.create_connection((address, port), timeout)

    def say(self, *messages):
        """Each message in a frame of its own, as zebra does."""
        self.sock.sendall(b"".join(frame(one) for one in messages))

    def raw(self, data):
        """Bytes as they are."""
        self.sock.sendall(data)

    def is_closed(self):
        """Waits for the router to close the connection."""
        try:
            return self.sock.recv(1) == b""
        except ConnectionResetError:
            return True
        except TimeoutError:
            return False

    def close(self):
        """zebra dies."""
        self.sock.close()
