/* SPDX-License-Identifier: BSD-3-Clause */
/* The host stack with a real kernel: what is made, asked for, and what stays when one end dies. */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/net/prefix.h"
#include "test/unit/hosttap_util.h"

START_TEST(made_and_handed)
{
	struct stack st;
	struct bh_hostask h;
	unsigned int index;

	start_taps();
	index = if_nametoindex("p0");
	ck_assert_uint_ne(index, 0);
	ck_assert_uint_ne(if_nametoindex("p1"), 0);
	ck_assert_int_eq(if_flags("p0") & (IFF_UP | IFF_NOARP), IFF_NOARP);
	ck_assert(sysctl_is("p0", "ipv4", "rp_filter", "0"));
	ck_assert(sysctl_is("p0", "ipv6", "accept_ra", "0"));
	ck_assert(sysctl_is("p0", "ipv6", "forwarding", "0"));
	ck_assert(sysctl_is("p0", "ipv6", "addr_gen_mode", "1"));
	start_stack(&st);
	ck_assert_uint_eq(bh_hosttaps_bind(st.taps, "p0", 5), index);
	ck_assert_uint_eq(bh_hosttaps_bind(st.taps, "p9", 6), 0);
	ck_assert_uint_eq(bh_hosttaps_kernel(st.taps, 5), index);
	ck_assert_uint_eq(bh_hosttaps_kernel(st.taps, 6), 0);
	want_up(&h, "p0", "10.0.0.1/24", "2001:db8::1/64");
	add_address(&h, "fe80::1/64");
	h.mtu = 1400;
	ck_assert(ask(&st, &h));
	ck_assert(!ask(&st, &h)); /* the same is not asked twice */
	ck_assert_str_eq(addresses("p0"), "10.0.0.1/24 2001:db8::1/64 fe80::1/64 ");
	ck_assert_int_eq(if_mtu("p0"), 1400);
	check_mac("p0");
	ck_assert_int_eq(if_flags("p0") & IFF_UP, IFF_UP);
	ck_assert(has_carrier("p0"));
	h.flags = BH_HOSTASK_UP;
	ck_assert(ask(&st, &h));
	ck_assert_int_eq(if_flags("p0") & IFF_UP, IFF_UP);
	ck_assert(!has_carrier("p0"));
	h.flags = 0;
	ck_assert(ask(&st, &h));
	ck_assert_int_eq(if_flags("p0") & IFF_UP, 0);
	want_up(&h, "p2", NULL, NULL);
	ck_assert_int_eq(bh_hosttaps_want(st.taps, &h), -ENODEV);
	end_stack(&st);
	bh_taps_free(hosttap_taps);
	ck_assert_uint_eq(if_nametoindex("p0"), 0);
}
END_TEST

START_TEST(packets_both_ways)
{
	struct stack st;
	struct bh_hostask h;
	uint8_t frame[64] = {0};

	start_taps();
	start_stack(&st);
	bh_hosttaps_bind(st.taps, "p0", 5);
	bh_hosttaps_bind(st.taps, "p1", 6);
	ck_assert_int_eq(bh_hosttaps_write(st.taps, 5, frame, sizeof(frame)), -ENODEV);
	want_up(&h, "p0", "10.0.0.1/24", "2001:db8::1/64");
	ask(&st, &h);
	want_up(&h, "p1", "10.0.1.1/24", "2001:db8:1::1/64");
	ask(&st, &h);
	exchange(&st, AF_INET, "10.0.0.1", "10.0.0.9");
	exchange(&st, AF_INET6, "2001:db8:1::1", "2001:db8:1::9");
	ck_assert_uint_ge(st.answered, 2);
	ck_assert_uint_eq(st.last_ifindex, 6);
	ck_assert_int_eq(bh_hosttaps_write(st.taps, 7, frame, sizeof(frame)), -ENODEV);
	ck_assert_int_eq(bh_hosttaps_write(st.taps, 5, frame, 13), -EMSGSIZE);
	h.flags = 0; /* down */
	ask(&st, &h);
	ck_assert_int_eq(bh_hosttaps_write(st.taps, 6, frame, sizeof(frame)), -EIO);
	ck_assert_uint_eq(bh_hosttaps_stats(st.taps)->refused, 4);
	ck_assert_uint_eq(bh_hosttaps_stats(st.taps)->to_kernel, st.answered);
	end_stack(&st);
	bh_taps_free(hosttap_taps);
}
END_TEST

