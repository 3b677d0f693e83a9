/* SPDX-License-Identifier: BSD-3-Clause */
#include "lib/net/sockaddr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

static int
parse_unix(const char *path, struct sockaddr_storage *to, socklen_t *len)
{
	struct sockaddr_un *un = (struct sockaddr_un *)to;

	if (path[0] != '/' || strlen(path) >= sizeof(un->sun_path))
		return -EINVAL;
	un->sun_family = AF_UNIX;
	strcpy(un->sun_path, path);
	*len = sizeof(*un);
	return 0;
}

static int
parse_port(const char *text, in_port_t *port)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (text[0] < '0' || text[0] > '9' || *end != '\0' || n == 0 || n > UINT16_MAX)
		return -EINVAL;
	*port = htons((uint16_t)n);
	return 0;
}

static int
parse_tcp(const char *text, struct sockaddr_storage *to, socklen_t *len)
{
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)to;
	struct sockaddr_in *in = (struct sockaddr_in *)to;
	const char *colon = strrchr(text, ':');
	bool six = text[0] == '[';
	char host[INET6_ADDRSTRLEN] = "";
	size_t n;

	if (colon == NULL || (six && colon[-1] != ']'))
		return -EINVAL;
	n = six ? (size_t)(colon - text) - 2 : (size_t)(colon - text);
	if (n >= sizeof(host))
		return -EINVAL;
	memcpy(host, text + six, n);
	to->ss_family = six ? AF_INET6 : AF_INET;
	*len = six ? sizeof(*in6) : sizeof(*in);
	if (inet_pton(to->ss_family, host, six ? (void *)&in6->sin6_addr : &in->sin_addr) != 1)
		return -EINVAL;
	return parse_port(colon + 1, six ? &in6->sin6_port : &in->sin_port);
}

int
bh_sockaddr_parse(const char *text, struct sockaddr_storage *to, socklen_t *len)
{
	memset(to, 0, sizeof(*to));
	if (strncmp(text, "unix:", 5) == 0)
		return parse_unix(text + 5, to, len);
	if (strncmp(text, "tcp:", 4) == 0)
		return parse_tcp(text + 4, to, len);
	return -EINVAL;
}
