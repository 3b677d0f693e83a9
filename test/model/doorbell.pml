/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The doorbells of a channel: a client (lib/client/client.c) and the lcore of a service
 * (app/core/service_peer.c) over two bounded queues (lib/channel/queue.h), two sleep words and two
 * pipes (lib/channel/doorbell.h), on a machine with store buffers (tso.pml).
 *
 * Shapes: an atomic holds one access of shared memory or one system call, with what follows it
 * locally up to the next; a fence is in front of the load that it is for, a store behind the
 * access before it (it becomes visible later anyhow). System calls are no fences here, which is
 * less than what hardware gives. The sequence words of a queue's slots become visible in order,
 * so they are modelled as one position (REQ_HEAD, REP_HEAD); all messages take one slot.
 *
 * Variants, by -D: REQ, REP (slots), PIPE (bytes), SB; LOOP: the client has an event loop or
 * time-outs; LATER: answers may come later; DEATH: either side is killed or closes the channel at
 * any moment. Mutants, in which spin must find an error: NO_FENCE (all), and each by
 * itself: NO_FENCE_SLEEP (between announcement and second look), NO_FENCE_FLUSH (between publishing
 * and the sleep word), NO_FENCE_SPACE (between releasing replies and the sleep word), NO_RECHECK
 * (no second look), NO_SPACE_LOOK, NO_EOF_LOOK (what client.c's idle() does for a client that
 * never waits).
 */
#define CLIENT 0
#define CORE 1
#define PROCS 2
#ifndef SB
#define SB 3
#endif
#ifndef REQ
#define REQ 1
#endif
#ifndef REP
#define REP 1
#endif
#ifndef PIPE
#define PIPE 1
#endif

/* Addresses. Each has one writer. */
#define ADDRS 7
#define REQ_HEAD 0     /* client: requests published */
#define REP_TAIL 1     /* client: replies consumed */
#define CLIENT_SLEEP 2 /* client: 0 or reasons */
#define REP_HEAD 3     /* core */
#define REQ_TAIL 4     /* core */
#define CORE_SLEEP 5   /* core */
#define CLOSED 6       /* core */

#define WORK 1
#define SPACE 2

/* The word that this side rang for is still the other's sleep word: struct bh_ringer. The ticket
 * of a word does not come again while anybody could take it for another (it counts to 2^30), so
 * this is true until the sleeper's next store to its word reaches memory. */
bool rung[PROCS];
#define COMMIT(a) \
	if \
	:: a == CLIENT_SLEEP -> rung[CORE] = false \
	:: a == CORE_SLEEP -> rung[CLIENT] = false \
	:: else \
	fi

bool dead[PROCS]; /* killed: does nothing any more */
#define ALIVE(me) (!dead[me])

#include "tso.pml"

/* Positions of a queue of n slots count modulo n + 1. */
#define next(pos, n) ((pos) == (n) -> 0 : (pos) + 1)
#define used(head, tail, n) ((head) >= (tail) -> (head) - (tail) : (head) + (n) + 1 - (tail))

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
#if defined(NO_FENCE) || defined(NO_FENCE_SPACE)
#define fence_space(me) true
#else
#define fence_space(me) fence(me)
#endif

byte pipe[PROCS];  /* bytes in the pipe that wakes this side */
bool gone[PROCS];  /* its ends of the pipes are closed */
bool ended[PROCS]; /* it has noticed the other's end, or was killed itself */
byte out;	   /* requests submitted and not answered; no part of the protocol */
hidden byte seen;	   /* within an atomic only */

#define over (gone[CLIENT] || gone[CORE])
#define waiting (out > 0 && !over)

/* A request that was submitted is answered, whatever the two do in between. */
ltl served { [] (waiting -> <> (over || client@took)) }

/* Who goes, by whatever way, is noticed by the other. */
ltl told { [] ((gone[CORE] -> <> ended[CLIENT]) && (gone[CLIENT] -> <> ended[CORE])) }

/* bh_ring_due() and bh_ring(). guard: the fence in front, or true. */
inline ring(me, guard, a, reasons)
{
	atomic {
		guard;
		load(me, a, seen);
		due = (seen & (reasons)) && !rung[me];
		rung[me] = rung[me] || due
	};
	if
	:: d_step {
		due && ALIVE(me) ->
		due = false;
		if
		:: pipe[1 - me] < PIPE && !gone[1 - me] -> pipe[1 - me]++
		:: else /* full: as good; closed: seen by who waits */
		fi
	   }
	:: !due
	fi
}

/* ---- the client ---- */

inline client_flush()
{
	if
	:: unflushed ->
		unflushed = false;
		ring(CLIENT, fence_flush(CLIENT), CORE_SLEEP, WORK | (unfenced -> SPACE : 0));
		unfenced = false
	:: else
	fi
}

