# SPDX-License-Identifier: BSD-3-Clause
"""The instrument itself: the verifier sees every fault, files hold what was written, and testpmd
loses nothing against a forwarder that is no router of ours."""
import os
import struct

from bhtest import packet as p
from bhtest import pcap, verify
from bhtest.bed import base_config, flow, host_mac, port_mac
from bhtest.config import yanglint
from bhtest.process import until
from bhtest.testpmd import Testpmd, first_cpu, last_cpu
from bhtest.traffic import Link, Traffic, memif_args, sockets

SAMPLES = [dict(dst="192.0.2.1", size=100), dict(dst="192.0.2.1", size=200, options=b"\x01" * 8),
           dict(dst="2600::1", size=100),
           dict(dst="2600::1", size=200, ext=[(p.HOPOPTS, p.ext_options()),
                                              (p.FRAGMENT, p.ext_fragment(0, False, 1))])]


def forwarded(frame):
    """What a right router makes of a frame, computed from scratch."""
    out = bytearray(p.mac(host_mac(1)) + p.mac(port_mac(1)) + frame[12:])
    if frame[12:14] == b"\x86\xdd":
        out[21] -= 1
        return bytes(out)
    out[22] -= 1
    out[24:26] = b"\0\0"
    out[24:26] = struct.pack("!H", p.checksum(bytes(out[14:14 + (out[14] & 15) * 4])))
    return bytes(out)


def refused(sent, got):
    """Whether the verifier refuses got."""
    try:
        verify.check_forwarded(sent, got, port_mac(1), host_mac(1))
    except verify.Wrong:
        return True
    return False


def test_verifier_sees_every_bit(t):
    """A right frame is accepted; with any one bit flipped, cut or grown it is refused."""
    for sample in SAMPLES:
        sent = flow(**sample)
        verify.check_sound(sent)
        right = forwarded(sent)
        verify.check_forwarded(sent, right, port_mac(1), host_mac(1))
        for bit in range(len(right) * 8):
            wrong = bytearray(right)
            wrong[bit // 8] ^= 1 << bit % 8
            assert refused(sent, bytes(wrong)), f"flipped bit {bit} of {sample} not seen"
        for wrong in (right[:-1], right + b"\0", sent):
            assert refused(sent, wrong), "wrong length or untouched frame not seen"


def test_builder_makes_sound_packets(t):
    """The builder's lengths and checksums hold under the verifier's own arithmetic (RFC 1071)."""
    head = bytes.fromhex("4500003c1c4640004006 0000 ac100a63ac100a0c".replace(" ", ""))
    assert p.checksum(head) == 0xb1e6, "known checksum"
    assert p.checksum(b"") == 0xffff and p.checksum(b"\xff\xff") == 0
    for frame in [flow(**sample) for sample in SAMPLES]:
        verify.check_sound(frame)
        broken = frame[:-1] + bytes((frame[-1] ^ 1,))
        assert not verify.upper_checksum_right(broken, frame[12] == 0x86), "payload change not seen"


def test_pcap_round_trip(t):
    """Files come back as written, in both units; a cut file is refused."""
    frames = [flow("192.0.2.1", 60 + n, seq=n) for n in range(500)]
    path = os.path.join(t.workdir, "a.pcap")
    for magic in (pcap.US, pcap.NS):
        assert pcap.write(path, frames, magic) == 500
        assert pcap.read(path) == frames
    os.truncate(path, os.path.getsize(path) - 1)
    try:
        pcap.read(path)
    except ValueError:
        return
    raise AssertionError("a cut file was read without complaint")


def test_config_is_valid_yang(t):
    """yanglint accepts the standard part of a configuration, and refuses a bad one."""
    config = base_config(t.workdir, 2, mtu4=1400, mtu6=1400)
    config.route("0.0.0.0/0", "10.0.1.2", "10.0.1.3").route("::/0", "2001:db8:1::2")
    config.route("192.0.2.0/24", special="blackhole").route("10.1.0.0/16", interface="p1")
    yanglint(config.data())
    try:
        yanglint(config.route("192.0.2.0/33", "10.0.1.2").data())
    except AssertionError:
        return
    raise AssertionError("yanglint took a prefix of length 33")


def test_traffic_loses_nothing(t):
    """Through a testpmd that swaps nothing but ports, for some 0.5 s: every packet comes back."""
    paths, log = sockets(t.workdir, 2), os.path.join(t.workdir, "forwarder.log")
    t.log_file(log)
    source = os.path.join(t.workdir, "source.pcap")
    pcap.write(source, (flow("192.0.2.1", 64, seq=n) for n in range(1024)))
    forwarder = Testpmd([f"net_memif{n},{memif_args(path)}" for n, path in enumerate(paths)],
                        log, (first_cpu(), last_cpu()), options=["--forward-mode=mac"]).ready()
    try:
        forwarder.start()
        traffic = Traffic([Link(paths[0], 10, source, infinite=True), Link(paths[1], 12)],
                          os.path.join(t.workdir, "testpmd.log")).connect()
        traffic.go()
        traffic.wait_received(100000)
        traffic.stop_sources()
        sent, received = traffic.drain()
        traffic.halt()
        forwarder.stop()
        traffic.close()
        assert sent[0] == received[1] >= 100000, f"sent {sent}, received {received}"
        assert sent[1] == received[0] == 0, f"sent {sent}, received {received}"
        until(lambda: not forwarder.links_up(), 5, "forwarder sees the links go down")
        forwarder.close()
    finally:
        forwarder.kill()
