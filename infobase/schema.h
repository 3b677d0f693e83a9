/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The schema: every table of the info base, its owner, kind, key and value.
 *
 * Keys are fixed in size and compared bytewise: all padding and unused bytes are zero (the
 * core refuses a key with other padding). Values may be shorter than the struct down to
 * `val_min`, in tables whose value ends in an array. Addresses are in network byte order; an
 * IPv4 address takes the first 4 of 16 bytes, the rest zero. Names are NUL-padded.
 */
#ifndef BH_INFOBASE_SCHEMA_H
#define BH_INFOBASE_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/channel/msg.h"

#define BH_DEVICE_LEN 192 /* PCI address or vdev name with devargs; NUL included */
#define BH_ECMP_MAX 16
#define BH_IF_MAX 256	  /* ifindex 1 .. 255 */
#define BH_NH_MAX 16384	  /* next-hop ids 1 .. 16383 */
#define BH_ROUTE4_MAX 2000000
#define BH_ROUTE6_MAX 1000000
#define BH_KEY_MAX 400
#define BH_VAL_MAX 800

enum bh_table_id {
	BH_T_CFG_INTERFACE = 1,
	BH_T_CFG_ADDRESS,
	BH_T_CFG_NEIGHBOR,
	BH_T_CFG_ROUTE4,
	BH_T_CFG_ROUTE6,
	BH_T_INTERFACE,
	BH_T_HOSTIF,
	BH_T_ADDRESS,
	BH_T_NEIGHBOR,
	BH_T_NEXTHOP,
	BH_T_ROUTE4,
	BH_T_ROUTE6,
	BH_T_PROCESS,
	BH_T_TCP,
	BH_T_UDP,
	BH_T_SNMP,
	BH_T_USER,
	BH_T_CFG_SOURCE,
	BH_T_CFG_RA,
	BH_T_CFG_RA_PREFIX,
	BH_T_CFG_SNMP,
	BH_T_CFG_FPM,
	BH_T_FPM,
	BH_T_FPM_ROUTE4,
	BH_T_FPM_ROUTE6,
	BH_T_MAX,
};

enum bh_table_kind { BH_KIND_CONFIG = 1, BH_KIND_STATE, BH_KIND_INTERFACE };

/* Groups of tables that have one worker; configuration binds groups to worker lcores. */
enum bh_group {
	BH_GROUP_LINK,	 /* interface, address, neighbor, nexthop, hostif and their cfg tables */
	BH_GROUP_ROUTE4, /* route4, fpm_route4 */
	BH_GROUP_ROUTE6, /* route6, fpm_route6 */
	BH_GROUP_MISC,	 /* cfg_route*, cfg_ra*, cfg_snmp, cfg_fpm, fpm, process, tcp, udp, snmp */
	BH_GROUP_MAX,
};

#define BH_F_ASSIGNS_ID 0x1 /* value begins with a u32 id that the worker assigns and replies */
#define BH_F_LPM 0x2	    /* answers `lookup`, `next`: key is struct bh_route4_key or bh_route6_key */

struct bh_schema {
	const char *name;
	uint16_t owner;	   /* enum bh_role: the only role that may modify it */
	uint8_t kind;	   /* enum bh_table_kind */
	uint8_t group;	   /* enum bh_group */
	uint16_t key_len;
	uint16_t val_min;
	uint16_t val_max;
	uint16_t flags;	   /* BH_F_* */
	uint32_t max;	   /* records at most */
	const char *published; /* where forwarding sees it, or "" */
	/* Is a key, a value from outside well formed: padding, names, enums, inner lengths?
	 * NULL: every one is. Lengths were checked; any alignment. Pure. */
	bool (*key_ok)(const void *key);
	bool (*val_ok)(const void *val, uint16_t len);
};

/* Row of a table; NULL for an id that no table has. Any process or lcore. */
const struct bh_schema *bh_schema(uint16_t table);

/* Id of the table with this name, or 0. */
uint16_t bh_schema_find(const char *name);

/* Names of roles, kinds and groups as users read them; "?" for an unknown one. */
const char *bh_role_name(unsigned int role);
const char *bh_kind_name(unsigned int kind);
const char *bh_group_name(unsigned int group);
/* Role of that name (config, routing ...), or -ENOENT. */
int bh_role_find(const char *name);

/* ---- config ---- */