/* bh_producer_room(): looks again only when it believes the queue to be full. */
inline client_room()
{
	if
	:: used(head, tail, REQ) == REQ -> atomic { load(CLIENT, REQ_TAIL, seen); tail = seen }
	:: else
	fi
}

/* take_all(); n: there was something. */
inline client_take()
{
	do
	:: atomic {
		load(CLIENT, REP_HEAD, seen);
		if
		:: seen == pos -> break
		:: else -> pos = next(pos, REP); n = true; out--
		fi
	   };
took:	   if
	   :: break /* the bounds of a turn, and of what is released at once */
	   :: true
	   fi
	od;
	if
	:: n ->
		store(CLIENT, REP_TAIL, pos);
		atomic {
			load(CLIENT, CORE_SLEEP, seen);
#ifndef NO_SPACE_LOOK
			unfenced = true;
#endif
			due = seen & SPACE
		};
		if
		:: due ->
			atomic { unfenced = false; due = false };
			ring(CLIENT, fence_space(CLIENT), CORE_SLEEP, SPACE)
		:: else
		fi
	:: else
	fi
}

/* bh_prepare_wait(); n: there is something, do not block. */
inline client_prepare()
{
	client_flush();
	store(CLIENT, CLIENT_SLEEP, WORK | (want -> SPACE : 0));
	atomic { announced = true; unfenced = false };
	ring(CLIENT, fence_sleep(CLIENT), CORE_SLEEP, SPACE);
#ifndef NO_RECHECK
	atomic { load(CLIENT, REP_HEAD, seen); n = (seen != pos) };
#ifdef DEATH
	atomic { load(CLIENT, CLOSED, seen); n = n || seen };
#endif
	if
	:: !n && want ->
		client_room();
		if
		:: used(head, tail, REQ) < REQ -> atomic { want = false; n = true }
		:: else
		fi
	:: else
	fi;
#endif
	if
	:: n -> store(CLIENT, CLIENT_SLEEP, 0)
	:: else
	fi
}

/* poll() on the pipe; it may be left for another reason too. */
inline client_block()
{
	if
	:: n -> n = false
#ifdef LOOP
	:: !n -> /* a time-out, another descriptor of an event loop */
#endif
	:: !n -> (pipe[CLIENT] > 0 || gone[CORE])
	fi
}

/* bh_ring_drain() */
inline client_drain()
{
	atomic {
		ALIVE(CLIENT);
		due = (pipe[CLIENT] == 0 && gone[CORE]);
		pipe[CLIENT] = 0
	};
	if
	:: due ->
		atomic {
			due = false;
			load(CLIENT, REP_HEAD, seen);
			if
			:: seen == pos -> goto lost
			:: else
			fi
		}
	:: else
	fi
}

inline client_awake()
{
	if
	:: announced ->
		announced = false;
		store(CLIENT, CLIENT_SLEEP, 0);
		client_drain()
	:: else
	fi
}

proctype client()
{
	byte head, tail, pos;
	bool n, unflushed, unfenced, want, announced, must_poll, wait, due, idle;

	do
	:: !want -> /* bh_submit(): published, or -EAGAIN */
		client_room();
		if
		:: used(head, tail, REQ) < REQ ->
			atomic { head = next(head, REQ); unflushed = true; out++ };
			store(CLIENT, REQ_HEAD, head)
		:: else ->
			client_flush();
			atomic { want = true; must_poll = true }
		fi
#ifdef LOOP
	:: !must_poll -> /* an event loop; at its end comes bh_poll(0) */
		client_prepare();
		client_block();
		must_poll = true
#endif
	:: true -> /* bh_poll(), with and without waiting */
		atomic {
			must_poll = false;
			if
			:: wait = true
			:: wait = false
			fi
		};
		client_awake();
		client_flush();
again:		client_take();
		if
		:: n -> atomic { n = false; idle = false; want = false; wait = false }
		:: else ->
#ifdef DEATH
			atomic {
				load(CLIENT, CLOSED, seen);
				if
				:: seen -> goto lost
				:: else
				fi
			};
#endif
			if
			:: want ->
				client_room();
				if
				:: used(head, tail, REQ) < REQ -> atomic { want = false; wait = false }
				:: else
				fi
			:: else
			fi;
			if
			:: wait ->
				client_prepare();
				client_block();
				client_awake();
#ifdef LOOP
				if
				:: wait = false; goto done /* time is over */
				:: true
				fi;
#endif
				goto again
			:: !wait && unfenced ->
				unfenced = false;
				ring(CLIENT, fence_space(CLIENT), CORE_SLEEP, SPACE)
			:: else
			fi;
#if defined(DEATH) && !defined(NO_EOF_LOOK)
			idle = !idle;
			if
			:: idle -> client_drain()
			:: else
			fi
#endif
		fi;
done:		skip
	od;
lost:	atomic {
		ALIVE(CLIENT);
		ended[CLIENT] = true;
		gone[CLIENT] = true;
		head = 0; tail = 0; pos = 0; n = false; unflushed = false; unfenced = false;
		want = false; announced = false; must_poll = false; wait = false; due = false;
		idle = false
	}
}

