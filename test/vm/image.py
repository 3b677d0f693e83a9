# SPDX-License-Identifier: BSD-3-Clause
"""The guest's kernel and initramfs: busybox, the kernel's modules, and init.

The kernel is Debian's, unpacked under build/vm/kernel by ./run; nothing of it is installed.
"""
import glob
import gzip
import os
import shutil
import subprocess

from bhtest.process import run

HERE = os.path.dirname(os.path.abspath(__file__))
# 9p to reach the host's files, the kernel's drivers of the NICs, and vfio.
WANTED = ("virtio_pci", "9pnet_virtio", "9p", "e1000", "e1000e", "virtio_net", "vmxnet3",
          "vfio_iommu_type1", "vfio-pci", "uio_pci_generic")


def one(pattern):
    """The only file that fits."""
    found = glob.glob(pattern)
    if len(found) != 1:
        raise AssertionError(f"{pattern}: {len(found)} files fit: sudo ./run vm gets the kernel")
    return found[0]


def module_files(tree, version):
    """Files of the wanted modules and of those that they need, in the order of loading."""
    run(["depmod", "-b", tree, version], 60)
    files = []
    for name in WANTED:
        lines = run(["modprobe", "-d", tree, "-S", version, "--show-depends", name]).stdout
        for words in map(str.split, lines.splitlines()):
            if words[0] == "insmod" and words[1] not in files:
                files.append(words[1])
    return files


def build(folder):
    """(kernel, initramfs) under folder, made anew."""
    kernel = one(f"{folder}/kernel/boot/vmlinuz-*")
    files = module_files(f"{folder}/kernel", kernel.split("vmlinuz-", 1)[1])
    root = os.path.join(folder, "initramfs")
    shutil.rmtree(root, ignore_errors=True)
    for name in ("bin", "modules"):
        os.makedirs(os.path.join(root, name))
    shutil.copy("/bin/busybox", f"{root}/bin/busybox")
    shutil.copy(os.path.join(HERE, "init"), f"{root}/init")
    os.chmod(f"{root}/init", 0o755)
    for path in files:
        shutil.copy(path, f"{root}/modules")
    with open(f"{root}/modules/order", "w", encoding="ascii") as out:
        out.writelines(os.path.basename(path) + "\n" for path in files)
    names = "".join(os.path.relpath(os.path.join(at, name), root) + "\n"
                    for at, folders, inside in os.walk(root) for name in folders + inside)
    packed = subprocess.run(["cpio", "-o", "-H", "newc", "--quiet"], input=names.encode(),
                            cwd=root, stdout=subprocess.PIPE, check=True, timeout=60).stdout
    initrd = os.path.join(folder, "initrd.gz")
    with gzip.open(initrd, "wb", 1) as out:
        out.write(packed)
    return kernel, initrd
