/* SPDX-License-Identifier: BSD-3-Clause */
/* Changes in words (routing_fake.h) to the model and to the module. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "routing_fake.h"

void
fake_change(
	struct fake *f, uint16_t table, uint8_t op, const void *key, const void *val, size_t len)
{
	struct bh_change c = {.table = table, .op = op, .key = key, .val = val, .val_len = len};
	unsigned int i;

	for (i = 0; i < BH_ROUTING_INPUTS; i++)
		if (bh_routing_table(&f->r, i) == table)
			bh_routing_change(&f->r.input[i], &c);
}

void
fake_inputs_ready(struct fake *f)
{
	for (unsigned int i = 0; i < BH_ROUTING_INPUTS; i++) {
		uint16_t table = bh_routing_table(&f->r, i);

		fake_change(f, table, BH_OP_SYNCED, NULL, NULL, 0);
		if (table != BH_T_ADDRESS && table != BH_T_HOSTIF)
			fake_change(f, table, BH_OP_COMPLETE, NULL, NULL, 0);
	}
}

/* ---- records of the model, as events ---- */

static void
tell_if(struct fake *f, uint32_t ifindex)
{
	struct bh_ifindex_key key = {ifindex};
	struct model_if *i = &f->m.ifs[ifindex];

	fake_change(f, BH_T_INTERFACE, i->there ? BH_OP_PUT : BH_OP_DELETE, &key,
		i->there ? &i->rec : NULL, sizeof(i->rec));
}

static void
tell_addr(struct fake *f, const struct model_addr *a, uint8_t op)
{
	struct bh_cfg_address_key key = {.family = a->p.family};
	struct bh_cfg_address val = {.plen = a->p.plen};

	memcpy(key.name, a->name, sizeof(key.name));
	memcpy(key.addr, a->p.addr, sizeof(key.addr));
	fake_change(f, BH_T_CFG_ADDRESS, op, &key, &val, sizeof(val));
}

static void
tell_stack(struct fake *f, const struct model_stack *s, uint8_t op)
{
	struct bh_if_addr_key key = {.ifindex = s->ifindex, .family = s->p.family};
	struct bh_address val = {.plen = s->p.plen, .state = s->state};

	memcpy(key.addr, s->p.addr, sizeof(key.addr));
	fake_change(f, BH_T_ADDRESS, op, &key, &val, sizeof(val));
}

static void
tell_static(struct fake *f, const struct model_static *s, uint8_t op)
{
	struct bh_cfg_route4_key k4 = {.plen = s->p.plen, .instance = s->instance};
	struct bh_cfg_route6_key k6 = {.plen = s->p.plen, .instance = s->instance};
	bool v4 = s->p.family == 4;

	memcpy(k4.addr, s->p.addr, sizeof(k4.addr));
	memcpy(k6.addr, s->p.addr, sizeof(k6.addr));
	fake_change(f, v4 ? BH_T_CFG_ROUTE4 : BH_T_CFG_ROUTE6, op, v4 ? (void *)&k4 : (void *)&k6,
		&s->rec, offsetof(struct bh_cfg_route, hop) + s->rec.n * sizeof(s->rec.hop[0]));
}

/* ---- words ---- */

static void
do_if(struct fake *f, bool gone, char **save)
{
	uint32_t ifindex = atoi(strtok_r(NULL, " ", save));
	struct model_if *i = &f->m.ifs[ifindex];
	char *w;

	i->there = !gone;
	if (!gone) {
		memset(&i->rec, 0, sizeof(i->rec));
		strcpy(i->rec.name, strtok_r(NULL, " ", save));
		i->rec.oper =
			strcmp(strtok_r(NULL, " ", save), "up") == 0 ? BH_OPER_UP : BH_OPER_DOWN;
		i->rec.flags = BH_IF_ENABLED | BH_IF_IPV4 | BH_IF_IPV6;
		while ((w = strtok_r(NULL, " ", save)) != NULL)
			i->rec.flags &= ~(strcmp(w, "nov4") == 0 ? BH_IF_IPV4 : BH_IF_IPV6);
	}
	tell_if(f, ifindex);
}

static void
do_addr(struct fake *f, bool gone, char **save)
{
	struct model_addr a = {0}, *m = f->m.addr;

	strcpy(a.name, strtok_r(NULL, " ", save));
	ck_assert_int_eq(bh_prefix_parse(strtok_r(NULL, " ", save), &a.p), 0);
	while (m < f->m.addr + f->m.n_addr &&
		(strcmp(m->name, a.name) != 0 || m->p.family != a.p.family ||
			memcmp(m->p.addr, a.p.addr, 16) != 0))
		m++;
	if (!gone) {
		f->m.n_addr += m == f->m.addr + f->m.n_addr;
		*m = a;
	} else if (m < f->m.addr + f->m.n_addr) {
		*m = f->m.addr[--f->m.n_addr];
	} else {
		return;
	}
	tell_addr(f, &a, gone ? BH_OP_DELETE : BH_OP_PUT);
}

