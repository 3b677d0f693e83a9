/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The messages between a process and a service of the core.
 *
 * One request has exactly one reply with the same tag; a watch besides brings events that
 * carry the tag of the watch. All integers are in host byte order (both sides run on one
 * machine) but for addresses, which are in network order. Everything that arrives is
 * hostile until checked: copy once, check, use.
 *
 * First contact is one datagram each way on a SOCK_SEQPACKET Unix socket (a role socket
 * or the listening one): `struct bh_hello` and the first request; `struct bh_welcome` and
 * its reply, with BH_WELCOME_FDS descriptors. Everything later goes through the channel.
 */
#ifndef BH_CHANNEL_MSG_H
#define BH_CHANNEL_MSG_H

#include <stdint.h>

#define BH_MSG_MAX 3840	     /* bytes of a whole message, header included */
#define BH_FIRST_MAX 1024    /* bytes of a first request or its reply */
#define BH_HELLO_MAGIC 0x42484c31u /* "BHL1" */
#define BH_PROTO_VERSION 1
#define BH_NAME_LEN 16	     /* names of clients, modules, interfaces; NUL included */
#define BH_ZONE_LEN 32

/* Services of the core. */
enum bh_service_id {
	BH_SERVICE_INFOBASE = 1,
	BH_SERVICE_ECHO = 2,	/* answers every BH_V_NOP: measurements and liveness */
	BH_SERVICE_PACKET = 3,	/* punt and injection */
	BH_SERVICE_MAX = 16,
};

enum bh_verb {
	BH_V_NOP = 1,	   /* any body; reply: the same body */
	BH_V_ADD,	   /* key value; adds or replaces. reply aux: generation; body: u32 id
			      in tables that assign ids */
	BH_V_CHANGE,	   /* key value; the record must exist */
	BH_V_DELETE,	   /* key */
	BH_V_GET,	   /* key; reply: one record */
	BH_V_DUMP,	   /* aux: cursor, 0 first; reply aux: next cursor or BH_DUMP_END; body: records */
	BH_V_LOOKUP,	   /* key of a route table, its plen ignored: longest match; reply: one record */
	BH_V_WATCH,	   /* reply, then events: the whole table, SYNCED, then each change */
	BH_V_UNWATCH,	   /* tag: that of the watch */
	BH_V_RECOVER,	   /* as DUMP, for the owner: stale records too */
	BH_V_REPLAY_BEGIN, /* owner: all its records of the table become stale. reply aux: epoch */
	BH_V_REPLAY_END,   /* owner: the table is complete; reply: what was still stale is swept */
	BH_V_EVENT,	   /* core to watcher; body: records, each with its op */
	BH_V_PACKET_BEGIN, /* these three: lib/channel/packet.h */
	BH_V_PUNT,
	BH_V_INJECT,
	BH_V_NEXT,	   /* key of a route table; aux: how many at most, BH_NEXT_*; reply: the records
			      that come after it, in order; reply aux: BH_DUMP_END if no more do, else 0 */
	BH_V_AUDIT,	   /* admins: a table of routes and its FIB compared: infobase/audit.h */
	BH_V_MAX,
};

#define BH_DUMP_END UINT32_MAX

/* aux of BH_V_NEXT: 1 .. BH_NEXT_COUNT records, as many as fit one message; with BH_NEXT_SELF the
 * record of the key itself comes first, if there is one. Routes are ordered by address, byte by
 * byte, then by prefix length, then by vrf. */
#define BH_NEXT_COUNT 0xffffu
#define BH_NEXT_SELF 0x10000u

/* Header of every message; the body follows. 16 bytes. */
struct bh_msg {
	uint16_t len;	 /* bytes, this header included */
	uint8_t verb;	 /* enum bh_verb */
	uint8_t flags;	 /* 0 */
	uint16_t table;	 /* enum bh_table_id or 0 */
	int16_t status;	 /* in replies: 0 or -errno */
	uint32_t tag;	 /* chosen by the requester, returned as it is */
	uint32_t aux;	 /* see the verb */
};

enum bh_op {
	BH_OP_PUT = 1,	/* the record was added or changed */
	BH_OP_DELETE,	/* key only; the value is absent */
	BH_OP_SYNCED,	/* no record: all that the table held when the watch began was sent */
	BH_OP_COMPLETE, /* no record: the owner's end-of-replay was seen since the core started */
	BH_OP_RESYNC,	/* no record: the watcher fell behind; the whole table follows again, then SYNCED */
};

#define BH_REC_STALE 0x1 /* flag: not yet replayed by the owner's present epoch */

/* Header of every record in a reply or event: key and value follow; the next record begins
 * at the next multiple of 4 bytes. 12 bytes. */
struct bh_rec {
	uint16_t len;	/* bytes of header, key and value, without padding */
	uint8_t op;	/* enum bh_op */
	uint8_t flags;	/* BH_REC_* */
	uint32_t gen;	/* generation: grows with each change of the table */
	uint32_t epoch; /* owner's epoch that wrote it last */
};

/* Process to control proxy. The first request (struct bh_msg and body) follows. */
struct bh_hello {
	uint32_t magic;
	uint16_t version;
	uint16_t service;	  /* enum bh_service_id */
	char client[BH_NAME_LEN]; /* how the process calls itself: shown, never trusted */
};

/* Descriptors that come with a welcome, in this order. */
enum bh_welcome_fd {
	BH_FD_CHANNEL,	 /* sealed memfd of the channel: map size bytes, shared, read and write */
	BH_FD_RING_CORE, /* write end: wakes the core */
	BH_FD_WAKE_ME,	 /* read end: the core wakes the process */
	BH_FD_STATS,	 /* sealed memfd of bh.stats: can only be mapped read-only */
	BH_WELCOME_FDS,
};

/* Control proxy to process. The reply to the first request follows. If status != 0 there
 * are no descriptors, no channel and no reply. */
struct bh_welcome {
	uint32_t magic;
	uint16_t version;
	int16_t status;	     /* 0 or -errno: no such service, too many channels ... */
	uint16_t service;
	uint16_t role;	     /* enum bh_role, as proved by the socket */
	uint32_t generation; /* of the service: an address of another generation is dead */
	uint64_t address;    /* of the channel in the core: names the connection, never mapped by it */
	uint32_t channel;    /* number of the channel */
	uint32_t size;	     /* bytes of the memfd */
	uint32_t req_off;    /* bytes to the first request slot */
	uint32_t req_slots;  /* a power of two */
	uint32_t rep_off;
	uint32_t rep_slots;
	uint32_t stats_size;
	char zone[BH_ZONE_LEN]; /* memzone name, bh.<service>.<n> */
};

/* Who a process is; proved by the socket that it came by. */
enum bh_role {
	BH_ROLE_READER,	    /* listening socket: reads */
	BH_ROLE_ADMIN,	    /* listening socket, uid 0 or the core's: reads and admin verbs */
	BH_ROLE_SUPERVISOR, /* role sockets from here on */
	BH_ROLE_CONFIG,
	BH_ROLE_ROUTING,
	BH_ROLE_V6STACK,
	BH_ROLE_SNMP,
	BH_ROLE_USER,	    /* a module of the user's own */
	BH_ROLE_CORE,	    /* the core itself: no socket */
	BH_ROLE_MAX,
};

#endif