struct bh_ifname_key {
	char name[BH_NAME_LEN];
};

#define BH_IF_ENABLED 0x1
#define BH_IF_FORWARD4 0x2
#define BH_IF_FORWARD6 0x4
#define BH_IF_IPV4 0x8	/* the family is enabled on it */
#define BH_IF_IPV6 0x10

struct bh_cfg_interface {
	uint32_t flags;	  /* BH_IF_* */
	uint16_t mtu;	  /* link MTU: bytes behind the Ethernet header; 0: the device's */
	uint16_t mtu4;	  /* IPv4 MTU; 0: the link's */
	uint16_t mtu6;
	uint16_t vrf;	  /* 0 */
	uint16_t rx_queues, tx_queues; /* 0: as many as forwarding lcores, up to the device */
	uint16_t rx_desc, tx_desc;     /* 0: default */
	uint8_t mac[6];	  /* all zero: the device's */
	uint8_t pad[2];
	char device[BH_DEVICE_LEN]; /* as rte_dev_probe takes it; empty: none */
	char description[64];
};

struct bh_cfg_address_key {
	char name[BH_NAME_LEN];
	uint8_t family; /* 4 or 6 */
	uint8_t pad[3];
	uint8_t addr[16];
};
struct bh_cfg_address {
	uint8_t plen;
	uint8_t pad[3];
};

struct bh_cfg_neighbor_key {
	char name[BH_NAME_LEN];
	uint8_t family;
	uint8_t pad[3];
	uint8_t addr[16];
};
struct bh_cfg_neighbor {
	uint8_t mac[6];
	uint8_t pad[2];
};

enum bh_nh_type {
	BH_NH_GROUP = 1,   /* 1 .. BH_ECMP_MAX members */
	BH_NH_ATTACHED,	   /* the destination itself is a neighbor on member 0's interface */
	BH_NH_LOCAL,	   /* an address of ours: receive (RFC 8349) */
	BH_NH_BLACKHOLE,   /* RFC 8349 special-next-hop: silent */
	BH_NH_UNREACHABLE, /* ICMP host/net unreachable */
	BH_NH_PROHIBIT,	   /* ICMP administratively prohibited */
};

struct bh_cfg_hop {
	char name[BH_NAME_LEN]; /* outgoing interface, or empty: recursive */
	uint8_t family;		/* of addr; 0: none, the route is attached to the interface */
	uint8_t weight;		/* 1 .. 255 */
	uint8_t pad[2];
	uint8_t addr[16];
};

/* Static routes; one record a route and control-plane-protocol instance. */
struct bh_cfg_route4_key {
	uint8_t addr[4];
	uint8_t plen;
	uint8_t pad;
	uint16_t instance; /* number of the static protocol instance: 0, 1 ... */
};
struct bh_cfg_route6_key {
	uint8_t addr[16];
	uint8_t plen;
	uint8_t pad;
	uint16_t instance;
};
struct bh_cfg_route {
	uint8_t type;	/* enum bh_nh_type; GROUP with hops, else special without */
	uint8_t n;	/* hops that follow: the value is cut behind the last one */
	uint16_t preference; /* administrative distance; lower wins */
	struct bh_cfg_hop hop[BH_ECMP_MAX];
};

/* Which file the tables of the configuration hold, whole; absent while they hold none. Key: struct
 * bh_ifname_key, "file". For bulkhead-config's own successor. */
struct bh_cfg_source {
	uint64_t digest;  /* of the text, as bulkhead-config makes it */
	uint64_t fixed;	  /* of what takes effect at the next start only */
	uint64_t records; /* in all tables */
};

/* Router advertisements of an interface (RFC 8349 §9.1, RFC 4861 §6.2.1); key: struct
 * bh_ifname_key. No record: none are sent. */
#define BH_RA_SEND 0x1
#define BH_RA_MANAGED 0x2
#define BH_RA_OTHER 0x4

struct bh_cfg_ra {
	uint8_t flags;	       /* BH_RA_* */
	uint8_t hop_limit;     /* 0: not specified */
	uint16_t lifetime;     /* s; of the default router */
	uint16_t max_interval; /* s; 4 .. */
	uint16_t min_interval; /* s; 3 .. max_interval */
	uint32_t mtu;	       /* 0: not told */
	uint32_t reachable;    /* ms; 0: not specified */
	uint32_t retrans;      /* ms; 0: not specified */
};

