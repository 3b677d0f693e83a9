/* SPDX-License-Identifier: BSD-3-Clause */
#include "test/bench/ib_proc.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_launch.h>
#include <rte_lcore.h>

#include "app/core/chanmem.h"
#include "app/core/proxy.h"
#include "app/core/service_conf.h"
#include "app/core/service_proxy.h"
#include "app/forwarding/publish.h"
#include "infobase/infobase.h"
#include "infobase/route_publish.h"
#include "lib/client/bulkhead.h"
#include "lib/stats/stats.h"
#include "test/bench/core_proc.h"

enum { LCORE_PROXY = 1, LCORE_SERVICE_PROXY, LCORES = IB_LCORE_WORKER + 1 };

/* Orders: a byte, and an address for LOOKUP, a CPU for WORKER. Less than WORKER: a CPU to go to. */
enum { STOP = 0xff, LOOKUP = 0xfe, WORKER = 0xfd };

static struct {
	struct bh_stats *stats;
	int stats_fd, listen_fd;
	struct bh_proxy *proxy;
	struct bh_service_proxy *sp;
	struct bh_service *svc;
	struct bh_infobase *ib;
	struct bh_route_publish *publish[2];
	struct bh_fwd_tables tables;
	struct bh_nh_links links;
	char dir[64], path[96];
} core;

