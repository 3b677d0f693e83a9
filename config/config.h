/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bulkhead-config: from a YANG instance file to the records of the cfg_* tables and the
 * boot record.
 *
 * The way of a file: yang.c parses and validates it by libyang; map_if.c, map_ra.c,
 * map_fpm.c, map_route.c and map_snmp.c turn the tree into a model of fixed structs and records; check.c refuses what YANG cannot
 * express; bootrec.c makes the boot record; apply.c replays the records to the core.
 * Everything runs in one thread of one unprivileged process, which reads the YANG modules, enters
 * its sandbox, and only then looks at the file; the supervisor opens that for it. Messages for people go through
 * struct bh_diag and name the file and the path of the node that they are about.
 */
#ifndef BH_CONFIG_H
#define BH_CONFIG_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "infobase/schema.h"
#include "lib/boot/boot.h"
#include "lib/net/prefix.h"

struct ly_ctx;
struct lyd_node;

enum bh_config_exit {
	BH_EXIT_OK = 0,
	BH_EXIT_INTERNAL = 1,
	BH_EXIT_INVALID = 2,	/* the file */
	BH_EXIT_UNREADABLE = 3, /* the file */
	BH_EXIT_NO_YANG = 4,	/* modules are missing */
};

/* ---- messages (diag.c) ---- */

#define BH_DIAG_SHOWN 20 /* errors of one file that are written; the rest is counted */

struct bh_diag {
	FILE *out;
	const char *file; /* what the messages are about */
	unsigned int n;	  /* errors so far */
};