static void
do_stack(struct fake *f, bool gone, char **save)
{
	struct model_stack s = {0}, *m = f->m.stack;
	char *state;

	s.ifindex = atoi(strtok_r(NULL, " ", save));
	ck_assert_int_eq(bh_prefix_parse(strtok_r(NULL, " ", save), &s.p), 0);
	while (m < f->m.stack + f->m.n_stack &&
		(m->ifindex != s.ifindex || m->p.family != s.p.family ||
			memcmp(m->p.addr, s.p.addr, 16) != 0))
		m++;
	if (!gone) {
		state = strtok_r(NULL, " ", save);
		s.state = strcmp(state, "ok") == 0 ? 1 : strcmp(state, "dup") == 0 ? 2 : 0;
		f->m.n_stack += m == f->m.stack + f->m.n_stack;
		*m = s;
	} else if (m < f->m.stack + f->m.n_stack) {
		*m = f->m.stack[--f->m.n_stack];
	} else {
		return;
	}
	tell_stack(f, &s, gone ? BH_OP_DELETE : BH_OP_PUT);
}

static void
parse_hop(char *w, struct bh_cfg_hop *hop)
{
	char *star = strchr(w, '*'), *at;
	int family;

	memset(hop, 0, sizeof(*hop));
	hop->weight = star != NULL ? atoi(star + 1) : 1;
	if (star != NULL)
		*star = '\0';
	at = strchr(w, '@');
	if (at != NULL) {
		strcpy(hop->name, at + 1);
		*at = '\0';
	}
	if (*w != '\0') {
		family = bh_addr_parse(w, hop->addr);
		ck_assert_int_gt(family, 0);
		hop->family = family;
	}
}

static uint8_t
parse_special(const char *w)
{
	return strcmp(w, "blackhole") == 0     ? BH_NH_BLACKHOLE
	       : strcmp(w, "unreachable") == 0 ? BH_NH_UNREACHABLE
	       : strcmp(w, "prohibit") == 0    ? BH_NH_PROHIBIT
	       : strcmp(w, "receive") == 0     ? BH_NH_LOCAL
					       : 0;
}

static void
parse_route(struct bh_cfg_route *rec, char **save)
{
	char *w;

	memset(rec, 0, sizeof(*rec));
	rec->type = BH_NH_GROUP;
	rec->preference = atoi(strtok_r(NULL, " ", save));
	while ((w = strtok_r(NULL, " ", save)) != NULL) {
		if (parse_special(w) != 0)
			rec->type = parse_special(w);
		else
			parse_hop(w, &rec->hop[rec->n++]);
	}
}

static void
do_route(struct fake *f, bool gone, char **save)
{
	struct model_static s = {0}, *m = f->m.stat;
	char *w = strtok_r(NULL, " ", save), *inst = strchr(w, '#');

	if (inst != NULL) {
		s.instance = atoi(inst + 1);
		*inst = '\0';
	}
	ck_assert_int_eq(bh_prefix_parse(w, &s.p), 0);
	bh_prefix_mask(&s.p);
	while (m < f->m.stat + f->m.n_stat &&
		(m->instance != s.instance || bh_prefix_cmp(&m->p, &s.p) != 0))
		m++;
	if (!gone) {
		parse_route(&s.rec, save);
		f->m.n_stat += m == f->m.stat + f->m.n_stat;
		*m = s;
	} else if (m < f->m.stat + f->m.n_stat) {
		*m = f->m.stat[--f->m.n_stat];
	} else {
		return;
	}
	tell_static(f, &s, gone ? BH_OP_DELETE : BH_OP_PUT);
}

static void
do_one(struct fake *f, char *line)
{
	char *save, *verb = strtok_r(line, " ", &save);
	bool gone;

	if (verb == NULL)
		return;
	gone = *verb == '-';
	verb += gone;
	if (strcmp(verb, "if") == 0)
		do_if(f, gone, &save);
	else if (strcmp(verb, "addr") == 0)
		do_addr(f, gone, &save);
	else if (strcmp(verb, "stack") == 0)
		do_stack(f, gone, &save);
	else if (strcmp(verb, "route") == 0)
		do_route(f, gone, &save);
	else
		ck_abort_msg("what is %s?", verb);
}

void
fake_do(struct fake *f, const char *words)
{
	char *copy = strdup(words), *save, *line;

	for (line = strtok_r(copy, ";", &save); line; line = strtok_r(NULL, ";", &save))
		do_one(f, line);
	free(copy);
}

void
fake_resync(struct fake *f, uint16_t table)
{
	unsigned int i;

	fake_change(f, table, BH_OP_RESYNC, NULL, NULL, 0);
	for (i = 1; table == BH_T_INTERFACE && i < BH_IF_MAX; i++)
		if (f->m.ifs[i].there)
			tell_if(f, i);
	for (i = 0; table == BH_T_CFG_ADDRESS && i < f->m.n_addr; i++)
		tell_addr(f, &f->m.addr[i], BH_OP_PUT);
	for (i = 0; table == BH_T_ADDRESS && i < f->m.n_stack; i++)
		tell_stack(f, &f->m.stack[i], BH_OP_PUT);
	for (i = 0; i < f->m.n_stat; i++)
		if (table == (f->m.stat[i].p.family == 4 ? BH_T_CFG_ROUTE4 : BH_T_CFG_ROUTE6))
			tell_static(f, &f->m.stat[i], BH_OP_PUT);
	fake_change(f, table, BH_OP_SYNCED, NULL, NULL, 0);
}
