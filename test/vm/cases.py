# SPDX-License-Identifier: BSD-3-Clause
"""What is tried in a guest, in the order of a user's first hour with two NICs."""
import time

from bhtest import packet, verify
from bhtest.bed import host4, host6, host_mac
from bhtest.config import Config
from bhtest.process import until

from guest import Router
from vm import ADDRESSES, nic_mac
from wire import exchange

NO_DEVICE = 8
ABSENT = "0000:7f:1f.7"
OWN_MACS = ("02:bb:00:00:00:01", "02:bb:00:00:01:01")
COUNT = 240  # packets of each version each way
JUMBO = 9000
QUEUES = {"vmxnet3": 2}  # to receive, that two forwarding lcores get; one of other NICs


class Bed:
    """The guest, the router in it, and what the configured ports are called on the wire."""

    def __init__(self, vm):
        self.vm, self.router, self.macs = vm, Router(vm), [nic_mac(0), nic_mac(1)]

    def pass_both_ways(self, count=COUNT, sizes=(60, 594, 1514)):
        """Send `count` packets of each version each way; each must come once, as one hop leaves
        it, and nothing else."""
        sent = {port: frames(self.macs[port], port, count, sizes) for port in (0, 1)}
        began = time.monotonic()
        got = exchange(self.vm.wires, sent, sum(map(len, sent.values())))
        for port in (0, 1):
            verify.check_all_forwarded(sent[1 - port], got[port], self.macs[port], host_mac(port))
        print(f"      {4 * count} packets, IPv4 and IPv6, both ways, 0 lost,"
              f" {time.monotonic() - began:.1f} s", flush=True)


def frames(mac, port, count, sizes):
    """Frames of both versions and each size into a port, for the networks behind the other."""
    made = []
    for n in range(count):
        size = sizes[n % len(sizes)]
        for src, dst in ((host4(port), f"198.18.{1 - port}.{n % 250 + 1}"),
                         (host6(port), f"2001:db8:ff0{1 - port}::{n + 1:x}")):
            made.append(packet.flow(mac, host_mac(port), src, dst, 1024 + n, 4000, len(made),
                                    max(size, 70) if packet.is6(dst) else size))
    return made


def two_forwarding():
    """lcores: two that forward, on the second CPU."""
    roles = ["main", "control-proxy", "service-proxy", "infobase", "worker", "forwarding",
             "forwarding"]
    return {"lcores": {"lcore": [{"id": n, "cpu": int(role == "forwarding"), "role": role}
                                 for n, role in enumerate(roles)]}}


def config(devices=ADDRESSES, plan=None, **dpdk):
    """Two interfaces by PCI address, static neighbors, and a network behind each."""
    made = Config({"memory": {"size": 384, "mbufs": 16384}, **(plan or {})})
    for n, device in enumerate(devices):
        made.interface(f"p{n}", device, [f"10.0.{n}.1/24", f"2001:db8:{n}::1/64"],
                       {host4(n): host_mac(n), host6(n): host_mac(n)},
                       **{key: value[n] if isinstance(value, tuple) else value
                          for key, value in dpdk.items()})
        made.route(f"198.18.{n}.0/24", host4(n)).route(f"2001:db8:ff0{n}::/48", host6(n))
    return made


def need(truth, text):
    """AssertionError with the text unless truth."""
    if not truth:
        raise AssertionError(text)


def refused(bed, made, *words):
    """The router must end with the code for devices and say these words in one line."""
    code, said = bed.router.attempt(made)
    print("      " + said.strip(), flush=True)
    need(code == NO_DEVICE, f"exit code {code}, not {NO_DEVICE}: {said}")
    need(any(all(word in line for word in words) for line in said.splitlines()),
         f"no line has {words}: {said}")


def bind(bed, driver, *addresses):
    """Bind devices as README says: (exit code, what the tool said)."""
    return bed.vm.run(f"dpdk-devbind.py --bind={driver} {' '.join(addresses)}", 120)


def absent_device(bed):
    """An address where no device is: named, exit code 8."""
    refused(bed, config((ADDRESSES[0], ABSENT)), "p0", ADDRESSES[0])
    refused(bed, config((ABSENT, ADDRESSES[0])), "p0", ABSENT, "absent")


def bound_to_kernel(bed):
    """A NIC in the hands of the kernel's driver: named, with the command that binds it."""
    refused(bed, config(), "p0", ADDRESSES[0], f"dpdk-devbind.py --bind=vfio-pci {ADDRESSES[0]}")


def bound_to_uio(bed):
    """uio gives no IOMMU and no virtual addresses: the same advice."""
    code, said = bind(bed, "uio_pci_generic", *ADDRESSES)
    need(code == 0, said)
    refused(bed, config(), "p0", "uio_pci_generic",
            f"dpdk-devbind.py --bind=vfio-pci {ADDRESSES[0]}")


def one_bound(bed):
    """The first NIC is bound as the message said; now the second is named."""
    code, said = bind(bed, "vfio-pci", ADDRESSES[0])
    need(code == 0, said)
    refused(bed, config(), "p1", ADDRESSES[1], f"dpdk-devbind.py --bind=vfio-pci {ADDRESSES[1]}")