/* One error: `bulkhead-config: FILE: message (path: PATH)`. node (may be NULL): its path. */
void bh_diag(struct bh_diag *d, const struct lyd_node *node, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* The errors that libyang has stored in ctx, in the same form; clears them. */
void bh_diag_libyang(struct bh_diag *d, const struct ly_ctx *ctx);

/* Says how many errors were not shown. */
void bh_diag_end(const struct bh_diag *d);

/* ---- YANG (yang.c) ---- */

#define BH_YANG_DIRS 16

/* A context with the modules of the IETF and ours. dirs: searched before the default ones.
 * 0; -ENOENT: a module is missing or older than NMDA (told in d); -ENOMEM. */
int bh_yang_open(const char *const *dirs, unsigned int n, struct bh_diag *d, struct ly_ctx **ctx);

/* Reads, parses and validates a file. fd: the open file, closed here; -1: it is opened by its
 * name. 0 and the tree; -EINVAL: invalid; other -errno: not readable. Errors are told in d. The
 * tree is freed by lyd_free_all(). digest (may be NULL): of the text that was parsed. */
int bh_yang_load(struct ly_ctx *ctx, const char *file, int fd, struct bh_diag *d,
	struct lyd_node **tree, uint64_t *digest);

/* The same of a text of len bytes with a NUL behind them; file: its name, of which the ending
 * tells the format. */
int bh_yang_parse(struct ly_ctx *ctx, const char *file, const char *text, size_t len,
	struct bh_diag *d, struct lyd_node **tree);

/* The child of that name, among the children of parent (NULL: none). Defaults are there. */
const struct lyd_node *bh_yang_child(const struct lyd_node *parent, const char *name);

/* The top-level node, `module:name`, or NULL. */
const struct lyd_node *bh_yang_top(const struct lyd_node *tree, const char *module,
	const char *name);

/* Canonical value of a child leaf; NULL, 0 or false if it is absent. */
const char *bh_yang_string(const struct lyd_node *parent, const char *name);
uint32_t bh_yang_number(const struct lyd_node *parent, const char *name);
bool bh_yang_bool(const struct lyd_node *parent, const char *name);

/* ---- digests (digest.c) ---- */

struct bh_digest {
	uint64_t v[4], len;
	unsigned int n_tail;
	uint8_t tail[8];
};

void bh_digest_begin(struct bh_digest *d);
void bh_digest_add(struct bh_digest *d, const void *data, size_t len);
uint64_t bh_digest_end(struct bh_digest *d);

/* Of a regular file, which is afterwards at its beginning again. 0; -ENOTSUP: it is no such file;
 * -errno. */
int bh_digest_file(int fd, uint64_t *digest);

/* ---- records (records.c) ---- */

/* Records one behind the other, in the order in which they are sent. */
struct bh_records {
	uint8_t *data;
	size_t len, size;
	unsigned int n;
	bool no_memory; /* a record was lost: the whole is worthless */
};

struct bh_record {
	uint16_t table, key_len, val_len;
	const void *key, *val;
};

void bh_records_add(struct bh_records *r, uint16_t table, const void *key, size_t key_len,
	const void *val, size_t val_len);
/* Record at *off (0 first), which is moved to the next; false behind the last one. */
bool bh_records_next(const struct bh_records *r, size_t *off, struct bh_record *rec);
void bh_records_free(struct bh_records *r);

/* Writes records as JSON, one a line (tables.c). */
void bh_records_print(const struct bh_records *r, FILE *out);

/* ---- the model (map_if.c, map_ra.c, map_fpm.c, map_route.c, map_snmp.c, check.c) ---- */

struct bh_model_if {
	const struct lyd_node *node; /* /ietf-interfaces:interfaces/interface */
	char name[BH_NAME_LEN];	     /* cut if it is longer, which is an error */
	struct bh_cfg_interface cfg;
};

/* An address or static neighbor of interface ifs[i]. */
struct bh_model_host {
	const struct lyd_node *node;
	unsigned int i;
	struct bh_prefix p; /* host bits set; a neighbor's length is the family's */
	uint8_t mac[6];	    /* of a neighbor */
};

struct bh_model_hosts {
	struct bh_model_host *host;
	unsigned int n, size;
};

struct bh_model {
	unsigned int n_ifs;
	struct bh_model_if ifs[BH_IF_MAX];
	struct bh_model_hosts addresses;
	struct bh_model_hosts neighbors;
	struct bh_records records;
	uint64_t digest; /* of the file */
};

/* The whole way from a valid tree. 0; -EINVAL: errors are told in d; -ENOMEM. The model
 * points into the tree; its records do not. */
int bh_model_make(struct bh_model *m, const struct lyd_node *tree, struct bh_diag *d);
void bh_model_free(struct bh_model *m);

/* Its steps, in this order. Errors are told in d. */
void bh_map_interfaces(struct bh_model *m, const struct lyd_node *tree, struct bh_diag *d);
void bh_check_interfaces(struct bh_model *m, struct bh_diag *d);
void bh_emit_interfaces(struct bh_model *m);
void bh_map_ra(struct bh_model *m, struct bh_diag *d);
void bh_map_fpm(struct bh_model *m, const struct lyd_node *tree, struct bh_diag *d);
void bh_map_routes(struct bh_model *m, const struct lyd_node *tree, struct bh_diag *d);
void bh_map_snmp(struct bh_model *m, const struct lyd_node *tree, struct bh_diag *d);

/* Appends to hosts; NULL without memory. */
struct bh_model_host *bh_model_host_add(struct bh_model_hosts *hosts);

/* Whether that is an address of the router. After bh_check_interfaces(), which sorts. */
bool bh_model_is_own(const struct bh_model *m, uint8_t family, const uint8_t *addr);

/* Why an address cannot be that of one host on a link ("is multicast"), or NULL. */
const char *bh_host_fault(uint8_t family, const uint8_t *addr);

/* Whether two devices are the same hardware or virtual device (device.c). */
bool bh_device_same(const char *a, const char *b);
/* Whether it is a virtual device over an interface of the kernel, which needs capabilities. */
bool bh_device_is_kernel(const char *device);

/* ---- the whole (load.c) and the boot record (bootrec.c) ---- */

struct bh_config_args {
	const char *file;	  /* the YANG instance file */
	int fd;			  /* it, open for the first load; -1: by its name */
	struct ly_ctx *ctx;	  /* of bh_config_open() */
	const char *const *dirs;  /* more folders of YANG modules */
	unsigned int n_dirs;
	const uint32_t *cpus;	  /* that may be used, ascending */
	unsigned int n_cpus;
	bool check_cpus;	  /* refuse a plan with others */
};

/* Fills *boot. 0, or -EINVAL and errors in d. */
int bh_bootrec_make(struct bh_boot *boot, const struct lyd_node *tree, const struct bh_model *m,
	const struct bh_config_args *args, struct bh_diag *d);

/* ---- towards the core (apply.c; client.c, run.c) ---- */

/* Where records come from. */
struct bh_source {
	uint64_t digest;  /* of the file; 0: not known */
	uint64_t fixed;	  /* of what of its boot record a reload cannot change */
	uint64_t records; /* how many */
};

/* The tables of the configuration, what others rest on first. */
#define BH_CONFIG_TABLES 9
extern const uint16_t bh_config_tables[BH_CONFIG_TABLES];

/* What replay and recovery need of the core. add() may be pipelined, wait() waits for all of them
 * and returns how many the core refused. Others return 0 or -errno; -ECONNRESET: start again. */
struct bh_core_ops {
	int (*begin)(void *core, uint16_t table);
	int (*add)(void *core, const struct bh_record *rec);
	int (*wait)(void *core);
	int (*end)(void *core, uint16_t table);
	int (*del)(void *core, uint16_t table, const void *key);
	/* The record of `cfg_source`; -ENOENT: none, or not all tables are complete. */
	int (*source)(void *core, struct bh_source *s);
	/* Appends all records of a table. */
	int (*recover)(void *core, uint16_t table, struct bh_records *r);
};

/* Replays all cfg_* tables. same: the tables are known to hold just these records. 0 or -errno; a
 * record that the core refuses does not end it. */
int bh_apply(const struct bh_records *r, const struct bh_source *source, bool same,
	const struct bh_core_ops *ops, void *core);

/* Fills r (zeroed before) from the tables, if they hold the records of a file with source->digest
 * (0: of any), and *source with what is known of it. -ENOENT: the tables do not hold one file's
 * records; -ESTALE: another's; -errno. r is empty then. */
int bh_recover(const struct bh_core_ops *ops, void *core, struct bh_source *source,
	struct bh_records *r);

/* The core through libbulkhead. NULL and errno. */
struct bh_client;
struct bh_client *bh_client_open(void);
void bh_client_close(struct bh_client *c);
extern const struct bh_core_ops bh_client_ops; /* core: struct bh_client */

/* The core was restarted: fd, kept, is our role socket to the new one. -EINVAL: we have no role. */
int bh_client_reopen(struct bh_client *c, int fd);
/* It has a role socket, and so a supervisor that will say when there is another core. */
bool bh_client_has_role(const struct bh_client *c);

/* Waits with this signal mask for an event of the core (0), for fd (may be -1) to be readable (1),
 * a signal (-EINTR) or the loss of the core (-ECONNRESET). */
int bh_client_wait(struct bh_client *c, const sigset_t *mask, int fd);

/* Makes args->ctx: reads all YANG modules. Afterwards no file but the configuration is opened.
 * Errors are told on stderr. Returns an exit code. */
int bh_config_open(struct bh_config_args *args);
void bh_config_close(struct bh_config_args *args);

/* Parses and maps args->file (fd: as in bh_yang_load()) into m (zeroed before), of which only the
 * records are valid afterwards, and boot. Errors are told on stderr. Returns an exit code. */
int bh_config_load(const struct bh_config_args *args, int fd, struct bh_model *m,
	struct bh_boot *boot);

/* The module: `--run`. Takes args->fd. Returns an exit code. */
int bh_run(const struct bh_config_args *args);

#endif
