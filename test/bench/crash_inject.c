/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One way to die each. The last two are timed by ptrace: the victim runs until it enters the system
 * call in question, and is let go with its end prepared; nobody traces it any more when it ends, so
 * that its parent sees the end as ever.
 */
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "test/bench/crash_inject.h"

#define WAIT_S 5 /* for the system call: then the victim is let go unharmed */
#define EXIT_STATUS 9

uint64_t
crash_now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + ts.tv_nsec;
}

/* ---- signals ---- */

static int
by_signal(pid_t pid, int sig, uint64_t *when)
{
	*when = crash_now_ns();
	return kill(pid, sig) < 0 ? -errno : 0;
}

static int
do_kill(pid_t pid, uint64_t *when)
{
	return by_signal(pid, SIGKILL, when);
}

static int
do_stop(pid_t pid, uint64_t *when)
{
	return by_signal(pid, SIGSTOP, when);
}

static int
do_segv(pid_t pid, uint64_t *when)
{
	return by_signal(pid, SIGSEGV, when);
}

/* ---- an endless loop ---- */

#define JUMP_TO_ITSELF 0xfeebl /* of x86-64 */

/* The instruction that it is to go on with becomes a jump to itself: at work, or behind the wait for
 * it. */
static int
do_loop(pid_t pid, uint64_t *when)
{
	struct user_regs_struct regs;
	long text;

	if (ptrace(PTRACE_SEIZE, pid, NULL, NULL) < 0 ||
		ptrace(PTRACE_INTERRUPT, pid, NULL, NULL) < 0 || waitpid(pid, NULL, __WALL) != pid ||
		ptrace(PTRACE_GETREGS, pid, NULL, &regs) < 0)
		return -errno;
	errno = 0;
	text = ptrace(PTRACE_PEEKTEXT, pid, (void *)regs.rip, NULL);
	if (errno != 0)
		return -errno;
	text = (text & ~0xffffl) | JUMP_TO_ITSELF;
	if (ptrace(PTRACE_POKETEXT, pid, (void *)regs.rip, (void *)text) < 0)
		return -errno;
	*when = crash_now_ns();
	return ptrace(PTRACE_DETACH, pid, NULL, NULL) < 0 ? -errno : 0;
}

/* ---- system calls ---- */

static bool
allocates(unsigned long long nr)
{
	return nr == SYS_brk || nr == SYS_mmap || nr == SYS_munmap || nr == SYS_mremap;
}

/* The doorbell: requests were put into the channel just before. */
static bool
rings(unsigned long long nr)
{
	return nr == SYS_pwritev2;
}

static void
on_alarm(int sig)
{
	(void)sig;
}

/* A wait status, or -errno: -EINTR when the time is over. */
static int
next_stop(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, __WALL) != pid)
		return -errno;
	if (!WIFSTOPPED(status))
		return -ESRCH;
	return status;
}

/* Signals that come meanwhile are passed on. */
static int
signal_of(int status)
{
	int sig = WSTOPSIG(status);

	return sig == (SIGTRAP | 0x80) || sig == SIGTRAP || status >> 16 != 0 ? 0 : sig;
}

/* Stops the victim where it enters a system call of this kind; registers in regs. */
static int
run_to(pid_t pid, bool (*wanted)(unsigned long long nr), struct user_regs_struct *regs)
{
	const struct sigaction act = {.sa_handler = on_alarm}; /* no SA_RESTART: ends a wait */
	/* Again each second: one that comes between two waits ends neither. */
	const struct itimerval limit = {.it_interval.tv_sec = 1, .it_value.tv_sec = WAIT_S};
	int status;

	if (ptrace(PTRACE_SEIZE, pid, NULL, (void *)PTRACE_O_TRACESYSGOOD) < 0 ||
		ptrace(PTRACE_INTERRUPT, pid, NULL, NULL) < 0)
		return -errno;
	sigaction(SIGALRM, &act, NULL);
	setitimer(ITIMER_REAL, &limit, NULL);
	status = next_stop(pid);
	while (status >= 0) {
		if (ptrace(PTRACE_SYSCALL, pid, NULL, (void *)(long)signal_of(status)) < 0)
			return -errno;
		status = next_stop(pid);
		if (status < 0 || WSTOPSIG(status) != (SIGTRAP | 0x80))
			continue;
		if (ptrace(PTRACE_GETREGS, pid, NULL, regs) < 0)
			return -errno;
		/* On entry the kernel has put -ENOSYS into rax. */
		if ((long long)regs->rax == -ENOSYS && wanted(regs->orig_rax)) {
			setitimer(ITIMER_REAL, &(struct itimerval){0}, NULL);
			return 0;
		}
	}
	return status; /* the end of this process ends the tracing */
}

static int
do_alloc_abort(pid_t pid, uint64_t *when)
{
	struct user_regs_struct regs;
	int rc = run_to(pid, allocates, &regs);

	*when = crash_now_ns();
	if (rc == 0 && ptrace(PTRACE_DETACH, pid, NULL, (void *)(long)SIGABRT) < 0)
		rc = -errno;
	return rc;
}

static int
do_request_exit(pid_t pid, uint64_t *when)
{
	struct user_regs_struct regs;
	int rc = run_to(pid, rings, &regs);

	if (rc < 0)
		return rc;
	regs.orig_rax = SYS_exit_group;
	regs.rdi = EXIT_STATUS;
	if (ptrace(PTRACE_SETREGS, pid, NULL, &regs) < 0)
		return -errno;
	*when = crash_now_ns();
	return ptrace(PTRACE_DETACH, pid, NULL, NULL) < 0 ? -errno : 0;
}

const struct crash_fault crash_faults[] = {
	{"kill", do_kill, false},
	{"stop", do_stop, false},
	{"loop", do_loop, false},
	{"segv", do_segv, false},
	{"alloc-abort", do_alloc_abort, true},
	{"request-exit", do_request_exit, true},
	{0},
};
