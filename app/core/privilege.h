/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the core gives up. Huge pages, vfio and memif take no capability, only files that its
 * user may open; so it keeps none, whoever it is, except for what configured devices take:
 *
 *   kernel interfaces (net_af_packet, net_tap ...)	CAP_NET_RAW, CAP_NET_ADMIN
 *   net_af_xdp						also CAP_BPF
 *   NICs that share their kernel driver (mlx5 ...)	CAP_NET_RAW, CAP_NET_ADMIN
 *   any NIC, where RLIMIT_MEMLOCK cannot be raised	CAP_IPC_LOCK
 *
 * A device that is configured later and takes more is refused with a text that says so.
 */
#ifndef BH_CORE_PRIVILEGE_H
#define BH_CORE_PRIVILEGE_H

#include <stdint.h>

#include "lib/boot/boot.h"

/* The capabilities that the record's devices take, bit n for capability n. sysfs: folder of PCI
 * devices, /sys/bus/pci/devices. */
uint64_t bh_privilege_needed(const struct bh_boot *boot, const char *sysfs);

/* Reduces this thread to those (and what it has of them), and forbids to gain any. Before EAL
 * starts: capabilities belong to threads, and lcores inherit them. 0 or -errno. */
int bh_privilege_drop(const struct bh_boot *boot);

#endif