def forwards(bed):
    """Both bound: links up, the NICs' own addresses, packets both ways."""
    code, said = bind(bed, "vfio-pci", ADDRESSES[1])
    need(code == 0, said)
    bed.router.start(config())
    bed.router.until_state(p0="up", p1="up")
    rows = bed.router.interfaces()
    need([rows[f"p{n}"]["mac"] for n in (0, 1)] == bed.macs, f"not the NICs' addresses: {rows}")
    need(all(rows[f"p{n}"]["mtu"] == 1500 for n in (0, 1)), f"mtu: {rows}")
    bed.pass_both_ways()
    for what in ("interfaces", "neighbors", "routes", "lcores", "processes"):
        print(bed.router.show(what), flush=True)


def foreign_mac(bed):
    """Frames to another unicast address are not forwarded, by the NIC's filter or by ours."""
    sent = frames("52:54:00:00:00:99", 0, 20, (60,))
    got = exchange(bed.vm.wires, {0: sent}, 0)
    need(not got[0] and not got[1], f"{len(got[0]) + len(got[1])} frames came through")
    bed.pass_both_ways(20)


def link_state(bed):
    """A pulled cable is seen and its routes leave; plugged in again, packets pass again."""
    bed.vm.ask("set_link", name=bed.vm.wires[1].name, up=False)
    bed.router.until_state(p0="up", p1="down")
    bed.vm.ask("set_link", name=bed.vm.wires[1].name, up=True)
    bed.router.until_state(p0="up", p1="up")
    bed.pass_both_ways(60)


def other_settings(bed):
    """Read anew under way: own addresses, jumbo frames, other rings."""
    bed.macs = list(OWN_MACS)
    bed.router.reload(config(mac=OWN_MACS, mtu=JUMBO, rx_descriptors=256, tx_descriptors=512))

    def applied():
        rows = bed.router.interfaces()
        return all(rows[f"p{n}"]["mac"] == OWN_MACS[n] and rows[f"p{n}"]["mtu"] == JUMBO
                   and rows[f"p{n}"]["oper-status"] == "up" for n in (0, 1))
    until(applied, 60, "the settings are applied", 0.3)
    bed.pass_both_ways(60, (60, 1514, JUMBO + 14))


def too_much(bed):
    """What a NIC does not have is said by the interface; the other goes on."""
    made = config(rx_queues=(64, 1))
    bed.router.reload(made)

    def said():
        row = bed.router.interfaces()["p0"]
        return row["oper-status"] != "up" and "queues" in row["error"]
    until(said, 60, "p0 tells of its queues", 0.3)
    bed.router.until_state(p1="up")
    print(bed.router.show("interfaces"), flush=True)


def few_buffers(bed):
    """SIGTERM: exit code 0, the NICs free for the next start; that one with hardly more packet
    buffers than the NICs' rings take, which is said."""
    need(bed.router.stop() == 0, f"exit code {bed.router.ended()}:\n{bed.router.log()}")
    bed.router.start(config(plan={"memory": {"size": 384, "mbufs": 2100}}))
    until(lambda: "raise mbufs" in bed.router.log(), 30, "the router tells of few buffers", 0.2)


def two_lcores(bed):
    """Started with two forwarding lcores, which share a NIC's queues, or the NICs."""
    need(bed.router.stop() == 0, f"exit code {bed.router.ended()}:\n{bed.router.log()}")
    bed.macs = [nic_mac(0), nic_mac(1)]
    bed.router.start(config(plan=two_forwarding()))
    bed.router.until_state(p0="up", p1="up")
    bed.pass_both_ways()
    rows = bed.router.interfaces()
    handled = [row["handled"] for row in bed.router.rows("lcores") if row["role"] == "forwarding"]
    print(f"      queues to receive {rows['p0']['rx-queues']}, to send {rows['p0']['tx-queues']},"
          f" packets of each forwarding lcore {handled}", flush=True)
    need(rows["p0"]["rx-queues"] == rows["p1"]["rx-queues"] == QUEUES.get(bed.vm.nic, 1),
         f"queues: {rows}")
    # QEMU's vmxnet3 puts all packets into the first queue: it emulates no RSS.
    need(len(handled) == 2 and (all(handled) or bed.vm.nic == "vmxnet3"), f"lcores: {handled}")


def core_killed(bed):
    """The core killed with the NICs' DMA on: its successor takes them over."""
    before = bed.router.pid("core")
    bed.vm.run(f"kill -KILL {before}")

    def back():
        try:
            return bed.router.pid("core") != before
        except (AssertionError, StopIteration):
            return False
    until(back, 60, "a new core", 0.5)
    bed.router.until_state(p0="up", p1="up")
    bed.pass_both_ways(60)


def no_iommu(bed):
    """Without an IOMMU vfio-pci takes no device: the message says what is wrong."""
    refused(bed, config(), "p0", ADDRESSES[0], "IOMMU", "intel_iommu=on")
    code, said = bind(bed, "vfio-pci", ADDRESSES[0])
    need(code != 0 or "Cannot bind" in said, f"vfio-pci took a device: {said}")
    refused(bed, config(), "p0", ADDRESSES[0], "IOMMU", "intel_iommu=on")


CASES = (absent_device, bound_to_kernel, bound_to_uio, one_bound, forwards, foreign_mac, link_state,
         other_settings, too_much, few_buffers, two_lcores, core_killed)
BARE = (no_iommu,)