/* ---- the core ---- */

inline core_room()
{
	if
	:: used(head, tail, REP) + kept >= REP -> atomic { load(CORE, REP_TAIL, seen); tail = seen }
	:: else
	fi
}

/* bh_service_reply(): what was kept for it is free. */
inline core_reply()
{
	atomic {
		assert(used(head, tail, REP) < REP);
		head = next(head, REP);
		kept--;
		touched = true;
		store(CORE, REP_HEAD, head)
	}
}

/* bh_peers_flush() */
inline core_flush()
{
	if
	:: touched ->
		touched = false;
		ring(CORE, fence_flush(CORE), CLIENT_SLEEP, WORK | SPACE)
	:: else
	fi
}

/* bh_peer_poll() */
inline core_poll()
{
	if
	:: !polled -> atomic { polled = true; store(CORE, CORE_SLEEP, 0) }
	:: else
	fi
}

/* bh_peer_serve(); n: there was something. A request is answered at once or later. */
inline core_serve()
{
	tight = false;
	do
	:: atomic {
		load(CORE, REQ_HEAD, seen);
		if
		:: seen == pos -> break
		:: else
		fi
	   };
	   core_room();
	   if
	   :: used(head, tail, REP) + kept >= REP -> tight = true; break
	   :: else ->
		atomic { pos = next(pos, REQ); kept++; n = true };
#ifdef LATER
		if
		:: core_reply()
		:: true
		fi;
#else
		core_reply();
#endif
		if
		:: break /* the bound of a turn */
		:: true
		fi
	   fi
	od;
	if
	:: n -> touched = true; store(CORE, REQ_TAIL, pos)
	:: else
	fi
}

/* bh_peer_park(); n: there is something after all. */
inline core_park()
{
	store(CORE, CORE_SLEEP, (tight -> SPACE : WORK));
#ifndef NO_RECHECK
	fence_sleep(CORE);
	if
	:: tight -> core_room(); n = (used(head, tail, REP) + kept < REP)
	:: else -> atomic { load(CORE, REQ_HEAD, seen); n = (seen != pos) }
	fi;
#endif
	if
	:: n -> n = false; store(CORE, CORE_SLEEP, 0)
	:: else -> polled = false
	fi
}

/* bh_ring_drain() */
inline core_drain()
{
	atomic {
		ALIVE(CORE);
		if
		:: pipe[CORE] == 0 && gone[CLIENT] -> goto close
		:: else -> pipe[CORE] = 0
		fi
	}
}

proctype core()
{
	byte head, tail, pos, kept;
	bool n, polled = true, touched, tight, due, late;

	do
	:: polled -> /* turn() */
		if
		:: kept > 0 -> core_reply(); late = false
		:: kept > 0 && !late -> late = true /* not ready yet; not for ever */
		:: kept == 0
		fi;
		core_serve();
		if
		:: n -> n = false
		:: !n -> core_park()
		:: !n /* not long enough without a message */
		fi;
		core_flush();
		if
		:: polled -> core_drain()
		:: else
		fi
	:: !polled && kept > 0 -> /* the handler's own work */
		core_reply();
		late = false;
		if
		:: tight -> core_poll()
		:: else
		fi;
		core_flush()
	:: !polled && (pipe[CORE] > 0 || gone[CLIENT]) ->
		core_drain();
		core_poll()
#ifdef DEATH
	:: goto close /* the service ends, or the channel is corrupt */
#endif
	od;
close:	store(CORE, CLOSED, 1);
	atomic {
		ALIVE(CORE);
		ended[CORE] = true;
		gone[CORE] = true;
		head = 0; tail = 0; pos = 0; kept = 0; n = false; polled = false; touched = false;
		tight = false; due = false; late = false
	}
}

/* ---- */

#ifdef DEATH
/* kill -9 of one side at any moment: the kernel closes its ends. Or of none. */
proctype killer()
{
	if
	:: atomic { !gone[CLIENT] -> dead[CLIENT] = true; gone[CLIENT] = true; ended[CLIENT] = true }
	:: atomic { !gone[CORE] -> dead[CORE] = true; gone[CORE] = true; ended[CORE] = true }
	:: true
	fi
}
#endif

/* When nothing moves any more nobody waits for anything. */
proctype watchdog()
{
	timeout;
	assert(!waiting);
	assert(!over || (ended[CLIENT] && ended[CORE]))
}

init
{
	atomic {
		run drain(CLIENT);
		run drain(CORE);
		run client();
		run core();
#ifdef DEATH
		run killer();
#endif
		run watchdog()
	}
}
