#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Writes the hand-made seeds of test/fuzz/corpus anew: inputs that the targets decode into
something that works, from where mutation goes on. Each function tells its target's format."""
import glob
import json
import os
import struct
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CORPUS = os.path.join(ROOT, "test/fuzz/corpus")
sys.path.insert(0, os.path.join(ROOT, "test/scenario"))

from bhtest import fpm as speak  # noqa: E402  (the path is set above)

# lib/channel/msg.h and infobase/schema.h
NOP, ADD, CHANGE, DELETE, GET, DUMP, LOOKUP, WATCH, UNWATCH, RECOVER, BEGIN, END = range(1, 13)
NEXT, AUDIT, VERBS = 17, 18, 20
(CFG_INTERFACE, CFG_ADDRESS, CFG_NEIGHBOR, CFG_ROUTE4, CFG_ROUTE6, INTERFACE, HOSTIF, ADDRESS,
 NEIGHBOR, NEXTHOP, ROUTE4, ROUTE6, PROCESS, TCP, UDP, SNMP) = range(1, 17)


def write(target, name, data):
    folder = os.path.join(CORPUS, target)
    os.makedirs(folder, exist_ok=True)
    assert len(data) <= 2048, (target, name, len(data))
    with open(os.path.join(folder, name), "wb") as out:
        out.write(data)


def msg(length, verb, table=0, status=0, tag=0, aux=0):
    return struct.pack("<HBBHhII", length, verb, 0, table, status, tag, aux)


def rec(op, payload=b"", gen=1):
    text = struct.pack("<HBBII", 12 + len(payload), op, 0, gen, 1) + payload
    return text + bytes(-len(text) % 4)


def boot():
    """The text itself."""
    plan = ("lcore 0 0 main\nlcore 1 0 control-proxy\nlcore 2 0 service-proxy\nlcore 3 0 infobase\n"
            "lcore 4 0 worker\n{}lcore 5 1 forwarding\ngroup link 4\ngroup route4 4\n"
            "group route6 4\ngroup misc 4\n")
    head = "bulkhead-boot 1\nmemory 512\nhugepages {}\nmbufs 32768\nkernel-vdev {}\n"
    head += "host-stack no\n"
    tail = "control-cpu 0\nmodule config yes bulkhead-config\n"
    write("boot", "least", (head.format("yes", "no") + plan.format("") + tail + "end\n").encode())
    write("boot", "much", (
        head.format("no", "yes") + "eal --log-level=8\neal --vdev=a%20b\n" +
        plan.format("lcore 6 0 punt\n") +
        "interface eth0 net_af_packet0,iface=a%25b\ninterface eth1 0000:03:00.0\n" + tail +
        "module routing yes bulkhead-routing -v x%20y\nmodule snmp no /opt/snmp\nend\n").encode())


def config():
    """The text itself: JSON or XML; what does not fit is left out."""
    invalid = ["bad-prefix", "duplicate-address", "empty-hop", "lcore-two-main", "module-config",
               "neighbor-own", "netmask-holes", "same-prefix", "zone-other-interface", "many-hops",
               "large-ip-mtu", "group-no-worker", "eal-argument"]
    paths = [f"test/data/invalid/{name}.json" for name in invalid]
    for path in sorted(glob.glob("config/examples/*", root_dir=ROOT)) + paths:
        with open(os.path.join(ROOT, path), encoding="utf-8") as source:
            text = source.read()
        if path.endswith(".json"):
            text = json.dumps(json.loads(text), separators=(",", ":"))
        else:
            text = "".join(line.strip() + "\n" for line in text.splitlines())
        if len(text) <= 2048:
            write("config", os.path.basename(path), text.encode())


