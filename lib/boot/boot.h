/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The boot record: what the supervisor and the core must know before the core runs, and
 * nothing else. bulkhead-config prints it from the YANG file (`--boot FILE`), the supervisor
 * checks it, starts programs by it and hands it to the core on a descriptor.
 *
 * Text, one item a line, fields separated by one space, values percent-encoded where they
 * hold space, '%' or control characters; first line `bulkhead-boot 1`, last line `end`:
 *
 *     bulkhead-boot 1
 *     memory 512			MiB
 *     hugepages yes			or no: EAL runs with --no-huge
 *     mbufs 32768
 *     kernel-vdev yes			a port needs CAP_NET_RAW and CAP_NET_ADMIN
 *     host-stack yes			v6stack gets a TAP for each interface
 *     eal --log-level=...		extra EAL argument, may repeat
 *     lcore 0 0 main			lcore id, cpu, role
 *     group route4 5			worker lcore of a table group
 *     interface eth0 net_memif0,...	name and device (TAPs, binding, messages)
 *     control-cpu 0			CPU of modules, may repeat
 *     module config yes bulkhead-config	always first; the supervisor adds --run FILE
 *     module routing yes bulkhead-routing arg ...
 *     end
 */
#ifndef BH_BOOT_H
#define BH_BOOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "infobase/schema.h"
#include "lib/channel/msg.h"

#define BH_BOOT_VERSION 1
#define BH_BOOT_LCORES 32
#define BH_BOOT_MODULES 16
#define BH_BOOT_EAL 16
#define BH_BOOT_ARGS 8
#define BH_BOOT_TEXT_MAX (256 * 1024)
#define BH_BOOT_LCORE_ID_MAX 127 /* DPDK's RTE_MAX_LCORE - 1 */
#define BH_BOOT_CPU_MAX 1023
#define BH_BOOT_MEMORY_MAX (1024 * 1024)
#define BH_BOOT_MBUFS_MAX 0xffffff

enum bh_lcore_role {
	BH_LCORE_MAIN,		/* EAL main: port manager, role sockets */
	BH_LCORE_CONTROL_PROXY, /* one or more */
	BH_LCORE_SERVICE_PROXY,
	BH_LCORE_INFOBASE,
	BH_LCORE_WORKER,	/* one or more */
	BH_LCORE_PUNT,		/* at most one */
	BH_LCORE_FORWARDING,	/* one or more */
	BH_LCORE_ROLES,
};

/* Words of the record: "control-proxy" ..., "link" ...; NULL beyond. And back, or -ENOENT. */
const char *bh_lcore_role_name(unsigned int role);
const char *bh_boot_group_name(unsigned int group);
int bh_boot_role_find(const char *name);
int bh_boot_group_find(const char *name);

struct bh_boot_lcore {
	uint32_t id, cpu;
	uint32_t role; /* enum bh_lcore_role */
};

struct bh_boot_module {
	char name[BH_NAME_LEN]; /* also its role */
	bool enabled;
	char program[256];	/* a name beside our other programs, or an absolute path */
	unsigned int n_args;
	char args[BH_BOOT_ARGS][256];
};

struct bh_boot_interface {
	char name[BH_NAME_LEN];
	char device[BH_DEVICE_LEN];
};

struct bh_boot {
	uint32_t memory; /* MiB */
	bool hugepages;
	uint32_t mbufs;
	bool kernel_vdev;
	bool host_stack;
	unsigned int n_eal;
	char eal[BH_BOOT_EAL][128];
	unsigned int n_lcores;
	struct bh_boot_lcore lcores[BH_BOOT_LCORES];
	uint32_t group_lcore[BH_GROUP_MAX];
	unsigned int n_control_cpus;
	uint32_t control_cpus[BH_BOOT_LCORES];
	unsigned int n_modules;
	struct bh_boot_module modules[BH_BOOT_MODULES]; /* in the order of starting */
	unsigned int n_interfaces;
	struct bh_boot_interface interfaces[BH_IF_MAX];
};

/* Reads a record from text (len bytes). Checks everything: version, numbers, exactly one main, service
 * proxy and infobase lcore, at least one of the others (punt: 0 or 1), unique ids, every group on
 * a worker lcore, `end`. 0, or -EINVAL and a message for people in err. */
int bh_boot_parse(const char *text, size_t len, struct bh_boot *boot, char *err, size_t err_len);

/* The same checks on a record that was not read but made. Takes nothing, changes nothing. */
int bh_boot_check(const struct bh_boot *boot, char *err, size_t err_len);

/* Writes a record so that bh_boot_parse() reads the same. 0 or -EIO. */
int bh_boot_print(FILE *out, const struct bh_boot *boot);

/* Fills the lcore plan and groups for n given CPUs: with 2 or more, CPU cpus[0] carries every
 * sleeping lcore and each other CPU one forwarding lcore; with 1, all share it. CPUs beyond
 * what BH_BOOT_LCORES has room for stay unused. */
void bh_boot_default_plan(struct bh_boot *boot, const uint32_t *cpus, unsigned int n);

/* Spreads the groups over the workers of the plan: link and misc on the first, route4 and
 * route6 on the next ones if there are. Without a worker: nothing. */
void bh_boot_default_groups(struct bh_boot *boot);

/* The first lcore with that role, or NULL; `nth` counts from 0. */
const struct bh_boot_lcore *bh_boot_lcore(const struct bh_boot *boot, unsigned int role,
	unsigned int nth);

#endif
