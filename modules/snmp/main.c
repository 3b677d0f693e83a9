/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bulkhead-snmp: the process around model and agent. It follows tables of the info base, and
 * answers a master agent (snmpd) by AgentX from them and from the counters in shared memory; no
 * other module is asked anything. While there is no core it answers from what it knew; while there
 * is no master it goes on following, and tries to connect each second. An heir connects to no
 * master until it is the owner.
 */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "lib/life/life.h"
#include "lib/log/log.h"
#include "modules/snmp/agent.h"
#include "modules/snmp/agentx.h"
#include "modules/snmp/mibs.h"
#include "modules/snmp/program.h"

static uint64_t
clock_now(void *ctx)
{
	struct timespec t;

	(void)ctx;
	clock_gettime(CLOCK_REALTIME, &t);
	return (uint64_t)t.tv_sec * 100 + t.tv_nsec / 10000000;
}

static uint64_t
clock_uptime(void *ctx)
{
	(void)ctx;
	return bh_agent_uptime();
}

static const struct bh_snmp_ops snmp_ops = {clock_uptime, clock_now};

static int
on_connected(void *ctx)
{
	struct program *p = ctx;
	size_t size;
	int rc = 0;

	for (unsigned int i = 0; i < BH_SNMP_MIRRORS && rc == 0; i++) {
		struct bh_mirror *m = &p->snmp.mirror[i];

		bh_mirror_begin(m);
		rc = bh_watch(p->m.h, m->spec->table, bh_mirror_change, m);
	}
	if (rc < 0) {
		bh_err("main", "cannot watch the tables: %s", strerror(-rc));
		return rc;
	}
	p->snmp.h = p->m.h;
	p->snmp.stats = bh_stats_map(p->m.h, &size);
	if (p->snmp.stats != NULL && size < sizeof(*p->snmp.stats))
		p->snmp.stats = NULL;
	return 0;
}

/* Does with the agent what the configuration says. */
static void
follow_config(struct program *p)
{
	struct bh_cfg_snmp cfg;

	if (!p->snmp.config_changed || bh_supervised_heir())
		return;
	p->snmp.config_changed = false;
	bh_snmp_config(&p->snmp, &cfg);
	bh_agent_register(cfg.mibs, cfg.context);
	bh_agentx_address(cfg.address);
}

static int
serve_master(struct program *p)
{
	int did, rc;

	bh_life_busy(2 * BH_AGENTX_PATIENCE_MS);
	follow_config(p);
	did = bh_agent_turn();
	bh_life_beat();
	if (p->master_fd == bh_agentx_fd())
		return did;
	rc = bh_module_wait_for(&p->m, &p->master, bh_agentx_fd());
	if (rc < 0)
		return rc;
	p->master_fd = bh_agentx_fd();
	return did + 1;
}

static int
on_turn(void *ctx)
{
	struct program *p = ctx;
	struct bh_snmp_model *s = &p->snmp;
	int rc;

	for (unsigned int i = 0; i < BH_SNMP_MIRRORS; i++)
		if (s->mirror[i].lost)
			return -ENOMEM;
	if (!p->m.told && bh_snmp_synced(s)) {
		s->config_changed = true;
		bh_module_ready(&p->m);
	}
	rc = bh_owner_turn(p);
	return rc < 0 ? rc : serve_master(p);
}

/* What fails is tried again in the next turn, a beat later. */
static void
on_away(void *ctx)
{
	serve_master(ctx);
}

/* Shared memory of a core that is gone stays mapped until the next one is there. */
static void
on_lost(void *ctx)
{
	struct program *p = ctx;

	p->snmp.h = NULL;
	bh_owner_lost(p);
}

static const struct bh_module_ops ops = {
	.connected = on_connected, .turn = on_turn, .lost = on_lost, .away = on_away};

static int
run(struct program *p)
{
	int rc = bh_module_start(&p->m, "snmp", &ops, p);

	if (rc == 0)
		rc = bh_snmp_init(&p->snmp, &snmp_ops, p);
	if (rc == 0)
		rc = bh_agent_init(&p->snmp);
	bh_notify_init(&p->notify, &p->snmp, &bh_owner_ops, p);
	if (rc == 0)
		rc = bh_module_run(&p->m, BH_SANDBOX_AGENT);
	bh_agent_fini();
	if (p->master != NULL)
		event_free(p->master);
	bh_notify_fini(&p->notify);
	bh_snmp_fini(&p->snmp);
	return bh_module_end(&p->m, rc);
}

int
main(int argc, char **argv)
{
	static struct program p = {.master_fd = -1};
	int rc = bh_module_args(argc, argv, "bulkhead-snmp", "The SNMP module of bulkhead");

	return rc >= 0 ? rc : run(&p);
}
