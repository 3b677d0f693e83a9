/* SPDX-License-Identifier: BSD-3-Clause */
#include "app/core/core.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <rte_cycles.h>
#include <rte_errno.h>
#include <rte_launch.h>
#include <rte_lcore.h>

#include "app/core/chanmem.h"
#include "app/core/unmap_guard.h"
#include "lib/log/log.h"

/* The errno of the part that failed, told once. */
static int
failed(const char *part, int rc)
{
	if (rc == 0)
		rc = errno != 0 ? -errno : -ENOMEM;
	bh_err("core", "cannot make %s: %s", part, strerror(-rc));
	return rc;
}

static unsigned int
count_role(const struct bh_boot *boot, unsigned int role)
{
	unsigned int n = 0;

	while (bh_boot_lcore(boot, role, n) != NULL)
		n++;
	return n;
}

/* An lcore that shares its CPU with others, or with modules, blocks at once instead of polling. */
static bool
shares_cpu(const struct bh_boot *boot, const struct bh_boot_lcore *lc)
{
	for (unsigned int i = 0; i < boot->n_lcores; i++)
		if (boot->lcores[i].cpu == lc->cpu && boot->lcores[i].id != lc->id)
			return true;
	for (unsigned int i = 0; i < boot->n_control_cpus; i++)
		if (boot->control_cpus[i] == lc->cpu)
			return true;
	return false;
}

static int
make_memory(struct bh_core *core)
{
	const struct bh_boot *boot = core->boot;
	int rc = bh_chanmem_init(BH_PEERS_MAX);

	if (rc < 0)
		return failed("the channel heap", rc);
	core->chanmem = true;
	rc = bh_stats_create(&core->stats, &core->stats_fd);
	if (rc < 0)
		return failed("bh.stats", rc);
	for (unsigned int i = 0; i < boot->n_lcores; i++) {
		struct bh_stats_lcore *l = &core->stats->lcore[boot->lcores[i].id];

		if (boot->lcores[i].role == BH_LCORE_PUNT)
			continue; /* sleeps in EAL until there is a packet service */
		snprintf(l->role, sizeof(l->role), "%s", bh_lcore_role_name(boot->lcores[i].role));
		l->cpu = boot->lcores[i].cpu;
		l->used = 1;
	}
	return 0;
}

static int
make_forwarding(struct bh_core *core)
{
	struct bh_forwarding_conf conf = {
		.socket_id = core->socket_id,
		.tables = &core->tables,
		.stats = core->stats,
	};
	const struct bh_boot_lcore *lc;
	int rc;

	while (conf.n_lcores < BH_FWD_MAX &&
		(lc = bh_boot_lcore(core->boot, BH_LCORE_FORWARDING, conf.n_lcores)) != NULL)
		conf.lcore[conf.n_lcores++] = lc->id;
	rc = bh_fwd_tables_create(&core->tables, conf.n_lcores, core->socket_id);
	if (rc < 0)
		return failed("the forwarding tables", rc);
	core->have_tables = true;
	core->fwd = bh_forwarding_create(&conf);
	return core->fwd == NULL ? failed("forwarding", 0) : 0;
}

static int
make_links(struct bh_core *core)
{
	for (int i = 0; i < 2; i++) {
		core->links.to_route[i] = rte_ring_create(i ? "bh.nh.to6" : "bh.nh.to4",
			BH_NH_LINKS_RING, core->socket_id, RING_F_SP_ENQ | RING_F_SC_DEQ);
		core->links.to_link[i] = rte_ring_create(i ? "bh.nh.from6" : "bh.nh.from4",
			BH_NH_LINKS_RING, core->socket_id, RING_F_SP_ENQ | RING_F_SC_DEQ);
		if (core->links.to_route[i] == NULL || core->links.to_link[i] == NULL)
			return failed("the next-hop links", -rte_errno);
	}
	return 0;
}

static int
make_infobase(struct bh_core *core)
{
	struct bh_infobase_conf conf = {.socket_id = core->socket_id, .stats = core->stats};

	memcpy(conf.group_lcore, core->boot->group_lcore, sizeof(conf.group_lcore));
	core->ib = bh_infobase_create(&conf);
	if (core->ib == NULL)
		return failed("the info base", 0);
	for (int i = 0; i < 2; i++) {
		core->publish[i] = bh_route_publish_create(core->ib, i ? 6 : 4, &core->tables,
			&core->links);
		if (core->publish[i] == NULL)
			return failed("route publication", 0);
	}
	return 0;
}

