/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * First contact: a datagram as a control proxy reads it, then the request in it as the info base
 * checks it. The first two bytes of the input are the length that the sender claims beyond
 * what fits.
 */
#include <errno.h>

#include "app/core/hello.h"
#include "infobase/request.h"
#include "test/fuzz/fuzz.h"

/* Whatever was taken can be used without a further look. */
static void
check_taken(const uint8_t *data, size_t len)
{
	struct bh_hello hello;
	struct bh_msg msg;
	size_t name;

	FUZZ_CHECK(len >= sizeof(hello) + sizeof(msg) && len <= BH_HELLO_LEN_MAX);
	memcpy(&hello, data, sizeof(hello));
	memcpy(&msg, data + sizeof(hello), sizeof(msg));
	name = strnlen(hello.client, sizeof(hello.client));
	FUZZ_CHECK(name > 0 && name < sizeof(hello.client));
	for (size_t i = 0; i < name; i++)
		FUZZ_CHECK(hello.client[i] > ' ' && hello.client[i] < 0x7f);
	FUZZ_CHECK(hello.service > 0 && hello.service < BH_SERVICE_MAX);
	FUZZ_CHECK(msg.len == len - sizeof(hello) && msg.len <= BH_FIRST_MAX);
}

/* What a client may ask of the info base: neither what the core sends nor the packet service's. */
static bool
is_request(uint8_t verb)
{
	return (verb != 0 && verb < BH_V_EVENT) || verb == BH_V_NEXT || verb == BH_V_AUDIT;
}

/* The request as each role could ask it; the body ends where the heap block does. */
static void
check_request(const uint8_t *data, size_t len)
{
	const struct bh_msg *msg = (const struct bh_msg *)(data + sizeof(struct bh_hello));
	uint8_t *body = malloc(len);

	FUZZ_CHECK(body != NULL);
	len -= sizeof(struct bh_hello) + sizeof(*msg);
	body = realloc(body, len > 0 ? len : 1);
	memcpy(body, msg + 1, len);
	for (uint16_t role = 0; role < BH_ROLE_MAX; role++) {
		int rc = bh_ib_check_request(role, false, msg, body);

		FUZZ_CHECK(rc <= 0);
		FUZZ_CHECK(rc != 0 || (is_request(msg->verb) && msg->flags == 0));
	}
	free(body);
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_in in = {data, size};
	uint16_t beyond = fuzz_u16(&in);
	size_t have = in.left < BH_HELLO_LEN_MAX ? in.left : BH_HELLO_LEN_MAX;
	size_t len = have == BH_HELLO_LEN_MAX ? have + beyond : have;
	uint8_t *copy = malloc(have > 0 ? have : 1);
	int rc;

	FUZZ_CHECK(copy != NULL);
	memcpy(copy, in.p, have);
	rc = bh_hello_check(copy, len);
	FUZZ_CHECK(rc == 0 || rc == -EPROTO || rc == -EPROTONOSUPPORT || rc == -EMSGSIZE ||
		rc == -EBADMSG || rc == -EINVAL || rc == -ENOENT);
	if (rc == 0) {
		check_taken(copy, len);
		check_request(copy, len);
	}
	free(copy);
	return 0;
}