def stack():
    """Steps of one byte and what they take; see fuzz_stack.c."""
    host, router = bytes((2, 0, 0, 0, 0, 9)), bytes((2, 0, 0, 0, 0, 1))
    here = bytes.fromhex("20010db8" + "00" * 11 + "01")
    there = bytes.fromhex("20010db8" + "00" * 11 + "09")
    nodes, none = bytes.fromhex("ff02" + "00" * 13 + "01"), bytes(16)
    link = bytes.fromhex("fe80" + "00" * 13 + "09")

    def punt(reason, frame, ifindex=1, flags=1, hop=b""):
        return bytes((0, reason, ifindex, flags)) + struct.pack("<H", len(frame)) + hop + frame

    def later(ms):
        return b"\2" + struct.pack("<H", ms)

    def arp(code, sender, target):
        return bytes(6) + host + struct.pack("!HHHBBH", 0x806, 1, 0x800, 6, 4, code) + \
            host + bytes(sender) + router + bytes(target)

    def icmp6(src, dst, body, hops=255, alert=False):
        head = bytes((58, 0, 5, 2, 0, 0, 1, 0)) if alert else b""
        return router + host + struct.pack("!HIHBB", 0x86dd, 6 << 28, len(head + body),
                                           0 if alert else 58, hops) + src + dst + head + body

    def about(kind, flags, target, option=1):
        return struct.pack("!BBHI", kind, 0, 0, flags) + target + bytes((option, 1)) + host

    settled = b"\5\0" + later(9000) + b"\5\0" + later(9000)
    resolve = punt(4, bytes(60), hop=bytes((1, 4, 10, 0, 0, 9)) + bytes(12))
    resolve6 = punt(4, bytes(60), hop=bytes((1, 6)) + there)
    write("stack", "arp", settled + punt(0, arp(1, (10, 0, 0, 9), (10, 0, 0, 1))) + resolve +
          punt(0, arp(2, (10, 0, 0, 9), (10, 0, 0, 1))) + b"\5\0" + later(60000) + later(60000))
    write("stack", "conflict", later(1500) + punt(0, arp(2, (10, 0, 0, 1), (10, 0, 0, 1))) +
          punt(2, icmp6(there, nodes, about(136, 0x20000000, here, 2))) + b"\5\0")
    write("stack", "nd", settled + resolve6 +
          punt(1, icmp6(there, here, about(136, 0x60000000, there, 2))) +
          punt(1, icmp6(there, here, about(135, 0, here))) + b"\5\0" + later(60000))
    write("stack", "refused", settled + resolve6 +
          punt(1, icmp6(there, here, about(136, 0x60000000, there, 2))) + b"\5\1" + later(9))
    write("stack", "ra", settled + bytes((6, 1, 9, 0, 0, 7, 1)) + later(9000) +
          punt(2, icmp6(none, nodes, struct.pack("!BBHI", 133, 0, 0, 0))) + later(9000) +
          bytes((6, 0, 9, 0, 0, 7, 0)))
    write("stack", "mld", settled + punt(2, icmp6(link, nodes, struct.pack(
        "!BBHHH", 130, 0, 0, 1000, 0) + none + bytes(4), 1, True)) + later(2000))
    write("stack", "echo", settled + punt(1, icmp6(there, here, struct.pack(
        "!BBHHH", 128, 0, 0, 1, 1) + b"data")) + resolve6 + later(9000))
    write("stack", "changes", settled + b"\3\0\x3e" + later(100) + b"\3\0\x3f" + later(3000) +
          b"\4\2\0" + b"\4\x12\1" + b"\7\x09\1" + resolve + b"\7\x09\0" + b"\3\1\x80")


