/* SPDX-License-Identifier: BSD-3-Clause */
#include "modules/snmp/agent.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>

#include <net-snmp/net-snmp-config.h>
#include <net-snmp/net-snmp-includes.h>
#include <net-snmp/agent/net-snmp-agent-includes.h>

#include "lib/log/log.h"
#include "modules/snmp/agentx.h"
#include "modules/snmp/mibs.h"
#include "modules/snmp/model.h"

#define AREA "agent"
#define NAME "bulkhead-snmp"
#define MAX_READS 64	 /* of a turn */
#define BULK_REPEATS 64	 /* more are not asked of a table in one go, whatever a manager asks */
#define BULK_RESPONSES 256 /* variables in an answer */
#define REGISTER_TRIES 5 /* connections, while registrations are refused as duplicates */

/* A table that is, or will be, registered. */
struct binding {
	struct bh_snmp_model *s;
	const struct bh_mib_table *table;
	uint32_t mib;			   /* BH_SNMP_* */
	netsnmp_handler_registration *reg; /* NULL: it is not */
};

static struct {
	struct binding *bindings;
	unsigned int n;
	char context[32];
	uint64_t duplicates; /* seen so far */
	uint64_t refused;    /* number of the last connection that saw one */
	uint64_t ended;	     /* connections, so far */
	unsigned int tries;  /* connections in a row that did */
	bool connected;
} agent;

/* ---- requests ---- */

static void
to_oids(const struct bh_oid *from, oid *to)
{
	for (uint32_t i = 0; i < from->n; i++)
		to[i] = from->id[i];
}

static void
from_oids(const oid *from, size_t n, struct bh_oid *to)
{
	to->n = n < BH_OID_MAX ? (uint32_t)n : BH_OID_MAX;
	for (uint32_t i = 0; i < to->n; i++)
		to->id[i] = from[i] < UINT32_MAX ? (uint32_t)from[i] : UINT32_MAX;
}

static void
set_number(netsnmp_variable_list *vb, u_char type, uint64_t n)
{
	unsigned long v = n;

	snmp_set_var_typed_value(vb, type, &v, sizeof(v));
}

static void
set_value(netsnmp_variable_list *vb, const struct bh_value *v)
{
	struct counter64 c = {.high = v->number >> 32, .low = v->number & UINT32_MAX};
	oid oids[BH_OID_MAX];

	switch (v->type) {
	case BH_VALUE_INTEGER:
		snmp_set_var_typed_integer(vb, ASN_INTEGER, v->integer);
		break;
	case BH_VALUE_UNSIGNED:
		set_number(vb, ASN_GAUGE, v->number);
		break;
	case BH_VALUE_COUNTER32:
		set_number(vb, ASN_COUNTER, v->number);
		break;
	case BH_VALUE_COUNTER64:
		snmp_set_var_typed_value(vb, ASN_COUNTER64, &c, sizeof(c));
		break;
	case BH_VALUE_TICKS:
		set_number(vb, ASN_TIMETICKS, v->number);
		break;
	case BH_VALUE_OCTETS:
		snmp_set_var_typed_value(vb, ASN_OCTET_STR, v->octets, v->len);
		break;
	case BH_VALUE_OID:
		to_oids(&v->oid, oids);
		snmp_set_var_typed_value(vb, ASN_OBJECT_ID, oids, v->oid.n * sizeof(oid));
		break;
	}
}

/* The core does not tell what was asked for, or a part of it: no value, and no end of a walk either. */
static bool
refused(struct binding *b, netsnmp_agent_request_info *info, netsnmp_request_info *r)
{
	if (!b->s->unavailable)
		return false;
	b->s->unavailable = false;
	netsnmp_set_request_error(info, r, SNMP_ERR_GENERR);
	return true;
}

static void
answer_get(struct binding *b, netsnmp_agent_request_info *info, netsnmp_request_info *r)
{
	struct bh_oid name;
	struct bh_value v;
	int rc;

	from_oids(r->requestvb->name, r->requestvb->name_length, &name);
	rc = bh_mib_get(b->s, b->table, &name, &v);
	if (rc == 0)
		set_value(r->requestvb, &v);
	else if (!refused(b, info, r))
		netsnmp_set_request_error(info, r,
			rc == -ENXIO ? SNMP_NOSUCHOBJECT : SNMP_NOSUCHINSTANCE);
}

/* Without an answer the library goes on with the next registration. */
static void
answer_next(struct binding *b, netsnmp_agent_request_info *info, netsnmp_request_info *r)
{
	oid oids[BH_OID_MAX];
	struct bh_oid name;
	struct bh_value v;
	bool found;

	from_oids(r->requestvb->name, r->requestvb->name_length, &name);
	found = (r->inclusive && bh_mib_get(b->s, b->table, &name, &v) == 0) ||
		bh_mib_next(b->s, b->table, &name, &v) == 0;
	if (refused(b, info, r) || !found)
		return;
	to_oids(&name, oids);
	snmp_set_var_objid(r->requestvb, oids, name.n);
	set_value(r->requestvb, &v);
}

