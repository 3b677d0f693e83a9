/* SPDX-License-Identifier: BSD-3-Clause */
/* What the writer of the published tables keeps to itself: made and freed with them. */
#ifndef BH_FORWARDING_PUBLISH_PRIV_H
#define BH_FORWARDING_PUBLISH_PRIV_H

#include "app/forwarding/tables.h"

/* Grace token of the last flip of each entry; 0, never flipped, is always over. */
struct bh_fwd_publish {
	uint32_t busy; /* a writer is at work; debug builds only */
	uint64_t if_token[BH_IF_MAX];
	uint64_t nh_token[BH_NH_MAX];
	uint64_t adj_token[BH_ADJ_MAX];
};

#endif