/* The last resort: over the first TAP that is asked for it, behind every other default route. */
START_TEST(default_route)
{
	struct stack st;
	struct bh_hostask h;

	start_taps();
	start_stack(&st);
	bh_hosttaps_bind(st.taps, "p0", 5);
	want_up(&h, "p0", "10.0.0.1/24", "2001:db8::1/64");
	ask(&st, &h);
	h.flags |= BH_HOSTASK_DEFAULT4 | BH_HOSTASK_DEFAULT6;
	ask(&st, &h);
	ck_assert(file_has("/proc/thread-self/net/route",
		"p0\t00000000\t00000000\t0001\t0\t0\t4026531840"));
	exchange(&st, AF_INET, "10.0.0.1", "192.0.2.9");
	exchange(&st, AF_INET6, "2001:db8::1", "2001:db8:ffff::9");
	h.flags &= ~(BH_HOSTASK_DEFAULT4 | BH_HOSTASK_DEFAULT6);
	ask(&st, &h);
	ck_assert(!file_has("/proc/thread-self/net/route", "p0\t00000000\t00000000"));
	end_stack(&st);
	bh_taps_free(hosttap_taps);
}
END_TEST

/* v6stack dies: nothing changes for the kernel; its successor asks the same: neither. */
START_TEST(reader_dies)
{
	struct stack st;
	struct bh_hostask h;
	int mon;

	start_taps();
	start_stack(&st);
	want_up(&h, "p0", "10.0.0.1/24", "2001:db8::1/64");
	add_address(&h, "10.0.0.2/24");
	add_address(&h, "fe80::1/64");
	h.flags |= BH_HOSTASK_DEFAULT4 | BH_HOSTASK_DEFAULT6;
	mon = monitor();
	ask(&st, &h);
	await_addresses(mon, 4);
	end_stack(&st);
	ck_assert(has_carrier("p0"));
	start_stack(&st);
	bh_hosttaps_bind(st.taps, "p0", 9);
	ck_assert(ask(&st, &h));
	ck_assert(has_carrier("p0"));
	ck_assert_str_eq(addresses("p0"), "10.0.0.1/24 10.0.0.2/24 2001:db8::1/64 fe80::1/64 ");
	ck_assert(!changed(mon));
	exchange(&st, AF_INET6, "2001:db8::1", "2001:db8::9");
	close(mon);
	end_stack(&st);
	bh_taps_free(hosttap_taps);
}
END_TEST

/* Whatever is asked after whatever else, and whatever was done beside: it comes to be so. */
START_TEST(any_set_after_any)
{
	static const char *const pool[] = {
		"10.0.0.1/24", "10.0.0.2/24", "10.0.0.2/25", "10.0.0.3/32", "10.1.0.1/16",
		"2001:db8::1/64", "2001:db8::1/48", "2001:db8::2/128", "fe80::1/64", "fe80::2/64",
	};
	char want[sizeof(pool) / sizeof(pool[0])][BH_PREFIX_STRLEN], text[1024];
	struct stack st;
	struct bh_hostask h;
	struct bh_prefix p;

	srand(_i + 1);
	start_taps();
	start_stack(&st);
	for (int round = 0; round < 40; round++) {
		unsigned int n = 0;

		bh_hostask_init(&h, "p0", hosttap_mac, 1500 - round);
		h.flags = rand() % 8 != 0 ? BH_HOSTASK_UP : 0;
		for (unsigned int i = 0; i < sizeof(pool) / sizeof(pool[0]); i++) {
			const char *a = pool[(i * 7 + round) % (sizeof(pool) / sizeof(pool[0]))];

			bh_prefix_parse(a, &p);
			if (rand() % 2 == 0 && bh_hostask_add(&h, p.family, p.addr, p.plen) == 0)
				strcpy(want[n++], a);
		}
		qsort(want, n, sizeof(want[0]), by_text);
		text[0] = '\0';
		for (unsigned int i = 0; i < n; i++)
			sprintf(text + strlen(text), "%s ", want[i]);
		ask(&st, &h);
		ck_assert_msg(strcmp(addresses("p0"), text) == 0, "round %d: %s, wanted %s", round,
			addresses("p0"), text);
	}
	end_stack(&st);
	bh_taps_free(hosttap_taps);
}
END_TEST

