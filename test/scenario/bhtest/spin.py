# SPDX-License-Identifier: BSD-3-Clause
"""Make a thread of another process spin: its next instruction becomes a jump to itself.

The instruction may be shared with other threads of the process, which then spin as well.
"""
import ctypes
import os

SEIZE, INTERRUPT, DETACH, GETREGS, PEEKTEXT, POKETEXT = 0x4206, 0x4207, 17, 12, 1, 4
WALL = 0x40000000
RIP = 16  # index in struct user_regs_struct of x86-64
JUMP = 0xFEEB  # jmp .

LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.ptrace.restype = ctypes.c_long
LIBC.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]


def ptrace(request, tid, addr=0, data=0):
    """ptrace(2); OSError."""
    ctypes.set_errno(0)
    result = LIBC.ptrace(request, tid, addr, data)
    if result == -1 and ctypes.get_errno():
        raise OSError(ctypes.get_errno(), f"ptrace {request} of thread {tid}")
    return result


def spin(tid):
    """Let this thread run for ever without getting anywhere."""
    ptrace(SEIZE, tid)
    ptrace(INTERRUPT, tid)
    os.waitpid(tid, WALL)
    regs = (ctypes.c_ulonglong * 27)()
    ptrace(GETREGS, tid, 0, ctypes.addressof(regs))
    text = ptrace(PEEKTEXT, tid, regs[RIP]) & 0xFFFFFFFFFFFF0000
    ptrace(POKETEXT, tid, regs[RIP], text | JUMP)
    ptrace(DETACH, tid)