static void
need(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "bench: info base: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void
start_eal(void)
{
	char *huge[] = {"bench", "--in-memory", "--no-pci", "--no-telemetry", "--lcores", "(0-4)@(0-1)",
		"--log-level=4"};
	char *plain[] = {"bench", "--no-huge", "--no-shconf", "--no-pci", "--no-telemetry", "-m", "1024",
		"--lcores", "(0-4)@(0-1)", "--log-level=4"};
	int rc;

	if (getenv("BH_NO_HUGE") != NULL)
		rc = rte_eal_init(sizeof(plain) / sizeof(plain[0]), plain);
	else
		rc = rte_eal_init(sizeof(huge) / sizeof(huge[0]), huge);
	need(rc >= 0, "EAL");
}

static void
make_tables(void)
{
	struct bh_fwd_nh_copy nh = {.type = BH_NH_BLACKHOLE};
	struct bh_infobase_conf conf = {.socket_id = rte_socket_id(), .stats = core.stats};

	need(bh_fwd_tables_create(&core.tables, 1, rte_socket_id()) == 0, "forwarding tables");
	rte_rcu_qsbr_thread_register(core.tables.qsbr, 0);
	need(bh_fwd_nh_put(&core.tables, IB_NEXTHOP, &nh) == 0, "next hop");
	for (unsigned int i = 0; i < BH_GROUP_MAX; i++)
		conf.group_lcore[i] = IB_LCORE_WORKER;
	core.ib = bh_infobase_create(&conf);
	need(core.ib != NULL, "info base");
	for (unsigned int i = 0; i < 2; i++) {
		core.links.to_route[i] = rte_ring_create(i ? "to6" : "to4", BH_NH_LINKS_RING,
			SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
		core.links.to_link[i] = rte_ring_create(i ? "from6" : "from4", BH_NH_LINKS_RING,
			SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
		need(core.links.to_route[i] != NULL && core.links.to_link[i] != NULL, "rings");
		core.publish[i] = bh_route_publish_create(core.ib, i ? 6 : 4, &core.tables,
			&core.links);
		need(core.publish[i] != NULL, "publication");
	}
}

static void
make_service(void)
{
	struct bh_service_conf conf = {
		.id = BH_SERVICE_INFOBASE,
		.name = "infobase",
		.ops = &bh_infobase_ops,
		.ctx = core.ib,
		.n_proxies = 1,
		.stats = core.stats,
		.socket = SOCKET_ID_ANY,
		.poll_us = 0, /* main shares its CPU with the worker */
	};
	struct bh_proxy_conf proxy = {0, core.listen_fd, core.stats_fd, core.stats, SOCKET_ID_ANY};

	core.proxy = bh_proxy_create(&proxy);
	need(core.proxy != NULL, "proxy");
	core.sp = bh_service_proxy_create(&(struct bh_service_proxy_conf){
		&core.proxy, 1, core.stats, SOCKET_ID_ANY});
	need(core.sp != NULL, "service proxy");
	conf.proxy = core.sp;
	core.svc = bh_service_create(&conf);
	need(core.svc != NULL, "service");
	bh_infobase_set_service(core.ib, core.svc);
}

static void
up(int role_fd)
{
	start_eal();
	need(bh_chanmem_init(BH_PEERS_MAX) == 0, "channel memory");
	need(bh_stats_create(&core.stats, &core.stats_fd) == 0, "bh.stats");
	strcpy(core.dir, "/tmp/bh-bench-XXXXXX");
	need(mkdtemp(core.dir) != NULL, "directory");
	snprintf(core.path, sizeof(core.path), "%s/core.sock", core.dir);
	core.listen_fd = bh_listen(core.path);
	need(core.listen_fd >= 0, "listening socket");
	make_tables();
	make_service();
	need(bh_proxy_give_role(core.proxy, role_fd, BH_ROLE_ROUTING, getppid()) == 0, "role");
	rte_eal_remote_launch(bh_proxy_main, core.proxy, LCORE_PROXY);
	rte_eal_remote_launch(bh_service_proxy_main, core.sp, LCORE_SERVICE_PROXY);
	rte_eal_remote_launch(bh_service_main, core.svc, IB_LCORE_MAIN);
	rte_eal_remote_launch(bh_worker_main,
		bh_infobase_worker(core.ib, BH_GROUP_ROUTE4), IB_LCORE_WORKER);
	while (!bh_proxy_knows(core.proxy, BH_SERVICE_INFOBASE))
		usleep(1000);
}

/* The kernel takes back the rest; what lies in the file system is ours. */
static void
down(void)
{
	bh_service_stop(core.svc);
	bh_service_proxy_stop(core.sp);
	bh_proxy_stop(core.proxy);
	bh_infobase_stop(core.ib);
	rte_eal_mp_wait_lcore();
	unlink(core.path);
	rmdir(core.dir);
	rte_eal_cleanup();
}

static void
pin(int tid, int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	need(sched_setaffinity(tid, sizeof(set), &set) == 0, "affinity");
}

static uint32_t
lookup(uint32_t addr)
{
	uint32_t nh;

	rte_rcu_qsbr_thread_online(core.tables.qsbr, 0);
	nh = bh_fib_lookup4(core.tables.fib4, addr);
	rte_rcu_qsbr_thread_offline(core.tables.qsbr, 0);
	return nh;
}

static void
serve(int role_fd, int from, int to)
{
	uint8_t order;
	uint32_t word;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	pin_any();
	up(role_fd);
	need(write(to, core.path, sizeof(core.path)) == sizeof(core.path), "pipe");
	while (read(from, &order, 1) == 1 && order != STOP) {
		word = 0;
		if (order == LOOKUP || order == WORKER)
			need(read(from, &word, sizeof(word)) == sizeof(word), "pipe");
		if (order == LOOKUP) {
			word = lookup(word);
		} else if (order == WORKER) {
			pin(core.stats->lcore[IB_LCORE_WORKER].tid, word);
		} else {
			for (unsigned int i = 1; i < LCORES; i++)
				pin(core.stats->lcore[i].tid, order);
			pin(0, order);
		}
		need(write(to, &word, sizeof(word)) == sizeof(word), "pipe");
	}
	down();
	_exit(0);
}

static uint32_t
ask(struct ib_proc *p, const void *order, size_t len)
{
	uint32_t word = 0;

	need(write(p->to, order, len) == (ssize_t)len &&
		read(p->from, &word, sizeof(word)) == sizeof(word), "it has ended");
	return word;
}

void
ib_pin(struct ib_proc *p, int cpu)
{
	uint8_t order = cpu;

	ask(p, &order, 1);
}

/* An order with a word behind it. */
static uint32_t
ask_word(struct ib_proc *p, uint8_t what, uint32_t word)
{
	uint8_t order[1 + sizeof(word)] = {what};

	memcpy(order + 1, &word, sizeof(word));
	return ask(p, order, sizeof(order));
}

void
ib_pin_worker(struct ib_proc *p, int cpu)
{
	ask_word(p, WORKER, cpu);
}

uint32_t
ib_fib_lookup(struct ib_proc *p, uint32_t addr)
{
	return ask_word(p, LOOKUP, addr);
}

void
ib_start(struct ib_proc *p, int cpu)
{
	int to[2], from[2], role[2];

	need(pipe(to) == 0 && pipe(from) == 0, "pipe");
	need(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, role) == 0, "socketpair");
	p->pid = fork();
	need(p->pid >= 0, "fork");
	if (p->pid == 0) {
		close(to[1]);
		close(from[0]);
		close(role[0]);
		serve(role[1], to[0], from[1]);
	}
	close(to[0]);
	close(from[1]);
	close(role[1]);
	p->to = to[1];
	p->from = from[0];
	p->role_fd = role[0];
	need(read(p->from, p->path, sizeof(p->path)) == sizeof(p->path), "it does not start");
	ib_pin(p, cpu);
}

void
ib_stop(struct ib_proc *p)
{
	uint8_t order = STOP;

	need(write(p->to, &order, 1) == 1, "it has ended");
	waitpid(p->pid, NULL, 0);
	close(p->to);
	close(p->from);
	close(p->role_fd);
}

static struct bh_handle *
open_handle(const struct ib_proc *p, const char *client, int role_fd)
{
	struct bh_open_args args = {client, BH_SERVICE_INFOBASE, role_fd, p->path};
	struct bh_handle *h = bh_open(&args);

	need(h != NULL && bh_call(h, BH_V_NOP, 0, NULL, NULL, 0, NULL, NULL) == 0, "a handle");
	return h;
}

struct bh_handle *
ib_open_owner(const struct ib_proc *p)
{
	return open_handle(p, "routing", p->role_fd);
}

struct bh_handle *
ib_open_reader(const struct ib_proc *p)
{
	return open_handle(p, "reader", -1);
}