/* An interface of the kernel has the name: another name; both taken: none, and the rest works. */
START_TEST(name_is_taken)
{
	struct ifreq ifr = {.ifr_flags = IFF_TAP | IFF_NO_PI};
	struct stack st;
	int fd[2];

	enter_namespace();
	fd[0] = open("/dev/net/tun", O_RDWR);
	strcpy(ifr.ifr_name, "p0");
	ck_assert_int_eq(ioctl(fd[0], TUNSETIFF, &ifr), 0);
	hosttap_taps = bh_taps_new(&hosttap_boot);
	bh_taps_make(hosttap_taps);
	start_stack(&st);
	ck_assert_uint_ne(bh_hosttaps_bind(st.taps, "p0", 5), 0);
	ck_assert_uint_eq(bh_hosttaps_bind(st.taps, "p0", 5), if_nametoindex("bh-p0"));
	end_stack(&st);
	bh_taps_free(hosttap_taps);
	fd[1] = open("/dev/net/tun", O_RDWR);
	strcpy(ifr.ifr_name, "bh-p0");
	ck_assert_int_eq(ioctl(fd[1], TUNSETIFF, &ifr), 0);
	hosttap_taps = bh_taps_new(&hosttap_boot);
	bh_taps_make(hosttap_taps);
	start_stack(&st);
	ck_assert_uint_eq(bh_hosttaps_bind(st.taps, "p0", 5), 0);
	ck_assert_uint_ne(bh_hosttaps_bind(st.taps, "p1", 6), 0);
	end_stack(&st);
	bh_taps_free(hosttap_taps);
	close(fd[0]);
	close(fd[1]);
}
END_TEST

/* The supervisor is killed, v6stack lives: the next one finds its TAPs there. */
START_TEST(adopted)
{
	struct stack st;
	struct bh_hostask h;
	unsigned int index;
	pid_t pid;
	int mon;

	start_taps();
	start_stack(&st);
	want_up(&h, "p1", "10.0.0.1/24", "2001:db8::1/64");
	mon = monitor();
	ask(&st, &h);
	await_addresses(mon, 2);
	index = if_nametoindex("p1");
	pid = fork(); /* holds copies of all */
	if (pid == 0) {
		pause();
		_exit(0);
	}
	end_stack(&st);
	bh_taps_free(hosttap_taps);
	hosttap_taps = bh_taps_new(&hosttap_boot);
	bh_taps_adopt(hosttap_taps, pid);
	bh_taps_make(hosttap_taps);
	kill(pid, SIGKILL);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	start_stack(&st);
	ck_assert_uint_eq(bh_hosttaps_bind(st.taps, "p1", 7), index);
	ck_assert(ask(&st, &h));
	ck_assert_str_eq(addresses("p1"), "10.0.0.1/24 2001:db8::1/64 ");
	ck_assert(!changed(mon));
	exchange(&st, AF_INET, "10.0.0.1", "10.0.0.9");
	close(mon);
	end_stack(&st);
	bh_taps_free(hosttap_taps);
}
END_TEST

/* Without module or by configuration: none. */
START_TEST(not_wanted)
{
	enter_namespace();
	hosttap_boot.host_stack = false;
	ck_assert_ptr_null(bh_taps_new(&hosttap_boot));
	hosttap_boot.host_stack = true;
	hosttap_boot.modules[0].enabled = false;
	ck_assert_ptr_null(bh_taps_new(&hosttap_boot));
	bh_taps_make(NULL);
	ck_assert_int_eq(bh_taps_hand(NULL, -1), 0);
	ck_assert(!bh_taps_asked(NULL, "READY", 5));
	bh_taps_free(NULL);
}
END_TEST

/* Texts of a supervisor that are none, and a TAP handed over twice. */
/* ---- ports that come and go ---- */

/* The table cfg_interface says this of a port; device NULL: it is deleted. */
static void
port(struct stack *st, const char *name, const char *device)
{
	struct bh_ifname_key key = {0};
	struct bh_cfg_interface val = {0};
	struct bh_change c = {.table = BH_T_CFG_INTERFACE, .op = BH_OP_DELETE, .key = &key};

	strcpy(key.name, name);
	if (device != NULL) {
		strcpy(val.device, device);
		c.op = BH_OP_PUT;
		c.val = &val;
		c.val_len = sizeof(val);
	}
	bh_taps_follow(hosttap_taps, &c, st != NULL ? st->pair[0] : -1);
}

static void
mark(struct stack *st, uint8_t op, uint8_t flags)
{
	struct bh_change c = {.table = BH_T_CFG_INTERFACE, .op = op, .flags = flags};

	bh_taps_follow(hosttap_taps, &c, st != NULL ? st->pair[0] : -1);
}