static int
answer(netsnmp_mib_handler *handler, netsnmp_handler_registration *reg,
	netsnmp_agent_request_info *info, netsnmp_request_info *requests)
{
	struct binding *b = handler->myvoid;

	(void)reg;
	for (netsnmp_request_info *r = requests; r != NULL; r = r->next) {
		if (r->processed)
			continue;
		if (info->mode == MODE_GET)
			answer_get(b, info, r);
		else if (info->mode == MODE_GETNEXT)
			answer_next(b, info, r);
		else
			netsnmp_set_request_error(info, r, SNMP_ERR_NOTWRITABLE);
	}
	return SNMP_ERR_NOERROR;
}

/* ---- registrations ---- */

static void
register_one(struct binding *b)
{
	netsnmp_handler_registration *reg;
	uint32_t len = b->table->root_len;
	oid root[BH_OID_MAX];

	for (uint32_t i = 0; i < len; i++)
		root[i] = b->table->root[i];
	if (b->table->columns == NULL) /* a scalar's only instance: some of the master's own are so */
		root[len++] = 0;
	reg = netsnmp_create_handler_registration(
		b->table->name, answer, root, len, HANDLER_CAN_RONLY);
	if (reg == NULL) {
		bh_err(AREA, "no memory to register %s", b->table->name);
		return;
	}
	reg->handler->myvoid = b;
	reg->priority = BH_AGENT_PRIORITY;
	if (agent.context[0] != '\0')
		reg->contextName = strdup(agent.context);
	/* If it fails, it is freed. */
	if (agent.context[0] != '\0' && reg->contextName == NULL)
		netsnmp_handler_registration_free(reg);
	else if (netsnmp_register_handler(reg) == MIB_REGISTERED_OK)
		b->reg = reg;
	if (b->reg == NULL)
		bh_err(AREA, "cannot register %s", b->table->name);
}

void
bh_agent_register(uint32_t mibs, const char *context)
{
	bool moved = strcmp(context, agent.context) != 0;

	for (unsigned int i = 0; i < agent.n; i++) {
		struct binding *b = &agent.bindings[i];

		if (b->reg != NULL && (moved || (b->mib & mibs) == 0)) {
			netsnmp_unregister_handler(b->reg);
			b->reg = NULL;
		}
	}
	snprintf(agent.context, sizeof(agent.context), "%s", context);
	for (unsigned int i = 0; i < agent.n; i++)
		if (agent.bindings[i].reg == NULL && (agent.bindings[i].mib & mibs) != 0)
			register_one(&agent.bindings[i]);
}

/* Whoever had our objects before us may not be gone yet for the master: then again. */
static void
look_at_duplicates(void)
{
	const struct bh_agentx_counts *c = bh_agentx_counts();

	if (c->duplicates == agent.duplicates)
		return;
	agent.duplicates = c->duplicates;
	agent.tries = c->connected - agent.refused > 1 ? 1 : agent.tries + 1;
	agent.refused = c->connected;
	if (agent.tries < REGISTER_TRIES) {
		bh_agentx_reset();
		return;
	}
	bh_warn(AREA, "the master says that objects of ours are another subagent's");
}

/* ---- the library ---- */

static int
on_log(int major, int minor, void *server, void *client)
{
	const struct snmp_log_message *m = server;

	(void)major;
	(void)minor;
	(void)client;
	bh_log(m->priority <= LOG_ERR ? BH_LOG_WARNING :
		m->priority < LOG_DEBUG ? BH_LOG_INFO : BH_LOG_DEBUG,
		"net-snmp", "%.*s", (int)strcspn(m->msg, "\n"), m->msg);
	return 0;
}

static void
set_flag(int store, int which)
{
	netsnmp_ds_set_boolean(store, which, 1);
}

/* No files, no signals, no wait longer than asked for. */
static void
set_defaults(void)
{
	setenv("MIBS", "", 1);
	setenv("MIBDIRS", "", 1);
	setenv("SNMPCONFPATH", "/nonexistent", 1);
	set_persistent_directory("/dev/null"); /* nothing can be made below it */
	set_flag(NETSNMP_DS_LIBRARY_ID, NETSNMP_DS_LIB_DONT_READ_CONFIGS);
	set_flag(NETSNMP_DS_LIBRARY_ID, NETSNMP_DS_LIB_DONT_PERSIST_STATE);
	set_flag(NETSNMP_DS_LIBRARY_ID, NETSNMP_DS_LIB_DISABLE_PERSISTENT_LOAD);
	set_flag(NETSNMP_DS_LIBRARY_ID, NETSNMP_DS_LIB_DISABLE_PERSISTENT_SAVE);
	set_flag(NETSNMP_DS_LIBRARY_ID, NETSNMP_DS_LIB_ALARM_DONT_USE_SIG);
	set_flag(NETSNMP_DS_APPLICATION_ID, NETSNMP_DS_AGENT_NO_CONNECTION_WARNINGS);
	/* Of SNMPv1 traps, which the master makes: else one of this machine is looked for. */
	netsnmp_ds_set_string(
		NETSNMP_DS_APPLICATION_ID, NETSNMP_DS_AGENT_TRAP_ADDR, "0.0.0.0");
	netsnmp_ds_set_int(NETSNMP_DS_LIBRARY_ID, NETSNMP_DS_LIB_TIMEOUT, BH_AGENTX_ANSWER_S);
	netsnmp_ds_set_int(NETSNMP_DS_LIBRARY_ID, NETSNMP_DS_LIB_RETRIES, 0);
	netsnmp_ds_set_int(NETSNMP_DS_APPLICATION_ID, NETSNMP_DS_AGENT_MAX_GETBULKREPEATS,
		BULK_REPEATS);
	netsnmp_ds_set_int(NETSNMP_DS_APPLICATION_ID, NETSNMP_DS_AGENT_MAX_GETBULKRESPONSES,
		BULK_RESPONSES);
}

