/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <string.h>

#include "app/ctl/names.h"
#include "app/ctl/show.h"

/* Sums one 64-bit counter of struct bh_stats_fwd over the forwarding lcores. */
#define SUM(st, member)                                                                            \
	({                                                                                         \
		uint64_t sum_ = 0;                                                                 \
		for (uint32_t f_ = 0; f_ < n_fwd(st); f_++)                                        \
			sum_ += bh_read(&(st)->fwd[f_].member);                                    \
		(json_int_t)sum_;                                                                  \
	})

static uint32_t
n_fwd(const struct bh_stats *st)
{
	return st->n_fwd < BH_STATS_FWD ? st->n_fwd : BH_STATS_FWD;
}

static json_t *
json_drops(const struct bh_stats *st)
{
	json_t *drops = json_object();

	for (unsigned int i = 0; i < BH_DROP_MAX; i++)
		json_object_set_new(drops, bh_drop_name(i), json_integer(SUM(st, drop[i])));
	return drops;
}

static json_t *
json_fwd(const struct bh_stats *st, uint32_t f)
{
	const struct bh_stats_fwd *fwd = &st->fwd[f];
	json_t *drops = json_object();

	for (unsigned int i = 0; i < BH_DROP_MAX; i++) {
		uint64_t n = bh_read(&fwd->drop[i]);

		if (n != 0)
			json_object_set_new(drops, bh_drop_name(i), json_integer(n));
	}
	return json_pack("{s:I,s:{s:I,s:I},s:I,s:I,s:o}",
		"lcore", (json_int_t)st->fwd_lcore[f],
		"forwarded", "ipv4", (json_int_t)bh_read(&fwd->ip4_forwarded),
		"ipv6", (json_int_t)bh_read(&fwd->ip6_forwarded),
		"punted", (json_int_t)bh_read(&fwd->punted),
		"injected", (json_int_t)bh_read(&fwd->injected),
		"drops", drops);
}

/* What left the fast path for the stack, by reason, and what came back. */
static json_t *
json_stack(const struct bh_stats *st)
{
	const struct bh_stats_stack *s = &st->stack;
	json_t *punt = json_object();

	for (unsigned int i = 0; i < BH_PUNT_REASONS; i++)
		json_object_set_new(punt, bh_punt_name(i), json_pack("{s:I,s:I,s:I}",
			"taken", SUM(st, punt[i].taken), "policed", SUM(st, punt[i].policed),
			"full", SUM(st, punt[i].full)));
	return json_pack("{s:b,s:I,s:I,s:I,s:I,s:o}",
		"connected", bh_read(&s->connected) != 0,
		"delivered", (json_int_t)bh_read(&s->delivered),
		"discarded", (json_int_t)bh_read(&s->discarded),
		"injected", (json_int_t)bh_read(&s->injected),
		"inject-refused", (json_int_t)bh_read(&s->inject_refused),
		"punt", punt);
}

static json_t *
json_fwds(const struct bh_stats *st)
{
	json_t *list = json_array();

	for (uint32_t f = 0; f < n_fwd(st); f++)
		json_array_append_new(list, json_fwd(st, f));
	return list;
}

static json_t *
json_dev(const struct bh_stats_dev *dev)
{
	return json_pack("{s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I}",
		"ipackets", (json_int_t)bh_read(&dev->ipackets),
		"opackets", (json_int_t)bh_read(&dev->opackets),
		"ibytes", (json_int_t)bh_read(&dev->ibytes),
		"obytes", (json_int_t)bh_read(&dev->obytes),
		"imissed", (json_int_t)bh_read(&dev->imissed),
		"ierrors", (json_int_t)bh_read(&dev->ierrors),
		"oerrors", (json_int_t)bh_read(&dev->oerrors),
		"rx_nombuf", (json_int_t)bh_read(&dev->rx_nombuf));
}

