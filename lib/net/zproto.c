/* SPDX-License-Identifier: BSD-3-Clause */
#include "lib/net/zproto.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#define UNKNOWN_DISTANCE 254

/* What is left out of zebra's list never comes as a route: zebra's number 11 is of routes of other
 * tables and of next-hop groups. Distances as FRR's daemons give them. */
static const struct {
	uint8_t proto;
	uint8_t distance;
	const char *name;
} protos[] = {
	{4, 1, "static"}, /* by others than zebra */
	{11, 254, "zebra"},
	{42, 100, "babel"},
	{186, 20, "bgp"},
	{187, 115, "isis"},
	{188, 110, "ospf"}, /* ospf6 too */
	{189, 120, "rip"},
	{190, 120, "ripng"},
	{191, 10, "nhrp"},
	{192, 90, "eigrp"},
	{193, 150, "ldp"},
	{194, 150, "sharp"},
	{195, 200, "pbr"},
	{196, 1, "zebra-static"},
	{197, 115, "openfabric"},
	{198, 254, "srte"},
};

#define N (sizeof(protos) / sizeof(protos[0]))

const char *
bh_zproto_name(uint8_t proto)
{
	for (size_t i = 0; i < N; i++)
		if (protos[i].proto == proto)
			return protos[i].name;
	return NULL;
}

int
bh_zproto_find(const char *name)
{
	for (size_t i = 0; i < N; i++)
		if (strcmp(protos[i].name, name) == 0)
			return protos[i].proto;
	return -ENOENT;
}

uint8_t
bh_zproto_distance(uint8_t proto)
{
	for (size_t i = 0; i < N; i++)
		if (protos[i].proto == proto)
			return protos[i].distance;
	return UNKNOWN_DISTANCE;
}
