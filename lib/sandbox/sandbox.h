/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The last step of a module's start: from here on it can compute, use the descriptors that it
 * has, take memory, and tell the time; nothing else. What needs more (files, libraries, event
 * loops) is done before; input is read after.
 */
#ifndef BH_SANDBOX_H
#define BH_SANDBOX_H

enum bh_sandbox_profile {
	BH_SANDBOX_ONE_SHOT, /* reads and writes open descriptors, ends */
	BH_SANDBOX_MODULE,   /* also waits, and talks by sockets that it inherited */
	BH_SANDBOX_LISTENER, /* the same, and is connected to by TCP */
	BH_SANDBOX_ALONE,    /* a module without supervisor: also connects to the core by path, and
				opens files to read */
	BH_SANDBOX_AGENT,    /* a module that also connects to a master agent: makes stream sockets,
				local and of the internet, and connects them; makes pipes,
				waits by select() */
	BH_SANDBOX_AGENT_ALONE, /* both */
};

/*
 * Gives up all capabilities and the right to gain any (no_new_privs), to start a process and
 * to be traced by others of the same user; then installs a seccomp filter that admits the
 * system calls of the profile. Any other ends the process with SIGSYS; with BH_SANDBOX=trap in
 * the environment its number is written to stderr first, with BH_SANDBOX=log it is let through
 * and only told to the kernel's log. A build with sanitizers gives up capabilities only.
 *
 * Call once, from the only thread, before any input is read. 0 or -errno, told in the log: the
 * process must end then.
 */
int bh_sandbox_enter(enum bh_sandbox_profile profile);

#endif
