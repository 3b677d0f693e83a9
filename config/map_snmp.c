/* SPDX-License-Identifier: BSD-3-Clause */
/* /bulkhead:bulkhead/snmp to the record of cfg_snmp; none if the file does not speak of it. */
#include <libyang/libyang.h>
#include <string.h>

#include "config/config.h"
#include "lib/net/sockaddr.h"

static uint32_t
mib_of(const char *name)
{
	static const struct {
		const char *name;
		uint32_t bit;
	} mibs[] = {
		{"if-mib", BH_SNMP_IF},
		{"ip-mib", BH_SNMP_IP},
		{"ip-forward-mib", BH_SNMP_IP_FORWARD},
		{"tcp-mib", BH_SNMP_TCP},
		{"udp-mib", BH_SNMP_UDP},
		{"bulkhead-mib", BH_SNMP_BULKHEAD},
	};

	for (size_t i = 0; i < sizeof(mibs) / sizeof(mibs[0]); i++)
		if (strcmp(mibs[i].name, name) == 0)
			return mibs[i].bit;
	return 0;
}

void
bh_map_snmp(struct bh_model *m, const struct lyd_node *tree, struct bh_diag *d)
{
	const struct lyd_node *snmp =
		bh_yang_child(bh_yang_top(tree, "bulkhead", "bulkhead"), "snmp");
	const struct lyd_node *node;
	struct bh_ifname_key key = {BH_CFG_SNMP_NAME};
	struct bh_cfg_snmp val = {0};
	struct sockaddr_storage to;
	const char *address;
	socklen_t len;

	if (snmp == NULL || (snmp->flags & LYD_DEFAULT) != 0)
		return;
	address = bh_yang_string(snmp, "agentx-address");
	/* What the type of the leaf lets pass: a path without room, a port beyond the last. */
	if (bh_sockaddr_parse(address, &to, &len) < 0)
		bh_diag(d, bh_yang_child(snmp, "agentx-address"),
			"Address \"%s\" is none of a socket.", address);
	strncpy(val.address, address, sizeof(val.address) - 1);
	strncpy(val.context, bh_yang_string(snmp, "context"), sizeof(val.context) - 1);
	if (bh_yang_bool(snmp, "notifications"))
		val.flags |= BH_SNMP_NOTIFY;
	LY_LIST_FOR(lyd_child(snmp), node)
		if (strcmp(node->schema->name, "register") == 0)
			val.mibs |= mib_of(lyd_get_value(node));
	if (val.mibs == 0)
		val.mibs = BH_SNMP_ALL;
	bh_records_add(&m->records, BH_T_CFG_SNMP, &key, sizeof(key), &val, sizeof(val));
}