#define BH_RA_PREFIX_ON_LINK 0x1
#define BH_RA_PREFIX_AUTONOMOUS 0x2
#define BH_RA_PREFIX_NONE 0x4 /* not advertised, though it is of an address of the interface */

struct bh_cfg_ra_prefix_key {
	char name[BH_NAME_LEN];
	uint8_t addr[16];
	uint8_t plen;
	uint8_t pad[3];
};
struct bh_cfg_ra_prefix {
	uint32_t valid, preferred; /* s; UINT32_MAX: for ever */
	uint8_t flags;		   /* BH_RA_PREFIX_* */
	uint8_t pad[3];
};

/* What bulkhead-snmp is to do; key: struct bh_ifname_key, BH_CFG_SNMP_NAME. No record: all
 * notifications and all MIBs, at BH_SNMP_ADDRESS. */
#define BH_CFG_SNMP_NAME "snmp"
#define BH_SNMP_ADDRESS "unix:/var/agentx/master"

#define BH_SNMP_IF 0x1 /* MIBs */
#define BH_SNMP_IP 0x2
#define BH_SNMP_IP_FORWARD 0x4
#define BH_SNMP_TCP 0x8
#define BH_SNMP_UDP 0x10
#define BH_SNMP_BULKHEAD 0x20
#define BH_SNMP_ALL 0x3f

#define BH_SNMP_NOTIFY 0x1 /* flag: notifications are sent */

struct bh_cfg_snmp {
	uint32_t mibs;	   /* BH_SNMP_*: to register */
	uint32_t flags;	   /* BH_SNMP_NOTIFY */
	char address[112]; /* of the master agent: unix:PATH or tcp:IP:PORT, IPv6 in brackets */
	char context[32];  /* SNMP context; empty: the default one */
};

/* ---- link worker ---- */

struct bh_ifindex_key {
	uint32_t ifindex; /* given by the core: 1 .. BH_IF_MAX - 1 */
};

enum bh_oper { BH_OPER_DOWN, BH_OPER_UP, BH_OPER_NOT_PRESENT };

struct bh_interface {
	char name[BH_NAME_LEN];
	uint32_t flags;	  /* BH_IF_* of the configuration */
	uint8_t oper;	  /* enum bh_oper */
	uint8_t mac[6];
	uint8_t pad;
	uint16_t mtu, mtu4, mtu6;
	uint16_t vrf;
	uint32_t speed;	  /* Mbit/s; 0: unknown */
	uint16_t port;	  /* DPDK port id; UINT16_MAX: none */
	uint16_t rx_queues, tx_queues;
	uint16_t pad2;
	uint64_t last_change; /* s since the epoch */
	char device[BH_DEVICE_LEN];
	char error[96];	  /* why it is not present; empty: all well */
};

struct bh_hostif { /* key: struct bh_ifindex_key */
	uint32_t host_ifindex; /* of the TAP in the kernel */
};

struct bh_if_addr_key { /* of `address` and `neighbor` */
	uint32_t ifindex;
	uint8_t family;
	uint8_t pad[3];
	uint8_t addr[16];
};
enum bh_addr_state {
	BH_ADDR_TENTATIVE, /* duplicate address detection is not over: not used */
	BH_ADDR_PREFERRED,
	BH_ADDR_DUPLICATE, /* another has it: not used */
};
struct bh_address {
	uint8_t plen;
	uint8_t state; /* enum bh_addr_state */
	uint8_t pad[2];
};
enum bh_nud_state { /* RFC 4861 §7.3.2, for both families */
	BH_NUD_INCOMPLETE, /* the mac is not valid; the stack keeps none of these in the table */
	BH_NUD_REACHABLE,
	BH_NUD_STALE,
	BH_NUD_DELAY,
	BH_NUD_PROBE,
};
struct bh_neighbor {
	uint8_t mac[6];
	uint8_t state; /* enum bh_nud_state */
	uint8_t router;
	uint32_t age;  /* s since it was last confirmed, at the time of the record */
};

struct bh_nh_member {
	uint32_t ifindex;
	uint8_t family; /* of addr; 0 in ATTACHED */
	uint8_t weight; /* 1 .. 255 */
	uint8_t pad[2];
	uint8_t addr[16];
};