static int
make_link(struct bh_core *core)
{
	struct bh_ports_conf ports = {
		.fwd = core->fwd,
		.stats = core->stats,
		.n_fwd = count_role(core->boot, BH_LCORE_FORWARDING),
		.mbufs = core->boot->mbufs,
		.socket_id = core->socket_id,
		.bell = &core->bell,
	};
	struct bh_link_conf link = {.ib = core->ib, .tables = &core->tables, .links = &core->links};

	core->ports = bh_ports_create(&ports);
	if (core->ports == NULL)
		return failed("the port manager", 0);
	bh_ports_set_worker(core->ports, bh_infobase_worker(core->ib, BH_GROUP_LINK));
	link.ports = core->ports;
	core->link = bh_link_create(&link);
	return core->link == NULL ? failed("the link worker", 0) : 0;
}

static int
make_proxies(struct bh_core *core)
{
	struct bh_proxy_conf conf = {.stats_fd = core->stats_fd, .stats = core->stats,
		.socket = core->socket_id, .main_bell = &core->bell};
	unsigned int n = count_role(core->boot, BH_LCORE_CONTROL_PROXY);
	int rc;

	snprintf(core->socket_path, sizeof(core->socket_path), "%s/core.sock", core->rundir);
	rc = bh_listen(core->socket_path);
	if (rc < 0) {
		core->socket_path[0] = '\0'; /* not ours to remove */
		return failed("the listening socket core.sock in the run directory", rc);
	}
	core->listen_fd = conf.listen_fd = rc;
	for (unsigned int i = 0; i < n && i < BH_PROXIES_MAX; i++) {
		conf.index = i;
		core->proxy[i] = bh_proxy_create(&conf);
		if (core->proxy[i] == NULL)
			return failed("a control proxy", 0);
		core->n_proxies++;
	}
	return 0;
}

static int
make_services(struct bh_core *core)
{
	const struct bh_boot_lcore *lc = bh_boot_lcore(core->boot, BH_LCORE_INFOBASE, 0);
	struct bh_service_proxy_conf sp = {
		.proxies = core->proxy,
		.n_proxies = core->n_proxies,
		.stats = core->stats,
		.socket = core->socket_id,
	};
	struct bh_service_conf conf = {
		.id = BH_SERVICE_INFOBASE,
		.name = "infobase",
		.ops = &bh_infobase_ops,
		.ctx = core->ib,
		.n_proxies = core->n_proxies,
		.stats = core->stats,
		.socket = core->socket_id,
		.poll_us = shares_cpu(core->boot, lc) ? 0 : BH_SERVICE_POLL_US,
	};

	core->service_proxy = bh_service_proxy_create(&sp);
	if (core->service_proxy == NULL)
		return failed("the service proxy", 0);
	conf.proxy = core->service_proxy;
	core->service = bh_service_create(&conf);
	if (core->service == NULL)
		return failed("the info base's service", 0);
	bh_infobase_set_service(core->ib, core->service);
	return 0;
}

int
bh_core_create(struct bh_core *core, const struct bh_boot *boot, const char *rundir)
{
	static const struct {
		const char *name;
		int (*make)(struct bh_core *);
	} parts[] = {
		{"memory", make_memory}, {"forwarding", make_forwarding}, {"links", make_links},
		{"info base", make_infobase}, {"link worker and ports", make_link},
		{"proxies", make_proxies}, {"services", make_services},
	};
	uint64_t start;
	int rc;

	memset(core, 0, sizeof(*core));
	core->boot = boot;
	core->rundir = rundir;
	core->socket_id = (int)rte_socket_id();
	core->stats_fd = core->listen_fd = -1;
	core->bell.fd = -1;
	rc = bh_bell_init(&core->bell);
	if (rc < 0)
		return failed("a doorbell", rc);
	for (unsigned int i = 0; i < sizeof(parts) / sizeof(parts[0]) && rc == 0; i++) {
		errno = 0;
		start = rte_rdtsc();
		rc = parts[i].make(core);
		bh_debug("core", "%s made in %" PRIu64 " us", parts[i].name,
			(rte_rdtsc() - start) * 1000000 / rte_get_tsc_hz());
	}
	return rc;
}

