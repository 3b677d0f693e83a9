/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The shows. Each has a part that fetches (show_*, returns an enum bh_ctl_exit, its message
 * printed) and pure parts that make JSON values of records and statistics: these are the one
 * source of both forms. JSON values are new references; NULL: no memory.
 */
#ifndef BH_CTL_SHOW_H
#define BH_CTL_SHOW_H

#include <jansson.h>

#include "app/ctl/args.h"
#include "app/ctl/core.h"
#include "app/ctl/recs.h"
#include "app/ctl/render.h"

typedef int (*bh_show_fn)(struct bh_ctl_core *core, const struct bh_ctl_args *args);

int bh_show_addresses(struct bh_ctl_core *core, const struct bh_ctl_args *args);
int bh_show_connections(struct bh_ctl_core *core, const struct bh_ctl_args *args);
int bh_show_counters(struct bh_ctl_core *core, const struct bh_ctl_args *args);
int bh_show_fpm(struct bh_ctl_core *core, const struct bh_ctl_args *args);
int bh_show_interfaces(struct bh_ctl_core *core, const struct bh_ctl_args *args);
int bh_show_lcores(struct bh_ctl_core *core, const struct bh_ctl_args *args);
int bh_show_memory(struct bh_ctl_core *core, const struct bh_ctl_args *args);
int bh_show_neighbors(struct bh_ctl_core *core, const struct bh_ctl_args *args);
int bh_show_nexthops(struct bh_ctl_core *core, const struct bh_ctl_args *args);
int bh_show_processes(struct bh_ctl_core *core, const struct bh_ctl_args *args);
int bh_show_routes(struct bh_ctl_core *core, const struct bh_ctl_args *args);
int bh_show_sockets(struct bh_ctl_core *core, const struct bh_ctl_args *args);
int bh_show_tables(struct bh_ctl_core *core, const struct bh_ctl_args *args);
int bh_show_version(struct bh_ctl_core *core, const struct bh_ctl_args *args);

/* ---- output ---- */

/* Prints rows in the form asked for to stdout. A reader that went away ends the process by
 * SIGPIPE, quietly. */
int bh_ctl_print(const struct bh_ctl_args *args, const struct bh_view *view,
	const struct bh_rows *rows);

/* The same for the rows of an array, whose reference it takes. */
int bh_ctl_print_array(const struct bh_ctl_args *args, const struct bh_view *view, json_t *array);

/* To be called before anything else writes to stdout, and after it: BH_CTL_OK, or a message
 * and BH_CTL_FAILED if what was written did not arrive or rc is an error. */
void bh_ctl_output_begin(void);
int bh_ctl_output_end(int rc);

/* ---- names of interfaces ---- */

struct bh_ifnames {
	char name[BH_IF_MAX][BH_NAME_LEN]; /* by ifindex; "#5" where there is no record */
};

void bh_ifnames_set(struct bh_ifnames *names, const struct bh_recs *interfaces);
const char *bh_ifname(const struct bh_ifnames *names, uint32_t ifindex);
/* 0: no such interface. */
uint32_t bh_ifindex(const struct bh_ifnames *names, const char *name);
int bh_ctl_fetch_ifnames(struct bh_ctl_core *core, struct bh_ifnames *names);

/* ---- interfaces (show_interfaces.c) ---- */

extern const struct bh_view bh_view_interfaces;

struct bh_interfaces_data {
	struct bh_recs interface;   /* struct bh_ifindex_key, struct bh_interface */
	struct bh_recs cfg_address; /* struct bh_cfg_address_key, struct bh_cfg_address */
	struct bh_recs address;	    /* struct bh_if_addr_key, struct bh_address */
	struct bh_ifnames names;
};

void bh_interfaces_init(struct bh_interfaces_data *d);
void bh_interfaces_free(struct bh_interfaces_data *d);
/* After records were added: sorts them and takes the names. */
void bh_interfaces_prepare(struct bh_interfaces_data *d);
json_t *bh_json_interface(const struct bh_interfaces_data *d, size_t i, const struct bh_stats *st);

