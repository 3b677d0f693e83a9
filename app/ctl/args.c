/* SPDX-License-Identifier: BSD-3-Clause */
#include "app/ctl/args.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define REPEAT_MAX 86400

struct parse {
	struct bh_ctl_args *args;
	char **word; /* what follows the subject; NULL at the end */
	const char *rundir, *socket;
	char *err;
	size_t err_len;
};

static const char *const subjects[BH_SHOW_MAX] = {
	[BH_SHOW_ADDRESSES] = "addresses",
	[BH_SHOW_CONNECTIONS] = "connections",
	[BH_SHOW_COUNTERS] = "counters",
	[BH_SHOW_FPM] = "fpm",
	[BH_SHOW_INTERFACES] = "interfaces",
	[BH_SHOW_LCORES] = "lcores",
	[BH_SHOW_MEMORY] = "memory",
	[BH_SHOW_NEIGHBORS] = "neighbors",
	[BH_SHOW_NEXTHOPS] = "nexthops",
	[BH_SHOW_PROCESSES] = "processes",
	[BH_SHOW_ROUTES] = "routes",
	[BH_SHOW_SOCKETS] = "sockets",
	[BH_SHOW_TABLES] = "tables",
	[BH_SHOW_VERSION] = "version",
};

int
bh_ctl_word(const char *word, const char *const *names, unsigned int n)
{
	size_t len = strlen(word);
	int found = -ENOENT;

	for (unsigned int i = 0; i < n && len > 0; i++) {
		if (strncmp(word, names[i], len) != 0)
			continue;
		if (names[i][len] == '\0')
			return i;
		found = found == -ENOENT ? (int)i : -EEXIST;
	}
	return found;
}