START_TEST(ports_come_and_go)
{
	struct stack st;
	struct bh_hostask h;

	start_taps();
	start_stack(&st);
	port(&st, "p0", "net_null0"); /* is there */
	port(&st, "p2", "net_null2");
	take_word(&st);
	ck_assert_uint_eq(bh_hosttaps_bind(st.taps, "p2", 7), if_nametoindex("p2"));
	want_up(&h, "p2", "10.0.2.1/24", "2001:db8:2::1/64");
	ck_assert(ask(&st, &h));
	exchange(&st, AF_INET, "10.0.2.1", "10.0.2.9");
	ck_assert_uint_eq(st.last_ifindex, 7);
	port(&st, "p2", ""); /* an interface without device has none */
	take_word(&st);
	ck_assert_uint_eq(bh_hosttaps_kernel(st.taps, 7), 0);
	ck_assert_uint_eq(if_nametoindex("p2"), 0);
	port(&st, "p1", NULL);
	take_word(&st);
	ck_assert_uint_eq(if_nametoindex("p1"), 0);
	port(&st, "p7", NULL);
	ck_assert_int_ge(bh_hosttaps_poll(st.taps, 10), 0);
	ck_assert_uint_ne(bh_hosttaps_bind(st.taps, "p0", 5), 0);
	want_up(&h, "p0", "10.0.0.1/24", NULL);
	ck_assert(ask(&st, &h));
	exchange(&st, AF_INET, "10.0.0.1", "10.0.0.9");
	end_stack(&st);
	bh_taps_free(hosttap_taps);
}
END_TEST

/* What the table does not have goes only once it is known to be whole, and while no v6stack runs too. */
START_TEST(ports_of_another_core)
{
	start_taps();
	port(NULL, "p1", "net_null1");
	mark(NULL, BH_OP_SYNCED, 0);
	ck_assert_uint_ne(if_nametoindex("p0"), 0); /* config has not said all */
	mark(NULL, BH_OP_COMPLETE, 0);
	ck_assert_uint_eq(if_nametoindex("p0"), 0);
	ck_assert_uint_ne(if_nametoindex("p1"), 0);
	mark(NULL, BH_OP_RESYNC, BH_CHANGE_ENDED); /* the core is gone */
	mark(NULL, BH_OP_SYNCED, 0);
	ck_assert_uint_ne(if_nametoindex("p1"), 0);
	port(NULL, "p3", "net_null3");
	mark(NULL, BH_OP_COMPLETE, 0);
	ck_assert_uint_eq(if_nametoindex("p1"), 0);
	ck_assert_uint_ne(if_nametoindex("p3"), 0);
	mark(NULL, BH_OP_RESYNC, 0); /* fell behind */
	ck_assert_uint_ne(if_nametoindex("p3"), 0);
	mark(NULL, BH_OP_SYNCED, 0);
	ck_assert_uint_eq(if_nametoindex("p3"), 0);
	bh_taps_free(hosttap_taps);
}
END_TEST

START_TEST(odd_texts)
{
	static const char *const odd[] = {"TAP ", "TAP p0", "TAP p0 x", "TAP p0 1 2", "TAP  ", "UNTAP ", "UNTAP p9",
		"TAP abcdefghijklmnopqrstuvwxyz 1"};
	struct stack st;
	unsigned int index;

	start_taps();
	start_stack(&st);
	for (unsigned int i = 0; i < sizeof(odd) / sizeof(odd[0]); i++)
		ck_assert(bh_hosttaps_take(st.taps, odd[i], dup(0)));
	ck_assert(!bh_hosttaps_take(st.taps, "READY", -1));
	ck_assert(!bh_hosttaps_take(st.taps, "TAKE", -1));
	ck_assert_int_eq(bh_taps_hand(hosttap_taps, st.pair[0]), 0);
	index = bh_hosttaps_bind(st.taps, "p0", 5);
	ck_assert_uint_ne(index, 0);
	ck_assert_int_eq(bh_hosttaps_poll(st.taps, 10), 0);
	end_stack(&st);
	bh_taps_free(hosttap_taps);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("hosttap");
	TCase *tc = tcase_create("hosttap");
	SRunner *r;
	int failed;

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, made_and_handed);
	tcase_add_test(tc, packets_both_ways);
	tcase_add_test(tc, default_route);
	tcase_add_test(tc, reader_dies);
	tcase_add_loop_test(tc, any_set_after_any, 0, 4);
	tcase_add_test(tc, name_is_taken);
	tcase_add_test(tc, adopted);
	tcase_add_test(tc, not_wanted);
	tcase_add_test(tc, ports_come_and_go);
	tcase_add_test(tc, ports_of_another_core);
	tcase_add_test(tc, odd_texts);
	suite_add_tcase(s, tc);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