def hello():
    """u16 length beyond what fits, then the datagram."""
    def one(service, body, verb=NOP, table=0, magic=0x42484c31, name=b"fuzz", version=1, aux=0):
        return (b"\0\0" + struct.pack("<IHH16s", magic, version, service, name) +
                msg(16 + len(body), verb, table, aux=aux) + body)
    write("hello", "nop", one(1, b"body"))
    write("hello", "echo", one(2, bytes(100)))
    write("hello", "get", one(1, b"eth0".ljust(16, b"\0"), GET, CFG_INTERFACE))
    write("hello", "add-route", one(1, bytes([10, 0, 0, 0, 8, 0, 0, 0]) +
                                    struct.pack("<IBBHII", 1, 3, 0, 1, 0, 0), ADD, ROUTE4))
    write("hello", "nexthop", one(1, bytes([4]) + bytes(451), ADD, NEXTHOP))
    write("hello", "next", one(1, bytes([10, 0, 0, 0, 8, 0, 0, 0]), NEXT, ROUTE4, aux=8))
    write("hello", "audit", one(1, bytes(4), AUDIT, ROUTE4))
    write("hello", "no-service", one(16, b""))
    write("hello", "version", one(1, b"", version=2))
    write("hello", "magic", one(1, b"", magic=1))
    write("hello", "long-name", one(1, b"", name=b"x" * 16))
    write("hello", "long", b"\x05\0" + one(1, bytes(1008))[2:])


def queue():
    """u32 start, then steps: see step() in fuzz_queue.c."""
    put, take, more = b"\0\x20", b"\xc1", b"\x80\x20"
    for name, start in (("zero", 0), ("wrap", 2 ** 32 - 20)):
        write("queue", name, struct.pack("<I", start) + (put * 3 + more + take * 4) * 6)
    write("queue", "full", bytes(4) + (b"\0\x3c" * 64) + put + b"\x02\x05" + take * 70)
    write("queue", "forged", bytes(4) + b"\x05\x01\x02\xc8\0" + take + put + take)
    write("queue", "long", bytes(4) + b"\x05\x01\x02\0\x0f" + take + b"\x05\x01\x02\x01\x0f" + take)
    write("queue", "seq", bytes(4) + put + b"\x06\0\x01" + take + b"\x06\0\x02" + take)
    write("queue", "tail", bytes(4) + (b"\0\x3c" * 64) + b"\x07\x05" + put + b"\x02\x40")
    write("queue", "bell", bytes(4) + b"\x03\x01\x05\x03\x02\x06\x03\x03\x00")
    write("queue", "scribble", bytes(4) + put + b"\x04\x02\0\x04\xff\xff\0\0" + take)


def changes():
    """Even: table, body. Odd: replies, scribbles, welcome, calls: see fuzz_client()."""
    route4 = bytes([10, 0, 0, 0, 8, 0, 0, 0]), struct.pack("<IBBHII", 1, 3, 0, 1, 0, 0)
    marks = rec(3) + rec(4) + rec(5)
    write("changes", "body", b"\0\x0b" + rec(1, b"".join(route4)) + rec(2, route4[0]) + marks)
    write("changes", "short", b"\0\x0b" + rec(1, route4[0]))
    write("changes", "cfg-route", b"\0\x04" + rec(1, bytes(8) + bytes([4, 0, 5, 0])))
    # kind bits: 1 event, 2 status 0, 4..8 records, 16 raw, 32.. tag; then table, aux
    get = b"\x02\x0b\0"
    got = b"\x06\x0b\0\x01\0"
    event = b"\x2f\x0b\0\x01\0\x02\0\x03\0"
    end = b"\0\0"  # no scribble follows; flags of the welcome, body of its reply
    write("changes", "nop", b"\x01\0" + b"\0" + end + b"\0\x0b\x01\x01")
    write("changes", "get", b"\x01\x02" + get + got + b"\0" + end + b"\x03\x0b\x03\x0b")
    write("changes", "watch", b"\x01\x03" + b"\x22\x0b\0" + event * 2 + b"\0" + end +
          b"\0\x0b\x02\x0b\x01\0\x01\0")
    write("changes", "dump", b"\x01\x03" + b"\x2e\x0b\x08\x01\0\x01\0\x01\0" * 3 + b"\0" + end +
          b"\0\x0b\x05\x0b")
    write("changes", "add", b"\x01\x01" + b"\x32\x0a\0\x04\x01\0\0\0" + b"\0" + end +
          b"\0\x0a\x06\x0a")
    write("changes", "welcome", b"\x01\0\0\x02\0\x04\x02\x10\xff\0\x0b")
    write("changes", "few-fds", b"\x01\0\0\x10\0\x02\0\x0b")
    write("changes", "more-fds", b"\x01\0\0\x10\0\x06\0\x0b")
    write("changes", "refused", b"\x01\0\0\x02\0\x06\xfe\x07\xff\0\x0b")
    write("changes", "closed", b"\x01\0\x01\x01\x40\0\x01\x01\0\0\0\0\x0b\x01\0")


