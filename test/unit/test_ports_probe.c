/* SPDX-License-Identifier: BSD-3-Clause */
/* Device strings, and what sysfs says of PCI devices: no EAL is needed. */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/core/ports_priv.h"
#include "infobase/worker.h"

/* ports.c is linked for its texts; what it calls besides is never reached here. */
int
bh_forwarding_attach(struct bh_forwarding *f, uint16_t ifindex, uint16_t port_id, uint16_t n_rxq,
	uint16_t n_txq)
{
	(void)f, (void)ifindex, (void)port_id, (void)n_rxq, (void)n_txq;
	abort();
}

int
bh_forwarding_detach(struct bh_forwarding *f, uint16_t ifindex)
{
	(void)f, (void)ifindex;
	abort();
}

void
bh_bell_ring(struct bh_bell *bell)
{
	(void)bell;
	abort();
}

void
bh_worker_wake(struct bh_worker *w)
{
	(void)w;
	abort();
}

START_TEST(device_names)
{
	static const struct {
		const char *device, *name; /* NULL: refused */
	} t[] = {
		{ "0000:03:00.0", "0000:03:00.0" },
		{ "03:00.0", "0000:03:00.0" },
		{ "03:00.0,devarg=1", "0000:03:00.0" },
		{ "net_memif0,role=server,socket=/run/x.sock", "net_memif0" },
		{ "virtio_user0,path=/dev/vhost-net", "virtio_user0" },
		{ "", NULL },
		{ ",x=1", NULL },
		{ "bus=pci", NULL },
		{ "bus=vdev,name=net_null0", NULL },
		{ "net_null0,x=1/class=eth", NULL },
		{ "crypto_null0", NULL },
		{ "eth0", NULL },
		{ "net_null0\n", NULL },
		{ "net_\xff", NULL },
		{ "net_null/0", NULL },
		{ "net_a234567890123456789012345678901234567890123456789012345678901234", NULL },
	};
	char name[RTE_DEV_NAME_MAX_LEN];

	for (size_t i = 0; i < RTE_DIM(t); i++) {
		int ret = bh_port_device_name(t[i].device, name, sizeof(name));

		ck_assert_msg(ret == (t[i].name ? 0 : -EINVAL), "%s: %d", t[i].device, ret);
		if (t[i].name)
			ck_assert_str_eq(name, t[i].name);
	}
}
END_TEST

START_TEST(devargs)
{
	char buf[8];

	ck_assert(bh_port_devarg("net_x,ifaces=a,iface=veth0,q=1", "iface", buf, sizeof(buf)));
	ck_assert_str_eq(buf, "veth0");
	ck_assert(!bh_port_devarg("net_x,q=1", "iface", buf, sizeof(buf)));
	ck_assert(!bh_port_devarg("iface=veth0", "iface", buf, sizeof(buf)));
	ck_assert(!bh_port_devarg("net_x,iface=toolong8", "iface", buf, sizeof(buf)));
}
END_TEST

static char dir[] = "/tmp/bh_test_ports.XXXXXX";

static void
fake_pci(const char *addr, const char *class, const char *driver)
{
	char path[128], target[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, addr);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/%s/class", dir, addr);
	f = fopen(path, "w");
	ck_assert_ptr_nonnull(f);
	fputs(class, f);
	fclose(f);
	if (!driver)
		return;
	snprintf(path, sizeof(path), "%s/%s/driver", dir, addr);
	snprintf(target, sizeof(target), "../../drivers/%s", driver);
	ck_assert_int_eq(symlink(target, path), 0);
}

START_TEST(pci_texts)
{
	struct bh_port p = { 0 };
	char cmd[64];

	ck_assert_ptr_nonnull(mkdtemp(dir));
	fake_pci("0000:03:00.0", "0x020000\n", NULL);
	fake_pci("0000:03:00.1", "0x020000\n", "ixgbe");
	fake_pci("0000:03:00.2", "0x020000\n", "vfio-pci");
	fake_pci("0000:03:00.3", "0x010802\n", "vfio-pci");
	ck_assert_int_eq(bh_port_check_pci(&p, dir, "0000:03:00.0"), -EAGAIN);
	ck_assert_str_eq(p.error,
		"0000:03:00.0: not bound: dpdk-devbind.py -b vfio-pci 0000:03:00.0");
	ck_assert_int_eq(bh_port_check_pci(&p, dir, "0000:03:00.1"), -EAGAIN);
	ck_assert_ptr_nonnull(strstr(p.error, "kernel driver ixgbe has it: dpdk-devbind.py -b "));
	ck_assert_int_eq(bh_port_check_pci(&p, dir, "0000:03:00.2"), 0);
	ck_assert_int_eq(bh_port_check_pci(&p, dir, "0000:03:00.3"), -EAGAIN);
	ck_assert_ptr_nonnull(strstr(p.error, "not a network device"));
	fake_pci("0000:03:00.5", "0x020000\n", "uio_pci_generic");
	fake_pci("0000:03:00.6", "0x020000\n", "mlx5_core");
	ck_assert_int_eq(bh_port_check_pci(&p, dir, "0000:03:00.5"), -EAGAIN);
	ck_assert_ptr_nonnull(strstr(p.error, "uio_pci_generic has it: dpdk-devbind.py -b "));
	ck_assert_int_eq(bh_port_check_pci(&p, dir, "0000:03:00.6"), 0);
	ck_assert_int_eq(bh_port_check_pci(&p, dir, "0000:03:00.4"), -EAGAIN);
	ck_assert_ptr_nonnull(strstr(p.error, "no such PCI device"));
	snprintf(cmd, sizeof(cmd), "rm -rf %s", dir);
	ck_assert_int_eq(system(cmd), 0);
}
END_TEST

int
main(void)
{
	TCase *t = tcase_create("devices");
	Suite *s = suite_create("ports_probe");
	SRunner *sr;
	int failed;

	tcase_add_test(t, device_names);
	tcase_add_test(t, devargs);
	tcase_add_test(t, pci_texts);
	suite_add_tcase(s, t);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