static int
make_bindings(struct bh_snmp_model *s)
{
	unsigned int n = 0;

	for (unsigned int i = 0; bh_snmp_mibs[i] != NULL; i++)
		n += bh_snmp_mibs[i]->n_tables;
	agent.bindings = calloc(n, sizeof(*agent.bindings));
	if (agent.bindings == NULL)
		return -ENOMEM;
	for (unsigned int i = 0; bh_snmp_mibs[i] != NULL; i++)
		for (unsigned int k = 0; k < bh_snmp_mibs[i]->n_tables; k++)
			agent.bindings[agent.n++] = (struct binding){
				.s = s, .table = &bh_snmp_mibs[i]->tables[k],
				.mib = bh_snmp_mibs[i]->bit};
	return 0;
}

int
bh_agent_init(struct bh_snmp_model *s)
{
	int rc = make_bindings(s);

	if (rc < 0)
		return rc;
	snmp_enable_calllog();
	snmp_register_callback(SNMP_CALLBACK_LIBRARY, SNMP_CALLBACK_LOGGING, on_log, NULL);
	set_defaults();
	netsnmp_enable_subagent();
	if (init_agent(NAME) != 0)
		return -EIO;
	rc = bh_agentx_init();
	if (rc == 0)
		init_snmp(NAME);
	return rc;
}

void
bh_agent_fini(void)
{
	if (agent.bindings == NULL)
		return;
	bh_agentx_turn();
	snmp_shutdown(NAME);
	shutdown_agent();
	free(agent.bindings);
	agent.bindings = NULL;
}

/* The library has descriptors of its own beside the connection. */
static int
read_all(void)
{
	int did = 0;

	for (int i = 0; i < MAX_READS; i++) {
		struct timeval zero = {0};
		int n = 0, block = 0;
		fd_set set;

		FD_ZERO(&set);
		snmp_select_info(&n, &set, &zero, &block);
		zero = (struct timeval){0};
		if (select(n, &set, NULL, NULL, &zero) <= 0)
			break;
		snmp_read(&set);
		did++;
	}
	return did;
}

/* A connection that ends while the library registers leaves marks of registrations that no master
 * has, and which the next connection would not make then. */
static void
look_at_ends(void)
{
	const struct bh_agentx_counts *c = bh_agentx_counts();

	if (c->ended == agent.ended)
		return;
	agent.ended = c->ended;
	if (!bh_agent_connected())
		register_mib_detach();
}

int
bh_agent_turn(void)
{
	int did;

	bh_agentx_turn();
	did = read_all();
	snmp_timeout();
	run_alarms();
	netsnmp_check_outstanding_agent_requests();
	look_at_ends();
	look_at_duplicates();
	if (bh_agent_connected() != agent.connected) {
		agent.connected = !agent.connected;
		bh_notice(AREA, "%s", agent.connected ? "the master agent has taken our session"
						       : "there is no master agent");
	}
	return did;
}

bool
bh_agent_connected(void)
{
	return bh_agentx_fd() >= 0;
}

uint64_t
bh_agent_uptime(void)
{
	return netsnmp_get_agent_uptime();
}

/* ---- notifications ---- */

static netsnmp_variable_list *
add_variable(netsnmp_variable_list **list, const struct bh_oid *name, const struct bh_value *v)
{
	oid oids[BH_OID_MAX];
	netsnmp_variable_list *vb;

	to_oids(name, oids);
	vb = snmp_varlist_add_variable(list, oids, name->n, ASN_NULL, NULL, 0);
	if (vb != NULL)
		set_value(vb, v);
	return vb;
}

int
bh_agent_notify(const struct bh_oid *trap, const char *context, const struct bh_varbind *vars,
	unsigned int n)
{
	static const struct bh_oid trap_name = {11, {1, 3, 6, 1, 6, 3, 1, 1, 4, 1, 0}};
	struct bh_value which = {.type = BH_VALUE_OID, .oid = *trap};
	netsnmp_variable_list *list = NULL;
	bool whole;

	if (!bh_agent_connected())
		return -ENOTCONN;
	whole = add_variable(&list, &trap_name, &which) != NULL;
	for (unsigned int i = 0; i < n && whole; i++)
		whole = add_variable(&list, &vars[i].name, &vars[i].value) != NULL;
	if (whole)
		send_v3trap(list, context);
	snmp_free_varbind(list);
	return whole ? 0 : -ENOMEM;
}
