/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Main of the info base and a worker, each with a bell (bell.pml): main gathers requests before it
 * wakes the worker (infobase/infobase.c: wake_workers()), the worker gathers results and news before
 * it tells main (infobase/worker.c: tell_main()). Turns, looks and sleep are those of
 * app/core/service.c and bh_worker_main(). Clients are one process whose own doorbells are taken as
 * right (doorbell.pml), and which may leave off for ever at any moment. Machine and shapes as there.
 * A lost wake-up shows when nothing moves any more: the watchdog's assertion.
 *
 * Mutants: NO_FENCE; NO_RECHECK (sleep without the second look); MAIN_KEEPS (main gathers although
 * nothing more comes); WORKER_KEEPS (so does the worker); NO_NEWS (news without a result rings
 * nobody).
 */
#define MAIN 0
#define WORKER 1
#define PROCS 2
#ifndef SB
#define SB 2
#endif
#ifndef OUT
#define OUT 2	 /* requests under way, at most */
#endif
#define GATHER 2 /* BH_IB_GATHER */
#define RING 2	 /* entries of the request ring; results have room for all */

/* Addresses */
#define ADDRS 5
#define REQ 0	 /* main: requests hung on the table's list */
#define RES 1	 /* worker: results */
#define LOG 2	 /* worker: changes in the log, for watchers */
#define ASLEEP(p) (3 + (p)) /* everybody */
#define COMMIT(a) skip
#define ALIVE(me) true

#include "tso.pml"

#define next(pos) ((pos) == RING -> 0 : (pos) + 1)
#define used(head, tail) ((head) >= (tail) -> (head) - (tail) : (head) + RING + 1 - (tail))

#ifdef NO_FENCE
#define fenced(me) true
#else
#define fenced(me) fence(me)
#endif

bool event[PROCS]; /* the eventfds */
byte inq;	   /* requests in the clients' channels */
byte out;	   /* submitted and not answered; no part of the protocol */
byte news;	   /* changes that main has not seen; no part of the protocol */
byte tail;	   /* requests that the worker took: the ring's own, read by main for room */
hidden byte seen;  /* within an atomic only */

/* bh_bell_ring() */
inline ring(me, p)
{
	atomic { fenced(me); load(me, ASLEEP(p), seen); due = seen };
	if
	:: due ->
		atomic { fence(me); due = mem[ASLEEP(p)]; mem[ASLEEP(p)] = 0 };
		if
		:: due -> atomic { event[p] = true; due = false }
		:: else
		fi
	:: else
	fi
}

/* bh_bell_awake() */
inline awake(me)
{
	atomic { fence(me); mem[ASLEEP(me)] = 0; event[me] = false }
}

/* ---- clients ---- */

proctype clients()
{
	do
	:: atomic {
		out < OUT -> out++; inq++;
		if
		:: mem[ASLEEP(MAIN)] -> mem[ASLEEP(MAIN)] = 0; event[MAIN] = true
		:: else
		fi
	   }
	:: break
	od
}

/* ---- main ---- */

/* poll() of infobase.c; busy: something was done. */
inline own_work()
{
	do
	:: atomic {
		load(MAIN, RES, seen);
		if
		:: seen == pos -> break
		:: else -> pos = next(pos); out--; busy = true
		fi
	   }
	od;
	atomic {
		load(MAIN, LOG, seen);
		if
		:: seen != logpos -> logpos = seen; news = 0; busy = true
		:: else
		fi
	};
	atomic {
		unrung = (unrung + taken > GATHER -> GATHER : unrung + taken);
		more = taken > 0;
#ifdef MAIN_KEEPS
		more = true;
#endif
		taken = 0
	};
	if
	:: more && unrung < GATHER ->
#ifndef MAIN_KEEPS
		busy = true
#endif
	:: else ->
		unrung = 0;
		if
		:: wake -> atomic { wake = false; busy = true }; ring(MAIN, WORKER)
		:: else
		fi
	fi
}

proctype main()
{
	byte head, pos, logpos, taken, unrung;
	bool busy, wake, due, more;

	do
	:: true ->
		atomic { busy = false; more = false };
		own_work();
		do
		:: atomic {
			inq > 0 && used(head, tail) < RING ->
			inq--;
			head = next(head);
			taken++;
			wake = true;
			busy = true;
			store(MAIN, REQ, head)
		   };
		:: inq == 0 || used(head, tail) == RING -> break
		od;
		if
		:: !busy ->
			store(MAIN, ASLEEP(MAIN), 1);
#ifndef NO_RECHECK
			fenced(MAIN);
			own_work();
			busy = busy || inq > 0;
#endif
			if
			:: !busy -> event[MAIN]
			:: else
			fi;
			awake(MAIN)
		:: else
		fi
	od
}

/* ---- the worker ---- */

proctype worker()
{
	byte rpos, head, log, n, unrung;
	bool changed, due, more;

	do
	:: true ->
		atomic { n = 0; changed = false; more = false };
		do
		:: atomic {
			load(WORKER, REQ, seen);
			if
			:: seen == rpos || n == 2 -> break
			:: else -> rpos = next(rpos); tail = rpos; n++; head = next(head)
			fi
		   }
		od;
		if
		:: n > 0 -> store(WORKER, RES, head)
		:: else
		fi;
		if
		:: news == 0 -> /* a request or a sweep changes the table */
			atomic { log = 1 - log; news = 1; changed = true };
			store(WORKER, LOG, log)
		:: true
		fi;
		unrung = (unrung + n > GATHER -> GATHER : unrung + n);
		if
#ifdef NO_NEWS
		:: unrung > 0 ->
#else
		:: changed || unrung > 0 ->
#endif
			atomic { load(WORKER, REQ, seen); more = (seen != rpos) };
			if
#ifdef WORKER_KEEPS
			:: unrung < GATHER
#else
			:: n > 0 && more && unrung < GATHER
#endif
			:: else -> unrung = 0; ring(WORKER, MAIN)
			fi
		:: else
		fi;
		if
		:: n == 0 && !changed ->
			store(WORKER, ASLEEP(WORKER), 1);
#ifndef NO_RECHECK
			atomic { fenced(WORKER); load(WORKER, REQ, seen); more = (seen != rpos) };
#else
			more = false;
#endif
			if
			:: !more -> event[WORKER]
			:: else
			fi;
			awake(WORKER)
		:: else
		fi
	od
}

/* When nothing moves any more nobody waits for anything. */
proctype watchdog()
{
	timeout;
	assert(out == 0 && news == 0)
}

init
{
	atomic {
		run drain(MAIN);
		run drain(WORKER);
		run clients();
		run main();
		run worker();
		run watchdog()
	}
}
