/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Bells inside the core (app/core/bell.c): one sleeper, two ringers, each with a ring of its own
 * to the sleeper. Unlike a doorbell it has one reason, an eventfd, and ringers that compete: who
 * takes the announcement away (a locked exchange, which empties the store buffer) writes.
 * Shapes and properties are those of doorbell.pml. Mutants: NO_FENCE, NO_FENCE_SLEEP,
 * NO_FENCE_FLUSH, NO_RECHECK.
 */
#define SLEEPER 2 /* ringers are 0 and 1 */
#define PROCS 3
#ifndef SB
#define SB 2
#endif
#define RING 1 /* entries */

/* Addresses: heads are the ringers', tails the sleeper's, asleep is everybody's. */
#define ADDRS 5
#define HEAD(r) (r)
#define TAIL(r) (2 + (r))
#define ASLEEP 4
#define COMMIT(a) skip
#define ALIVE(me) true

#include "tso.pml"

#define next(pos) ((pos) == RING -> 0 : (pos) + 1)
#define used(head, tail) ((head) >= (tail) -> (head) - (tail) : (head) + RING + 1 - (tail))

#if defined(NO_FENCE) || defined(NO_FENCE_SLEEP)
#define fence_sleep(me) true
#else
#define fence_sleep(me) fence(me)
#endif
#if defined(NO_FENCE) || defined(NO_FENCE_FLUSH)
#define fence_flush(me) true
#else
#define fence_flush(me) fence(me)
#endif

bool event;	  /* the eventfd is not 0 */
byte out[2];	  /* work given by ringer and not taken; no part of the protocol */
hidden byte seen; /* within an atomic only */

/* Work that was given is taken, of each ringer. */
ltl served { [] ((out[0] > 0 -> <> (out[0] == 0)) && (out[1] > 0 -> <> (out[1] == 0))) }

proctype ringer(byte me)
{
	byte head, tail;
	bool due;

	do
	:: d_step { /* a full ring is tried again, later */
		used(head, tail) == RING && mem[TAIL(me)] != tail ->
		tail = mem[TAIL(me)]
	   }
	:: used(head, tail) < RING ->
		atomic { head = next(head); out[me]++; store(me, HEAD(me), head) };
		atomic { fence_flush(me); load(me, ASLEEP, seen); due = seen };
		if
		:: due ->
			atomic { fence(me); due = mem[ASLEEP]; mem[ASLEEP] = 0 };
			if
			:: due -> atomic { event = true; due = false }
			:: else
			fi
		:: else
		fi
	od
}

/* bh_bell_awake(); what it empties was rung before. */
inline awake()
{
	store(SLEEPER, ASLEEP, 0);
	event = false
}

inline take(r, pos)
{
	atomic {
		load(SLEEPER, HEAD(r), seen);
		if
		:: seen != pos ->
			pos = next(pos);
			out[r]--;
			found = true;
			store(SLEEPER, TAIL(r), pos)
		:: else
		fi
	}
}

inline look(r, pos)
{
	atomic { load(SLEEPER, HEAD(r), seen); found = found || seen != pos }
}

proctype sleeper()
{
	byte pos0, pos1;
	bool found;

	do
	:: true ->
		found = false;
		take(0, pos0);
		take(1, pos1);
		if
		:: found /* busy: no sleep; or sleep at once, as some loops do */
		:: true ->
			store(SLEEPER, ASLEEP, 1);
			found = false;
#ifndef NO_RECHECK
			fence_sleep(SLEEPER);
			look(0, pos0);
			look(1, pos1);
#endif
			if
			:: !found ->
				if
				:: true -> event
				:: true /* a time-out, another descriptor */
				fi
			:: else
			fi;
			awake()
		fi
	od
}

/* When nothing moves any more all work is done. */
proctype watchdog()
{
	timeout;
	assert(out[0] == 0 && out[1] == 0)
}

init
{
	atomic {
		run drain(0);
		run drain(1);
		run drain(SLEEPER);
		run ringer(0);
		run ringer(1);
		run sleeper();
		run watchdog()
	}
}
