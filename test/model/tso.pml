/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Total store order (x86): a store goes to the end of its process's FIFO store buffer, and from
 * its front to memory at any later moment; a load takes the newest own store to that address,
 * else memory; a fence waits until the own buffer is empty. spin itself is sequentially
 * consistent: what a fence is for is seen only with these buffers.
 *
 * Whoever includes it defines before: PROCS, SB (entries of a buffer; who stores into a full one
 * waits), ADDRS, COMMIT(a), done when a store to address a reaches memory, and ALIVE(me), without
 * which the process takes no further step. Its stores under way reach memory all the same.
 */
byte mem[ADDRS];
byte sb_addr[PROCS * SB];
byte sb_val[PROCS * SB];
byte sb_n[PROCS];
hidden byte tso_i;

#define fence(me) (sb_n[me] == 0)

inline store(me, a, v)
{
	d_step {
		ALIVE(me) && sb_n[me] < SB ->
		sb_addr[me * SB + sb_n[me]] = a;
		sb_val[me * SB + sb_n[me]] = v;
		sb_n[me]++
	}
}

/* In an atomic. */
inline load(me, a, into)
{
	ALIVE(me);
	into = mem[a];
	tso_i = 0;
	do
	:: tso_i < sb_n[me] ->
		if
		:: sb_addr[me * SB + tso_i] == a -> into = sb_val[me * SB + tso_i]
		:: else
		fi;
		tso_i++
	:: else -> break
	od
}

/* The way from the buffer of process me to memory. */
proctype drain(byte me)
{
	do
	:: d_step {
		sb_n[me] > 0 ->
		mem[sb_addr[me * SB]] = sb_val[me * SB];
		COMMIT(sb_addr[me * SB]);
		sb_n[me]--;
		tso_i = 0;
		do
		:: tso_i < sb_n[me] ->
			sb_addr[me * SB + tso_i] = sb_addr[me * SB + tso_i + 1];
			sb_val[me * SB + tso_i] = sb_val[me * SB + tso_i + 1];
			tso_i++
		:: else -> break
		od;
		sb_addr[me * SB + sb_n[me]] = 0;
		sb_val[me * SB + sb_n[me]] = 0
	}
	od
}