/* What RFC 4293 wants counted, of one interface or of BH_IP_ALL: each counter for both versions. */
static json_t *
json_ip(const struct bh_stats *st, uint32_t ifindex)
{
	json_t *ip = json_object();
	struct bh_stats_ip v4, v6;

	bh_ip_total(st, BH_IP4, ifindex, &v4);
	bh_ip_total(st, BH_IP6, ifindex, &v6);
	for (unsigned int i = 0; i < BH_IP_COUNTERS; i++)
		json_object_set_new(ip, bh_ip_counter_name(i), json_pack("{s:I,s:I}",
			"ipv4", (json_int_t)v4.n[i], "ipv6", (json_int_t)v6.n[i]));
	return ip;
}

/* Adds an interface to both objects, by its name. */
static void
add_interface(const struct bh_stats *st, const struct bh_ifnames *names, uint32_t ifindex,
	json_t *interfaces, json_t *devices)
{
	struct bh_stats_if sum = bh_if_total(st, ifindex);
	json_t *name = bh_ctl_json_text(bh_ifname(names, ifindex), BH_NAME_LEN);
	json_t *counters = bh_json_if_counters(&sum);

	json_object_set_new(counters, "ip", json_ip(st, ifindex));
	json_object_set_new(interfaces, json_string_value(name), counters);
	json_object_set_new(devices, json_string_value(name), json_dev(&st->dev[ifindex]));
	json_decref(name);
}

/* The counters of one interface (ifindex), or of all (0). */
static void
add_interfaces(const struct bh_stats *st, const struct bh_ifnames *names, uint32_t ifindex,
	json_t *into)
{
	json_t *interfaces = json_object(), *devices = json_object();

	for (uint32_t i = 1; i < BH_IF_MAX; i++)
		if ((ifindex == 0 || ifindex == i) && names->name[i][0] != '#')
			add_interface(st, names, i, interfaces, devices);
	json_object_set_new(into, "interfaces", interfaces);
	json_object_set_new(into, "devices", devices);
}

json_t *
bh_json_counters(const struct bh_stats *st, const struct bh_ifnames *names)
{
	json_t *v = json_pack("{s:o,s:{s:I,s:I},s:{s:I,s:I},s:I,s:I,s:o,s:{s:I,s:I},s:o}",
		"drops", json_drops(st),
		"forwarded", "ipv4", SUM(st, ip4_forwarded), "ipv6", SUM(st, ip6_forwarded),
		"ip4-fragmented", "packets", SUM(st, ip4_fragmented),
		"fragments", SUM(st, ip4_fragments),
		"punted", SUM(st, punted),
		"injected", SUM(st, injected),
		"stack", json_stack(st),
		"first-contacts", "relayed", (json_int_t)bh_read(&st->relays),
		"refused", (json_int_t)bh_read(&st->refused_contacts),
		"lcores", json_fwds(st));

	if (v != NULL) {
		json_object_set_new(v, "ip", json_ip(st, BH_IP_ALL));
		add_interfaces(st, names, 0, v);
	}
	return v;
}

/* Leaves of a drops object the one of that name. */
static void
keep_one(json_t *drops, const char *name)
{
	const char *key;
	json_t *v;
	void *next;

	json_object_foreach_safe(drops, next, key, v)
		if (strcmp(key, name) != 0)
			json_object_del(drops, key);
}

json_t *
bh_json_counters_part(const struct bh_stats *st, const struct bh_ifnames *names, const char *only)
{
	json_t *drops, *v, *lcores, *one;
	uint32_t ifindex = only == NULL ? 0 : bh_ifindex(names, only);
	size_t i;

	if (ifindex != 0) {
		v = json_object();
		add_interfaces(st, names, ifindex, v);
		json_object_set_new(v, "ip", json_ip(st, ifindex));
		return v;
	}
	if (only != NULL && strcmp(only, "ip") == 0)
		return json_pack("{s:o}", "ip", json_ip(st, BH_IP_ALL));
	drops = json_drops(st);
	if (only != NULL && json_object_get(drops, only) == NULL) {
		json_decref(drops);
		errno = ENOENT;
		return NULL;
	}
	lcores = json_fwds(st);
	json_array_foreach(lcores, i, one) {
		if (only != NULL)
			keep_one(json_object_get(one, "drops"), only);
	}
	if (only != NULL)
		keep_one(drops, only);
	return json_pack("{s:o,s:o}", "drops", drops, "lcores", lcores);
}