static int
wrong(struct parse *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static int
wrong(struct parse *p, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(p->err, p->err_len, fmt, ap);
	va_end(ap);
	return -EINVAL;
}

/* Index of the word, or -EINVAL and what it could have been. */
static int
choose(struct parse *p, const char *what, const char *word, const char *const *names,
	unsigned int n)
{
	int rc = bh_ctl_word(word, names, n);
	const char *sep = rc == -ENOENT ? ": one of " : " could be ";
	size_t at;

	if (rc >= 0)
		return rc;
	at = snprintf(p->err, p->err_len, rc == -ENOENT ? "unknown %s '%s'" : "%s '%s'", what, word);
	for (unsigned int i = 0; i < n && at < p->err_len; i++) {
		if (rc == -EEXIST && strncmp(word, names[i], strlen(word)) != 0)
			continue;
		at += snprintf(p->err + at, p->err_len - at, "%s%s", sep, names[i]);
		sep = ", ";
	}
	return -EINVAL;
}

static int
take_lookup(struct parse *p)
{
	struct bh_ctl_args *args = p->args;
	const char *word = *p->word;
	int family;

	if (word == NULL)
		return wrong(p, "routes lookup: which ADDRESS?");
	family = bh_addr_parse(word, args->prefix.addr);
	if (family < 0)
		return wrong(p, "'%s' is no IPv4 or IPv6 address", word);
	if (args->family != 0 && args->family != family)
		return wrong(p, "'%s' is not of the family asked for", word);
	args->prefix.family = family;
	args->prefix.plen = bh_addr_bits(family);
	args->lookup = true;
	p->word++;
	return 0;
}

static int
take_prefix(struct parse *p)
{
	struct bh_ctl_args *args = p->args;
	const char *word = *p->word++;
	struct bh_prefix masked;
	char text[BH_PREFIX_STRLEN];

	if (bh_prefix_parse(word, &args->prefix) < 0)
		return wrong(p, "'%s' is no prefix, and no other word that may stand here", word);
	if (args->family != 0 && args->family != args->prefix.family)
		return wrong(p, "'%s' is not of the family asked for", word);
	masked = args->prefix;
	bh_prefix_mask(&masked);
	if (bh_prefix_cmp(&masked, &args->prefix) != 0)
		return wrong(p, "'%s' has host bits: %s is meant?", word,
			bh_prefix_format(&masked, text, sizeof(text)));
	args->have_prefix = true;
	return 0;
}

static int
take_routes(struct parse *p)
{
	static const char *const words[] = {"ipv4", "ipv6", "longer", "lookup"};
	struct bh_ctl_args *args = p->args;
	int rc = 0;

	while (rc == 0 && *p->word != NULL) {
		int w = bh_ctl_word(*p->word, words, 4);

		if (w == -EEXIST)
			return choose(p, "word", *p->word, words, 4);
		if (w < 0 && (args->have_prefix || args->lookup))
			break;
		if (w < 0) {
			rc = take_prefix(p);
			continue;
		}
		p->word++;
		if (w <= 1 && args->family == 0 && !args->have_prefix)
			args->family = w == 0 ? BH_IP4 : BH_IP6;
		else if (w == 2 && args->have_prefix)
			args->longer = true;
		else if (w == 3 && !args->have_prefix)
			rc = take_lookup(p);
		else
			rc = wrong(p, "'%s' cannot stand here", words[w]);
	}
	return rc;
}

static int
take_protocol(struct parse *p)
{
	static const char *const words[] = {"tcp", "udp"};
	int rc;

	if (*p->word == NULL)
		return 0;
	rc = choose(p, "protocol", *p->word++, words, 2);
	if (rc < 0)
		return rc;
	p->args->name = words[rc];
	return 0;
}

/* What may follow the subject. */
static int
take_rest(struct parse *p)
{
	struct bh_ctl_args *args = p->args;
	int rc = 0;

	if (args->subject == BH_SHOW_ROUTES)
		rc = take_routes(p);
	else if (args->subject == BH_SHOW_SOCKETS)
		rc = take_protocol(p);
	else if ((args->subject == BH_SHOW_INTERFACES || args->subject == BH_SHOW_COUNTERS) &&
		*p->word != NULL)
		args->name = *p->word++;
	if (rc == 0 && *p->word != NULL)
		return wrong(p, "show %s: '%s' is too much", subjects[args->subject], *p->word);
	return rc;
}

static int
take_order(struct parse *p)
{
	static const char *const orders[] = {"restart", "stop", "start", "upgrade", "replay", "renew"};
	struct bh_ctl_args *args = p->args;
	int rc;

	args->action = BH_CTL_MODULE;
	if (*p->word == NULL)
		return wrong(p, "module: restart, stop, start, upgrade, replay or renew?");
	rc = choose(p, "order", *p->word++, orders, sizeof(orders) / sizeof(orders[0]));
	if (rc < 0)
		return rc;
	args->order = orders[rc];
	if (*p->word == NULL)
		return wrong(p, "module %s: which NAME?", args->order);
	args->name = *p->word++;
	if (*p->word != NULL)
		return wrong(p, "module %s: '%s' is too much", args->order, *p->word);
	if (args->binary == NULL)
		return 0;
	if (strcmp(args->order, "upgrade") != 0)
		return wrong(p, "module %s: --binary is for upgrade", args->order);
	return args->binary[0] == '/' ? 0 : wrong(p, "'%s' is no absolute path", args->binary);
}

static int
take_reconcile(struct parse *p)
{
	p->args->action = BH_CTL_RECONCILE;
	if (p->args->binary != NULL)
		return wrong(p, "reconcile: --binary is for 'module upgrade'");
	if (p->args->repeat != 0)
		return wrong(p, "reconcile: --repeat is for 'show'");
	return *p->word == NULL ? 0 : wrong(p, "reconcile: '%s' is too much", *p->word);
}

static int
take_command(struct parse *p)
{
	static const char *const verbs[] = {"show", "help", "module", "reconcile"};
	int rc;

	if (*p->word == NULL)
		return wrong(p, "nothing to do");
	rc = choose(p, "command", *p->word++, verbs, 4);
	if (rc < 0)
		return rc;
	if (p->args->check && rc != 3)
		return wrong(p, "--check is for 'reconcile'");
	if (rc == 1) {
		p->args->action = BH_CTL_HELP;
		return 0;
	}
	if (rc == 3)
		return take_reconcile(p);
	if (rc == 2)
		return take_order(p);
	if (p->args->binary != NULL)
		return wrong(p, "show: --binary is for 'module upgrade'");
	p->args->action = *p->word == NULL ? BH_CTL_LIST : BH_CTL_SHOW;
	if (p->args->action == BH_CTL_LIST)
		return 0;
	rc = choose(p, "subject", *p->word++, subjects, BH_SHOW_MAX);
	if (rc < 0)
		return rc;
	p->args->subject = rc;
	return take_rest(p);
}

static int
take_repeat(struct parse *p)
{
	char *end;
	unsigned long n = strtoul(optarg, &end, 10);

	if (*optarg < '0' || *optarg > '9' || *end != '\0' || n < 1 || n > REPEAT_MAX)
		return wrong(p, "'%s' is no number of seconds", optarg);
	p->args->repeat = n;
	return 0;
}

static int
unknown_option(struct parse *p, char **argv)
{
	if (optopt != 0)
		return wrong(p, "unknown option -%c", optopt);
	return wrong(p, "unknown option %s", argv[optind - 1]);
}

static int
take_options(struct parse *p, int argc, char **argv)
{
	static const struct option options[] = {
		{"json", no_argument, NULL, 'j'},	  {"repeat", required_argument, NULL, 'w'},
		{"run-dir", required_argument, NULL, 'r'}, {"socket", required_argument, NULL, 's'},
		{"binary", required_argument, NULL, 'b'}, {"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, 'V'}, {"check", no_argument, NULL, 'c'},
		{0},
	};
	bool done = false;
	int c, rc = 0;

	optind = 0; /* begin anew, whatever was parsed before */
	opterr = 0;
	while (rc == 0 && !done && (c = getopt_long(argc, argv, ":jw:r:s:hV", options, NULL)) != -1) {
		if (c == 'j')
			p->args->json = true;
		else if (c == 'w')
			rc = take_repeat(p);
		else if (c == 'r')
			p->rundir = optarg;
		else if (c == 's')
			p->socket = optarg;
		else if (c == 'c')
			p->args->check = true;
		else if (c == 'b')
			p->args->binary = optarg;
		else if (c == ':')
			rc = wrong(p, "%s: a value is missing", argv[optind - 1]);
		else if (c == '?')
			rc = unknown_option(p, argv);
		else
			done = true;
		if (done)
			p->args->action = c == 'h' ? BH_CTL_HELP : BH_CTL_VERSION;
	}
	return rc < 0 ? rc : done;
}

/* The supervisor's socket lies beside the core's. Its length. */
static int
beside(const char *socket, char *control, size_t len)
{
	const char *slash = strrchr(socket, '/');

	return snprintf(control, len, "%.*ssupervisor.sock",
		slash != NULL ? (int)(slash + 1 - socket) : 0, socket);
}

int
bh_ctl_args_parse(struct bh_ctl_args *args, int argc, char **argv, char *err, size_t err_len)
{
	struct parse p = {.args = args, .err = err, .err_len = err_len};
	int rc, n;

	memset(args, 0, sizeof(*args));
	p.rundir = getenv("BULKHEAD_RUNDIR");
	rc = take_options(&p, argc, argv);
	if (rc != 0)
		return rc < 0 ? rc : 0;
	p.word = argv + optind;
	rc = take_command(&p);
	if (rc < 0)
		return rc;
	if (p.rundir == NULL || p.rundir[0] == '\0')
		p.rundir = "/run/bulkhead";
	if (p.socket != NULL)
		n = snprintf(args->socket, sizeof(args->socket), "%s", p.socket);
	else
		n = snprintf(args->socket, sizeof(args->socket), "%s/core.sock", p.rundir);
	if (n < (int)sizeof(args->socket))
		n = beside(args->socket, args->control, sizeof(args->control));
	if (n >= (int)sizeof(args->socket))
		return wrong(&p, "the socket's path is longer than %d characters",
			BH_CTL_SOCKET_LEN - 1);
	return 0;
}