/* Sums over the forwarding lcores. */
struct bh_stats_if bh_if_total(const struct bh_stats *st, uint32_t ifindex);
json_t *bh_json_if_counters(const struct bh_stats_if *s);

/* ---- addresses (show_addresses.c) ---- */

extern const struct bh_view bh_view_addresses;
json_t *bh_json_addresses(const struct bh_interfaces_data *d);
/* Texts "address/length" of one interface; IPv4 first. */
json_t *bh_json_addresses_of(const struct bh_interfaces_data *d, uint32_t ifindex);

/* ---- routes and next hops (show_routes.c, show_nexthops.c) ---- */

extern const struct bh_view bh_view_routes, bh_view_nexthops;

struct bh_nexthops {
	struct bh_recs recs;	   /* struct bh_nexthop_key, struct bh_nexthop */
	uint32_t index[BH_NH_MAX]; /* by id: place in recs + 1; 0: none */
	struct bh_ifnames names;
};

void bh_nexthops_init(struct bh_nexthops *n);
void bh_nexthops_free(struct bh_nexthops *n);
/* After records were added: makes the index. */
void bh_nexthops_prepare(struct bh_nexthops *n);
const struct bh_nexthop_key *bh_nexthop_find(const struct bh_nexthops *n, uint32_t id);
json_t *bh_json_members(const struct bh_nexthops *n, const struct bh_nexthop_key *key);
json_t *bh_json_nexthop(const struct bh_nexthops *n, size_t i);

struct bh_routes_data {
	struct bh_recs route4; /* struct bh_route4_key, struct bh_route */
	struct bh_recs route6;
	struct bh_nexthops nexthops;
};

void bh_routes_init(struct bh_routes_data *d);
void bh_routes_free(struct bh_routes_data *d);
/* After records were added: keeps those inside the prefix (NULL: all), sorts them. */
void bh_routes_prepare(struct bh_routes_data *d, const struct bh_prefix *inside);
/* IPv4 first, by prefix. */
struct bh_rows bh_routes_rows(struct bh_routes_data *d);

/* ---- sockets (show_sockets.c) ---- */

extern const struct bh_view bh_view_sockets;

struct bh_sockets_data {
	struct bh_recs tcp, udp; /* struct bh_sock_key, struct bh_sock */
	struct bh_recs hostif;	 /* struct bh_ifindex_key, struct bh_hostif */
	struct bh_ifnames names;
};

/* ---- the rest ---- */

extern const struct bh_view bh_view_neighbors, bh_view_lcores, bh_view_tables;
extern const struct bh_view bh_view_connections, bh_view_processes;

/* cfg: struct bh_cfg_neighbor_key and value; learned: struct bh_if_addr_key, bh_neighbor. A
 * static neighbor hides a learned one. */
json_t *bh_json_neighbors(const struct bh_ifnames *names, const struct bh_recs *cfg,
	const struct bh_recs *learned);
json_t *bh_json_lcores(const struct bh_stats *st, uint64_t tsc);
json_t *bh_json_memory(const struct bh_stats *st);
json_t *bh_json_tables(const struct bh_stats *st);
json_t *bh_json_connections(const struct bh_stats *st);
/* now: s since the epoch. */
json_t *bh_json_processes(const struct bh_recs *recs, uint64_t now);
json_t *bh_json_counters(const struct bh_stats *st, const struct bh_ifnames *names);
/* Only the drops (only: NULL), or those of one name, or the counters of one interface, or "ip"; NULL
 * with errno ENOENT: neither a drop nor an interface. */
json_t *bh_json_counters_part(const struct bh_stats *st, const struct bh_ifnames *names,
	const char *only);

json_t *bh_json_fpm(const struct bh_fpm_status *s);

/* Cells for people. */
void bh_cell_bytes(const json_t *v, char *buf, size_t len);	 /* 1.2G */
void bh_cell_since(const json_t *v, char *buf, size_t len);	 /* s since the epoch: "3m 20s" */
void bh_cell_duration(const json_t *v, char *buf, size_t len);	 /* s */

#endif
