/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bhctl's connection to the core: dumps of tables and the map of bh.stats. A call that fails
 * prints its one line and returns an enum bh_ctl_exit; a core that does not answer in time
 * ends the process the same way.
 */
#ifndef BH_CTL_CORE_H
#define BH_CTL_CORE_H

#include <stdint.h>

#include "app/ctl/recs.h"
#include "lib/client/bulkhead.h"
#include "lib/stats/stats.h"

struct bh_ctl_core {
	const char *socket;
	struct bh_handle *h;
	const struct bh_stats *stats; /* of the core, read-only */
};

/* Makes first contact and maps the statistics. */
int bh_ctl_connect(struct bh_ctl_core *core, const char *socket);
void bh_ctl_disconnect(struct bh_ctl_core *core);

/* Adds all records of a table to recs, which was initialized with its key and value. */
int bh_ctl_dump(struct bh_ctl_core *core, uint16_t table, struct bh_recs *recs);

/* Adds the one record that GET or LOOKUP answers for the key; none if there is none. */
int bh_ctl_one(struct bh_ctl_core *core, uint8_t verb, uint16_t table, const void *key,
	struct bh_recs *recs);

/* One request and its reply: an enum bh_ctl_exit. aux: the request's in, the reply's out. */
int bh_ctl_ask(struct bh_ctl_core *core, uint8_t verb, uint16_t table, uint32_t *aux,
	const void *req, size_t req_len, void *rep, size_t *rep_len);

/* Says why a request about a table failed with -errno, and what exit code that is. */
int bh_ctl_request_failed(struct bh_ctl_core *core, uint16_t table, int rc);

/* Exit code and message of a first contact that failed with -errno; in err one line. group: the
 * socket's, whose members may connect; NULL: none known. Pure. */
int bh_ctl_contact_error(int rc, const char *socket, const char *group, char *err,
	size_t err_len);

#endif