def packet():
    """Stack or none, flags and MTU of 4 ports; then frames: see make_frame()."""
    head = b"\x01" + bytes(8)

    def ip4(nh, size=100, kind=5, seg=0, changed=b""):
        return bytes([kind | len(changed) // 2 << 4, seg]) + struct.pack("<HB", size, nh) + changed

    def ip6(nh, **how):
        return ip4(nh, **{"kind": 2, **how})
    every = range(16)
    write("packet", "ip4", head + b"".join(ip4(n) for n in every))
    write("packet", "ip6", head + b"".join(ip6(n) for n in every))
    write("packet", "no-stack", b"\0" + head[1:] + b"".join(ip4(n) + ip6(n) for n in every))
    write("packet", "segments", head + b"".join(ip4(5, seg=0x80 | n) + ip6(5, seg=0x80 | n)
                                                for n in (1, 14, 20, 34, 54)))
    write("packet", "many", head + ip4(1, seg=0x7f) + ip4(7, seg=0x7f))
    write("packet", "down", b"\x01" + b"\x01\0" * 4 + ip4(1))
    write("packet", "ports-down", b"\x01\0\0" + b"\x01\0" * 3 + b"".join(ip4(n) for n in every))
    write("packet", "no-forward", b"\x01\x06\0" + bytes(6) + ip4(1) + ip6(1))
    write("packet", "mtu", b"\x01" + b"\0\x02" * 4 + ip4(1, 1400) + ip6(1, size=1400))
    write("packet", "ttl", head + ip4(1, changed=b"\x16\x01") + ip4(7, changed=b"\x16\x01") +
          ip6(1, changed=b"\x15\x01"))
    write("packet", "options", head + ip4(5, changed=b"\x0e\x46") + ip4(5, changed=b"\x0e\x4f"))
    write("packet", "bad", head + ip4(1, kind=1) + ip4(1, changed=b"\x0e\x44") +
          ip4(1, changed=b"\x10\xff") + ip4(1, changed=b"\x1a\x7f") + ip4(1, changed=b"\x1e\x7f"))
    write("packet", "groups", head + ip4(1, changed=b"\x1e\xe0") + ip6(1, changed=b"\x26\xff") +
          ip4(1, changed=b"\0\xff") + ip6(1, changed=b"\x26\xfe\x27\x80"))
    write("packet", "extensions", head + b"".join(ip6(5, changed=bytes([20, p, 54, 17]))
                                                  for p in (0, 43, 44, 51, 60, 135, 139, 140)))
    write("packet", "cut", head + ip4(1, kind=13) + b"\x05" + ip6(1, kind=10) + b"\x09")
    small = b"\x01" + b"\0\x01" * 4
    write("packet", "fragments", small + b"".join(
        ip4(n, 1400, seg=s) + ip4(n, 1400, changed=b"\x0e\x48", seg=s) for n in (1, 2, 5)
        for s in (0, 0x94)))
    write("packet", "injected", head + b"".join(
        make(n, seg=0x40 | port << 2 | how) for how in range(3) for n in (1, 5, 6, 7, 15)
        for port, make in ((0, ip4), (2, ip6))))
    write("packet", "injected-groups", head + b"".join(
        ip4(1, changed=b"\x1e\xe0", seg=seg) + ip6(1, changed=b"\x26\xff", seg=seg) +
        ip6(1, changed=b"\x26\xfe\x27\x80", seg=seg) for seg in (0x48, 0x4a, 0x40)))
    write("packet", "raw", head + b"\0\0\x20" + b"\x02\0\0\0\0\x01" + bytes(6) + b"\x08\x06" +
          bytes(18))


def request():
    """Steps: see step() and request() in fuzz_request.c."""
    turn = b"\xff"

    def ask(verb, table, rest=b""):
        return bytes([0, verb, table]) + rest

    def interface(n):
        return ask(ADD, CFG_INTERFACE, bytes([n, 0x1f + (1 if n == 4 else 0)]))
    up = b"".join(interface(n) for n in (0, 1, 2)) + turn + b"\x3e" * 4 + turn
    hops = b"".join(ask(ADD, NEXTHOP, bytes([8, n, 0])) for n in (0, 1, 2)) + turn
    # two members, and each special type
    hops += ask(ADD, NEXTHOP, bytes([0x18, 0, 1, 0]))
    hops += b"".join(ask(ADD, NEXTHOP, bytes([b, 0, 0])) for b in (1, 2, 3, 4, 5)) + turn

    def routes(table, n=8):
        return b"".join(ask(ADD, table, bytes([24 + i, i, i, i + 1])) for i in range(n)) + turn
    write("request", "interfaces", up + b"\x0a\x01" + turn + b"\x1a\x03" + turn)
    write("request", "routes", up + hops + routes(ROUTE4) + routes(ROUTE6) +
          b"".join(ask(LOOKUP, t, bytes([24, i, i])) for i in range(4) for t in (ROUTE4, ROUTE6)))
    write("request", "walk", up + hops + routes(ROUTE4) + routes(ROUTE6, 4) + b"".join(
        ask(NEXT, t, bytes([n, 24 + i, i, i])) for t in (ROUTE4, ROUTE6) for i in range(4)
        for n in (0, 0x82, 0x7f)) + turn + ask(NEXT, SNMP, b"\0\0") + turn)
    write("request", "late-nexthop", routes(ROUTE4) + up + hops + turn)
    write("request", "retire", up + hops + routes(ROUTE4) + ask(DELETE, NEXTHOP, bytes([8, 0])) +
          turn + hops + ask(DELETE, NEXTHOP, bytes([8, 1])) + turn +
          b"".join(ask(DELETE, ROUTE4, bytes([24 + i, i, i])) for i in range(8)) + turn * 2)
    write("request", "grace", b"\x1d" + up + hops + routes(ROUTE4) +
          ask(DELETE, NEXTHOP, bytes([8, 0])) + turn + b"\x1d" + turn + b"\x0d" + turn)
    neighbors = b"".join(ask(ADD, t, bytes([n << 3 | i, 0x11 + n])) for t in (CFG_NEIGHBOR, NEIGHBOR)
                         for n in range(3) for i in (0, 1)) + turn
    write("request", "neighbors", neighbors + up + hops + ask(DELETE, CFG_NEIGHBOR, b"\0") +
          ask(CHANGE, NEIGHBOR, b"\0\0") + ask(DELETE, CFG_INTERFACE, b"\1") + turn + b"\x3e" + turn)
    write("request", "watch", b"\x40" + bytes([WATCH, ROUTE4, 0]) + turn + routes(ROUTE4) + turn +
          ask(BEGIN, ROUTE4) + routes(ROUTE4, 4) + ask(END, ROUTE4) + turn * 2 +
          b"\x40" + bytes([UNWATCH, ROUTE4, 0]) + turn)
    write("request", "slow-watch", b"\x40" + bytes([WATCH, CFG_ROUTE4, 0]) + turn + b"\x0c\x01" +
          b"".join(ask(ADD, CFG_ROUTE4, bytes([24, 0, i, 0xf8]) + bytes(16)) for i in range(20)) +
          turn * 2 + b"\x0c\x09" + turn)
    # more watches than a peer may have: tags are verb / 16
    write("request", "watches", b"".join(b"\x40" + bytes([WATCH + 15 * n, t, 0]) for n in range(8)
                                         for t in range(8, 13)) + turn + routes(ROUTE4) + turn)
    write("request", "replay", b"".join(
        ask(BEGIN, t) + ask(ADD, t, b"\1\1\1\1") + ask(RECOVER, t) + turn + ask(BEGIN, t) +
        ask(END, t) + turn for t in range(1, 17)))
    write("request", "every-verb", b"".join(ask(v, t, b"\1\1\1\1") + (turn if t == 8 else b"")
                                            for v in range(1, 13) for t in range(1, 17)))
    write("request", "refused", b"".join(b"\x40" + bytes([v, t, 0, 1, 1, 1])
                                         for v in range(15) for t in (0, 1, 10, 17)))
    write("request", "flood", b"\x80" + bytes([GET, SNMP, 255, 1]) * 3 +
          b"\x80" + bytes([DUMP, ROUTE4, 255]) * 4 + turn)
    write("request", "gone", routes(ROUTE4) + b"\x40" + bytes([WATCH, ROUTE4, 4]) +
          ask(DUMP, ROUTE4) + b"\x4b" + turn + b"\x40" + bytes([WATCH, ROUTE4, 4]) + turn)
    # of every table, cursors, repairs, and by others than admins
    write("request", "audit", up + hops + routes(ROUTE4) + routes(ROUTE6) + b"".join(
        bytes([op, AUDIT + 6 * VERBS, t, cursor, flags]) for op in (0, 0x40) for t in (ROUTE4, ROUTE6, UDP)
        for cursor in (0, 3, 255) for flags in (0, 1)) + turn)
    write("request", "bad-form", b"".join(b"\x20" + bytes([ADD, t, 1, 1, 1, 1, 0x05, 9, 0, 255, 200])
                                          for t in range(1, 17)) + turn)


def checksum(data):
    total = sum(struct.unpack(f">{(len(data) + 1) // 2}H", data + bytes(len(data) % 2)))
    return ~(total % 0xffff) & 0xffff


def hostask():
    """struct bh_hostask of lib/net/hostask.h."""
    def ask(*addrs, name=b"p0", flags=15):
        return (b"HOSTASK\0" + name + bytes(16 - len(name)) +
                struct.pack("<IHH", flags, 1500, len(addrs)) + b"\2\xbb\0\0\0\1\0\0" +
                b"".join(struct.pack("<BBH", family, plen, 0) + addr + bytes(16 - len(addr))
                         for family, plen, addr in addrs))
    four, six = (4, 24, b"\x0a\0\0\1"), (6, 64, b"\xfe\x80" + bytes(13) + b"\1")
    write("hostask", "none", ask(flags=0))
    write("hostask", "both", ask(four, six))
    write("hostask", "twice", ask(four, six, four))
    write("hostask", "many", ask(*((4, 32, bytes([10, 0, 1, n])) for n in range(90))))
    write("hostask", "loopback", ask((4, 8, b"\x7f\0\0\1")))


def sockdiag():
    """Messages as the kernel sends them."""
    def one(kind, payload, seq=7, flags=2):
        return struct.pack("<IHHII", 16 + len(payload), kind, flags, seq, 0) + payload

    def sock(family, src, dst, state=1):
        return one(20, struct.pack("<BBBB", family, state, 0, 0) + struct.pack(">HH", 80, 1024) +
                   src + bytes(16 - len(src)) + dst + bytes(16 - len(dst)) + bytes(4 + 8 + 20))
    four, six, end = b"\x0a\0\0\1", b"\x20\1" + bytes(13) + b"\1", one(3, bytes(4))
    mapped = bytes(10) + b"\xff\xff" + four
    write("sockdiag", "rows", sock(2, four, four) + sock(10, six, six) + sock(10, mapped, mapped))
    write("sockdiag", "listening", sock(10, bytes(16), bytes(16), 10) + end)
    write("sockdiag", "error", sock(2, four, four) + one(2, bytes(20)))
    write("sockdiag", "others", one(20, bytes(72), seq=6) + one(20, bytes(8)) + end)


def snmp():
    """Names behind the root of a table, a stream, addresses."""
    def name(table, *ids):
        return bytes([64 + table]) + b"".join(struct.pack("<I", n) for n in ids)

    def response(error, order=">", flags=0x10):
        return (struct.pack("BBBB", 1, 18, flags, 0) + bytes(12) + struct.pack(order + "I", 8) +
                struct.pack(order + "IHH", 1, error, 0))
    write("snmp", "roots", b"\0" + struct.pack("<7I", 1, 3, 6, 1, 2, 1, 2))
    write("snmp", "scalar", name(0, 0))
    write("snmp", "column", name(1, 1, 10))
    write("snmp", "instance", name(2, 1, 6, 1))
    write("snmp", "listener", name(5, 1, 4, 1, 4, 0, 0, 0, 0, 22))
    write("snmp", "module", name(8, 1, 3, 4, *b"core"))
    write("snmp", "far", name(1, 1, 20, *[0xffffffff] * 70))
    write("snmp", "stream", b"\x80" + response(263) + response(0) + response(263, "<", 0))
    write("snmp", "unix", b"\x80unix:/var/agentx/master")
    write("snmp", "tcp", b"\x80tcp:[2001:db8::1]:705")


def icmp():
    """Flags, value, an Ethernet frame."""
    macs = b"\x02\xbb\0\0\0\1\x02\xbb\0\0\0\2"
    here4, there4 = b"\x0a\0\0\1", b"\xc0\0\2\7"
    here6, there6 = b"\x20" + bytes(14) + b"\1", b"\x20\1\x0d\xb8" + bytes(11) + b"\7"

    def ip4(dst, proto, payload, frag=0):
        head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(payload), 1, frag, 9, proto, 0)
        head += there4 + dst
        head = head[:10] + struct.pack(">H", checksum(head)) + head[12:]
        return macs + b"\x08\0" + head + payload

    def ip6(dst, nh, payload):
        return (macs + b"\x86\xdd" + struct.pack(">IHBB", 0x60000000, len(payload), nh, 9) +
                there6 + dst + payload)

    def ask(why, frame, value=1400):
        return struct.pack("<BI", why, value) + frame

    echo4 = b"\x08\0" + bytes(2) + bytes(range(20))
    echo4 = echo4[:2] + struct.pack(">H", checksum(echo4)) + echo4[4:]
    echo6 = b"\x80\0" + bytes(2) + bytes(range(20))
    pseudo = there6 + here6 + struct.pack(">II", len(echo6), 58)
    echo6 = echo6[:2] + struct.pack(">H", checksum(pseudo + echo6)) + echo6[4:]
    write("icmp", "echo4", ask(0xf, ip4(here4, 1, echo4)))
    write("icmp", "echo6", ask(0xf, ip6(here6, 58, echo6)))
    write("icmp", "ttl4", ask(0, ip4(b"\xc6\x33\x64\1", 17, bytes(40))))
    write("icmp", "ttl6", ask(0, ip6(b"\x20\2" + bytes(14), 17, bytes(40))))
    write("icmp", "big4", ask(5, ip4(b"\xc6\x33\x64\1", 17, bytes(1200), 0x2000)))
    write("icmp", "big6", ask(5, ip6(b"\xff\x0e" + bytes(14), 17, bytes(1400))))
    write("icmp", "about-error4", ask(1, ip4(b"\xc6\x33\x64\1", 1, b"\x0b" + bytes(40))))
    write("icmp", "about-error6", ask(1, ip6(b"\x20\2" + bytes(14), 60,
                                            b"\x3a\0\1\4" + bytes(4) + b"\3" + bytes(40))))
    write("icmp", "options6", ask(9, ip6(here6, 0, b"\x2b\0\x9e\4" + bytes(4) + b"\x2c\0" +
                                         bytes(6) + b"\x11\0\0\1" + bytes(12)), 42))


def inject():
    """Steps of the packet service: see step() and request()."""
    begin, settle, poll, taken = b"\0\0\0\2" + bytes(4), b"\3", b"\7", b"\6"

    def frame(how, ifindex, size, eth=b"\x08\0", who=0, kind=0x40, aux=0):
        body = struct.pack("<IBxxx", ifindex, how) + bytes(12) + eth + bytes(42)
        return bytes([0, who, size, kind]) + struct.pack("<I", aux) + body[:min(size, 64)]

    def punt(size, mark=0x10001):
        return struct.pack("<BHI", 4, size, mark)
    head = begin + settle + poll
    write("inject", "modes", head + b"".join(frame(how, i, 100, eth) for how in range(4)
                                             for i in (0, 1, 255)
                                             for eth in (b"\x08\0", b"\x86\xdd")) + taken)
    write("inject", "parts", head + (frame(1, 1, 100, kind=0x50) + frame(1, 1, 100, kind=0x60)) * 10 +
          frame(0, 0, 200, aux=9000, kind=0) + frame(0, 0, 255, kind=0x60) * 4 + taken)
    write("inject", "out", head + b"".join(punt(n) + poll for n in (0, 13, 14, 60, 1514, 3800, 9728)) +
          punt(9000) * 3 + b"\x15" * 4 + b"\2" + settle + poll)
    write("inject", "others", frame(1, 1, 100, who=2) + b"\0\2\0\2" + bytes(4) + head +
          b"\0\1\0\2" + bytes(4) + frame(1, 1, 100, who=1) + b"\2" + b"\0\1\0\2" + bytes(4) + settle)
    write("inject", "full", head + frame(1, 1, 100) * 12 + b"".join(
        b"\0\0\0" + bytes([v]) + bytes(4) for v in range(8)))


def fpm():
    """Steps: see step(). Messages as zebra's, of test/scenario/bhtest/fpm.py."""
    def framed(*messages):
        text = b"".join(messages)
        return b"\0" + struct.pack("<H", len(text)) + text

    def raw(data):
        return b"\3" + struct.pack("<H", len(data)) + data
    four, six, answer, again = "10.0.1.2", "fe80::1", b"\xbf", b"\4"
    one = speak.route("192.0.2.0/24", speak.Hop(1, four))
    write("fpm", "routes", framed(one, speak.route("2001:db8::/32", speak.Hop(2, six))) + answer +
          framed(speak.withdraw("192.0.2.0/24")) + answer)
    write("fpm", "multipath", framed(speak.route(
        "192.0.2.0/24", speak.Hop(1, four, 3), speak.Hop(2, six), speak.Hop(3))) + answer)
    write("fpm", "special", framed(*(speak.route("192.0.2.0/24", rtype=kind)
                                     for kind in (6, 7, 8, 5))) + answer)
    write("fpm", "group", framed(
        speak.route("192.0.2.0/24", nh_id=9), speak.group(9, (1, 2), (2, 1)),
        speak.nexthop(1, speak.Hop(1, four)), speak.nexthop(2, speak.Hop(2, six))) + answer +
          framed(speak.nexthop(1, speak.Hop(3, four)), speak.drop_nexthop(2)) + answer)
    write("fpm", "epochs", framed(one) + answer + again + b"\5\x40" + framed(
        speak.route("10.0.0.0/8", speak.Hop(1, four), port=5)) + b"\5\x40" + answer + b"\5\xff" * 4)
    write("fpm", "interfaces", framed(speak.route("192.0.2.0/24", speak.Hop(5, four))) + b"\6\3\5" +
          answer + b"\6\3\0" + answer)
    write("fpm", "raw", raw(speak.frame(one) + speak.frame(one)[:9]) + answer)
    write("fpm", "refused", framed(
        speak.route("192.0.2.0/24", speak.Hop(1, four), more=speak.attr(22, b"\1" * 4)),
        speak.message(28, bytes(12)), speak.route("192.0.2.0/24")) + answer)


if __name__ == "__main__":
    for make in (boot, config, fpm, hello, queue, changes, packet, inject, request, icmp, hostask,
                 snmp, sockdiag, stack):
        make()