static int
launch(lcore_function_t *body, void *arg, unsigned int lcore)
{
	int rc = rte_eal_remote_launch(body, arg, lcore);

	if (rc < 0)
		bh_err("core", "cannot launch lcore %u: %s", lcore, strerror(-rc));
	return rc;
}

/* One body a distinct worker lcore: groups with equal lcores share a worker. */
static int
launch_workers(struct bh_core *core)
{
	const uint32_t *lcore = core->boot->group_lcore;
	int rc = 0;

	for (unsigned int g = 0; g < BH_GROUP_MAX && rc == 0; g++) {
		bool again = false;

		for (unsigned int h = 0; h < g; h++)
			again |= lcore[h] == lcore[g];
		if (!again)
			rc = launch(bh_worker_main, bh_infobase_worker(core->ib, g), lcore[g]);
	}
	return rc;
}

int
bh_core_launch(struct bh_core *core)
{
	const struct bh_boot *boot = core->boot;
	const struct bh_boot_lcore *lc;
	int rc = launch_workers(core);

	bh_unmap_guard(core->tables.qsbr);
	for (unsigned int i = 0; i < core->n_proxies && rc == 0; i++)
		rc = launch(bh_proxy_main, core->proxy[i],
			bh_boot_lcore(boot, BH_LCORE_CONTROL_PROXY, i)->id);
	if (rc == 0)
		rc = launch(bh_service_proxy_main, core->service_proxy,
			bh_boot_lcore(boot, BH_LCORE_SERVICE_PROXY, 0)->id);
	if (rc == 0)
		rc = launch(bh_service_main, core->service,
			bh_boot_lcore(boot, BH_LCORE_INFOBASE, 0)->id);
	for (unsigned int i = 0; rc == 0 &&
		(lc = bh_boot_lcore(boot, BH_LCORE_FORWARDING, i)) != NULL; i++)
		rc = launch(bh_forwarding_main, core->fwd, lc->id);
	return rc;
}

/*
 * Order: clients first (services and proxies; the relay's withdrawal needs the proxies), then the
 * workers, whose results nobody wants any more, then forwarding.
 */
void
bh_core_stop(struct bh_core *core)
{
	if (core->service != NULL)
		bh_service_stop(core->service);
	if (core->service_proxy != NULL)
		bh_service_proxy_stop(core->service_proxy);
	for (unsigned int i = 0; i < core->n_proxies; i++)
		bh_proxy_stop(core->proxy[i]);
	if (core->ib != NULL)
		bh_infobase_stop(core->ib);
	if (core->fwd != NULL)
		bh_forwarding_stop(core->fwd);
	rte_eal_mp_wait_lcore();
	bh_unmap_guard(NULL);
}

static void
destroy_clients(struct bh_core *core)
{
	for (unsigned int i = 0; i < core->n_proxies; i++)
		bh_proxy_destroy(core->proxy[i]);
	if (core->service_proxy != NULL)
		bh_service_proxy_destroy(core->service_proxy);
	if (core->service != NULL)
		bh_service_destroy(core->service);
	if (core->listen_fd >= 0)
		close(core->listen_fd);
	if (core->socket_path[0] != '\0')
		unlink(core->socket_path);
}

void
bh_core_destroy(struct bh_core *core)
{
	destroy_clients(core);
	if (core->ports != NULL)
		bh_ports_destroy(core->ports);
	if (core->link != NULL)
		bh_link_destroy(core->link);
	for (int i = 0; i < 2; i++)
		if (core->publish[i] != NULL)
			bh_route_publish_destroy(core->publish[i]);
	if (core->ib != NULL)
		bh_infobase_destroy(core->ib);
	for (int i = 0; i < 2; i++) {
		rte_ring_free(core->links.to_route[i]);
		rte_ring_free(core->links.to_link[i]);
	}
	if (core->fwd != NULL)
		bh_forwarding_destroy(core->fwd);
	if (core->have_tables)
		bh_fwd_tables_destroy(&core->tables);
	if (core->stats_fd >= 0)
		close(core->stats_fd);
	if (core->stats != NULL)
		bh_stats_destroy();
	if (core->chanmem)
		bh_chanmem_fini();
	bh_bell_close(&core->bell);
}