/* A next hop is keyed by its whole content: the same content has the same id, whoever adds
 * it and whenever. Members are sorted bytewise, without repeats; unused ones are zero. */
struct bh_nexthop_key {
	uint8_t type; /* enum bh_nh_type */
	uint8_t n;    /* members: GROUP 1 .., ATTACHED 1, others 0 */
	uint8_t pad[2];
	struct bh_nh_member m[BH_ECMP_MAX];
};
struct bh_nexthop {
	uint32_t id;	 /* assigned by the link worker; 0 in requests */
	uint32_t n_live; /* members whose interface is up; 0 in requests */
};

/* ---- routes ---- */

struct bh_route4_key {
	uint8_t addr[4];
	uint8_t plen;
	uint8_t pad;
	uint16_t vrf; /* 0 */
};
struct bh_route6_key {
	uint8_t addr[16];
	uint8_t plen;
	uint8_t pad;
	uint16_t vrf;
};

enum bh_route_proto {
	BH_RP_CONNECTED = 1,
	BH_RP_LOCAL,
	BH_RP_STATIC,
	BH_RP_FPM, /* zebra by FPM; the daemon is in `sub` */
};

#define BH_ROUTE_UNRESOLVED 0x1 /* set by the core: its next-hop id is not live; outside the FIB */

struct bh_route {
	uint32_t nh;	     /* id in `nexthop` */
	uint8_t proto;	     /* enum bh_route_proto */
	uint8_t sub;
	uint16_t preference; /* administrative distance */
	uint32_t metric;
	uint32_t flags;	     /* BH_ROUTE_*; 0 in requests */
};

/* ---- zebra by FPM ---- */

struct bh_cfg_fpm { /* key: struct bh_ifname_key, "fpm"; no record: routing does not listen */
	uint8_t family; /* of addr */
	uint8_t pad;
	uint16_t port;
	uint8_t addr[16];      /* where it listens */
	uint16_t settle;       /* s without a route, after the first one, that end zebra's replay */
	uint16_t replay_limit; /* s after which it ends in any case */
	uint8_t distance[256]; /* 1 .. 255, by zebra's number of the protocol (lib/net/zproto.h) */
};

/* What zebra sent of a prefix, in fpm_route4 and fpm_route6 (keys: as of route4 and route6): next
 * hops of groups are filled in. A restarted routing goes on with these. */
struct bh_fpm_hop {
	uint32_t ifindex; /* the kernel's; 0: none, the address is to be resolved */
	uint8_t family;	  /* of addr; 0: none, the route is attached to the interface */
	uint8_t weight;	  /* 1 .. 255 */
	uint8_t pad[2];
	uint8_t addr[16];
};
struct bh_fpm_route {
	uint8_t proto; /* zebra's number */
	uint8_t type;  /* enum bh_nh_type; GROUP with hops, else special without */
	uint8_t n;     /* hops that follow: the value is cut behind the last one */
	uint8_t pad;
	uint32_t metric;
	struct bh_fpm_hop hop[BH_ECMP_MAX];
};

/* Why a message of zebra was refused; the name is what users read. */
#define BH_FPM_REASON_LIST(X)                                                                      \
	X(LENGTH, bad_length)          /* a part that does not fit into its whole */               \
	X(MESSAGE, unknown_message)                                                                \
	X(FAMILY, unknown_family)                                                                  \
	X(PREFIX, bad_prefix)                                                                      \
	X(TABLE, other_table)          /* than the main one */                                     \
	X(TYPE, unknown_route_type)                                                                \
	X(SOURCE, source_specific)                                                                 \
	X(ENCAP, encapsulation)        /* labels, tunnels, segments */                             \
	X(ATTRIBUTE, unknown_attribute)                                                            \
	X(HOP, bad_next_hop)                                                                       \
	X(NO_HOP, no_next_hop)                                                                     \
	X(GROUP, bad_group)                                                                        \
	X(LIMIT, too_many)             /* routes or groups */

enum bh_fpm_reason {
#define X(id, name) BH_FPM_##id,
	BH_FPM_REASON_LIST(X)
#undef X
	BH_FPM_REASONS,
};

enum bh_fpm_conn_state {
	BH_FPM_FAILED = 1, /* it cannot listen: see `error` */
	BH_FPM_LISTENING,  /* nobody is connected: what is held is stale, and in use */
	BH_FPM_REPLAYING,  /* zebra tells what it has */
	BH_FPM_CONNECTED,  /* it told all: what was still stale is gone */
};

