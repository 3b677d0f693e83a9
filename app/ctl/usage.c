/* SPDX-License-Identifier: BSD-3-Clause */
#include "app/ctl/args.h"

void
bh_ctl_list_subjects(FILE *out)
{
	fputs("bhctl show addresses            addresses of interfaces\n"
	      "bhctl show connections          clients of the core's services and their channels\n"
	      "bhctl show counters [drops]     packets forwarded and dropped, by reason\n"
	      "bhctl show counters ip          packets by IP version, as RFC 4293 counts them\n"
	      "bhctl show counters NAME        counters of an interface, or one reason of drops\n"
	      "bhctl show fpm                  the connection of FRR's zebra, its routes and refusals\n"
	      "bhctl show interfaces [NAME]    interfaces, or all of one\n"
	      "bhctl show lcores               roles, CPUs and work of the core's threads\n"
	      "bhctl show memory               what clients take: channels, sockets, memory\n"
	      "bhctl show neighbors            neighbors, static and learned\n"
	      "bhctl show nexthops             next hops that routes refer to\n"
	      "bhctl show processes            processes that bulkhead keeps alive\n"
	      "bhctl show routes [ipv4|ipv6] [PREFIX [longer]]\n"
	      "                                all routes, one, or all inside a prefix\n"
	      "bhctl show routes lookup ADDRESS\n"
	      "                                the route that packets to ADDRESS take\n"
	      "bhctl show sockets [tcp|udp]    sockets of this machine, local and over the router\n"
	      "bhctl show tables               tables of the info base and their workers\n"
	      "bhctl show version              versions of bhctl and of the running core\n",
		out);
}

void
bh_ctl_usage(FILE *out)
{
	fputs("usage: bhctl [-j] [-w SECONDS] [-r DIR | -s SOCKET] show WHAT [ARGUMENT]...\n"
	      "       bhctl [-j] [-r DIR | -s SOCKET] module ORDER NAME [--binary PATH]\n"
	      "       bhctl [-j] [-r DIR | -s SOCKET] reconcile [--check]\n"
	      "\n"
	      "Shows the state of a running bulkhead, and orders its modules. Words may be cut as\n"
	      "long as they are clear:\n"
	      "`bhctl sh int`.\n"
	      "\n"
	      "  -j, --json           JSON, with exact numbers\n"
	      "  -w, --repeat SECONDS show again every so many seconds\n"
	      "  -r, --run-dir DIR    where the core is (default: $BULKHEAD_RUNDIR, /run/bulkhead)\n"
	      "  -s, --socket SOCKET  its socket (default: core.sock in the run directory)\n"
	      "  -h, --help           this text\n"
	      "  -V, --version        the version of bhctl\n"
	      "\n",
		out);
	bh_ctl_list_subjects(out);
	fputs("\n"
	      "bhctl module restart NAME       end a module and start it again\n"
	      "bhctl module stop NAME          end it; others go on, and so does forwarding\n"
	      "bhctl module start NAME         start one that is stopped or held\n"
	      "bhctl module upgrade NAME [--binary PATH]\n"
	      "                                start the new program beside the old one, which leaves\n"
	      "                                when the new one has recovered\n"
	      "bhctl module replay NAME        have it say all of its tables anew\n"
	      "bhctl module renew NAME         have it learn anew what others tell it\n"
	      "bhctl reconcile [--check]       compare what zebra sent, the tables and the FIB, and\n"
	      "                                repair what differs; --check: only name it\n",
		out);
	fputs("\nExit status: 0 done; 1 not there or refused, or something differed; 3 no core answers;\n"
	      "4 permission denied; 64 wrong usage.\n",
		out);
}
