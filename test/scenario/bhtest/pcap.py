# SPDX-License-Identifier: BSD-3-Clause
"""Write and read classic pcap files as streams: Ethernet, either byte order, us or ns stamps."""
import struct

US, NS = 0xa1b2c3d4, 0xa1b23c4d
ETHERNET = 1
SNAPLEN = 65535


def write(path, frames, magic=US):
    """Write frames, one stamp unit apart; the number written."""
    record = struct.Struct("<IIII")
    unit = 10**9 if magic == NS else 10**6
    count = 0
    with open(path, "wb", buffering=1 << 20) as out:
        out.write(struct.pack("<IHHiIII", magic, 2, 4, 0, 0, SNAPLEN, ETHERNET))
        for frame in frames:
            size = len(frame)
            out.write(record.pack(count // unit, count % unit, size, size) + frame)
            count += 1
    return count


def records(path):
    """Yield (seconds, frame) of every whole record; a cut record or header raises ValueError.

    An empty file is no packet: libpcap writes even the header only with the first packet.
    """
    with open(path, "rb", buffering=1 << 20) as source:
        head = source.read(24)
        if not head:
            return
        if len(head) != 24:
            raise ValueError(f"{path}: no pcap header")
        order = "<" if struct.unpack("<I", head[:4])[0] in (US, NS) else ">"
        magic, _, _, _, _, _, link = struct.unpack(order + "IHHiIII", head)
        if magic not in (US, NS) or link != ETHERNET:
            raise ValueError(f"{path}: magic {magic:#x}, link type {link}")
        unit = 10**9 if magic == NS else 10**6
        record = struct.Struct(order + "IIII")
        while raw := source.read(16):
            if len(raw) != 16:
                raise ValueError(f"{path}: cut record header")
            sec, frac, size, _ = record.unpack(raw)
            frame = source.read(size)
            if len(frame) != size:
                raise ValueError(f"{path}: cut record")
            yield sec + frac / unit, frame


def read(path):
    """All frames of a file."""
    return [frame for _, frame in records(path)]