struct bh_fpm_status { /* of table `fpm`; key: struct bh_ifname_key, "fpm" */
	uint8_t state;	     /* enum bh_fpm_conn_state */
	uint8_t peer_family; /* 0: none so far */
	uint16_t peer_port;
	uint8_t peer[16];    /* the present or last one */
	uint32_t zebra;	     /* netlink port id of the zebra that sent last; 0: not known */
	uint32_t lag_ms;     /* age of the oldest change that the info base has not answered */
	uint32_t replay_ms;  /* connection .. end of zebra's last replay; 0: none yet */
	uint64_t since;	     /* s since the epoch, of the state */
	uint64_t connections, messages, bytes;
	uint64_t added, deleted; /* messages that were taken */
	uint64_t ignored;    /* routes of the kernel and connected ones: ours are better known here */
	uint64_t cut;	     /* routes and groups of more than BH_ECMP_MAX next hops */
	uint64_t swept;
	uint64_t refused[16]; /* by enum bh_fpm_reason */
	uint32_t routes4, routes6;
	uint32_t stale;	     /* of them: not told by the present zebra */
	uint32_t held;	     /* of them: no known interface or group */
	uint32_t groups;     /* next-hop ids that zebra told */
	uint32_t queued;     /* changes that are not yet sent to the info base */
	uint64_t error_time; /* s since the epoch; 0: never */
	char error[96];	     /* the last one */
};

/* ---- supervisor ---- */

enum bh_proc_state { BH_PROC_STARTING = 1, BH_PROC_READY, BH_PROC_EXITED, BH_PROC_HELD, BH_PROC_STOPPED };

/* How the last end came about, or was found. */
enum bh_proc_how {
	BH_HOW_NONE,  /* it never ended */
	BH_HOW_EXIT,  /* it ended by itself, or was killed by others */
	BH_HOW_HANG,  /* it ran or slept without a turn of its loop */
	BH_HOW_STOP,  /* it was stopped (SIGSTOP) */
	BH_HOW_ORDER, /* by bhctl */
	BH_HOW_MAX,
};

#define BH_PROC_ADOPTED 0x1 /* started by an earlier supervisor */

#define BH_EXIT_NONE (-1)   /* last_exit: no end yet */
#define BH_EXIT_UNTOLD (-2) /* last_exit: of a process that was adopted, or is being freed */

struct bh_process { /* key: struct bh_ifname_key, the module's name */
	uint32_t pid;
	uint8_t state;	/* enum bh_proc_state */
	uint8_t how;	/* enum bh_proc_how */
	uint8_t flags;	/* BH_PROC_* */
	uint8_t pad;
	uint32_t restarts;
	int32_t last_exit;  /* wait status of the last end, or BH_EXIT_* */
	uint64_t started;   /* s since the epoch */
	uint32_t recovery_us; /* last death seen .. ready again; 0: never died */
	uint32_t detect_us; /* last hang or stop: last turn .. found; 0: not known */
	uint64_t seen_ns;   /* when the last end was seen; CLOCK_MONOTONIC */
	uint64_t start_ticks; /* of the process, in clock ticks since boot: tells it from others
				 that get its pid */
};

/* ---- sockets of this machine ---- */

struct bh_sock_key { /* tcp, udp */
	uint8_t family;
	uint8_t pad[3];
	uint32_t ifindex; /* the kernel's, to which it is bound; 0: none */
	uint16_t lport, rport;
	uint8_t laddr[16], raddr[16];
};
struct bh_sock {
	uint32_t state;	  /* as TCP of Linux numbers them; of UDP: 1 connected, 7 not */
	uint32_t uid;	  /* of its owner */
	uint64_t inode;	  /* 0: no process has it (TIME_WAIT) */
};

/* ---- tables of modules to come: opaque beyond their key ---- */

struct bh_snmp_key {
	char name[32];
};
struct bh_snmp {
	char value[128];
};

/* ---- a module of the user's own ---- */

struct bh_user_key { /* NUL-padded, not empty */
	char name[32];
};
struct bh_user { /* 1 to 128 bytes, for the module to lay out; cut behind the last one used */
	uint8_t data[128];
};

#endif
