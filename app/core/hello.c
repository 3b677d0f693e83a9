/* SPDX-License-Identifier: BSD-3-Clause */
#include "app/core/hello.h"

#include <errno.h>
#include <stdbool.h>

static bool
printable(const char *name)
{
	unsigned int i;

	for (i = 0; i < BH_NAME_LEN && name[i] != '\0'; i++)
		if (name[i] <= ' ' || name[i] > '~')
			return false;
	return i > 0 && i < BH_NAME_LEN;
}

int
bh_hello_check(const void *data, size_t len)
{
	const struct bh_hello *hello = data;
	const struct bh_msg *msg = (const struct bh_msg *)(hello + 1);

	if (len < sizeof(*hello) || hello->magic != BH_HELLO_MAGIC)
		return -EPROTO;
	if (hello->version != BH_PROTO_VERSION)
		return -EPROTONOSUPPORT;
	if (len > BH_HELLO_LEN_MAX)
		return -EMSGSIZE;
	if (len < sizeof(*hello) + sizeof(*msg) || msg->len != len - sizeof(*hello))
		return -EBADMSG;
	if (!printable(hello->client))
		return -EINVAL;
	if (hello->service == 0 || hello->service >= BH_SERVICE_MAX)
		return -ENOENT;
	return 0;
}
