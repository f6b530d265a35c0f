"""A thread of another process, through ptrace(2): made to loop for ever, or to make a system call.

Linux on x86-64.  The process must be a child of ours, or we root.  Every function attaches, acts
and detaches; other threads of the process run on.
"""

from __future__ import annotations

import ctypes
import os
import platform

SEIZE, INTERRUPT, DETACH, GETREGS, SETREGS, SINGLESTEP = 0x4206, 0x4207, 17, 12, 13, 9
WALL = 0x40000000
ENDLESS_LOOP = b"\xeb\xfe"  # A jump to itself; every library of some size has these bytes.
SYSTEM_CALL = b"\x0f\x05"
DUP2 = 33

LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.ptrace.restype = ctypes.c_long
LIBC.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]


class Registers(ctypes.Structure):
    _fields_ = [(name, ctypes.c_uint64) for name in (
        "r15 r14 r13 r12 rbp rbx r11 r10 r9 r8 rax rcx rdx rsi rdi orig_rax rip cs eflags rsp ss"
        " fs_base gs_base ds es fs gs").split()]


NO_CALL = 2**64 - 1  # As orig_rax: the thread is in no system call that would be begun again.


def possible() -> bool:
    return platform.machine() == "x86_64" and platform.system() == "Linux"


def _ptrace(request: int, pid: int, data: object = None) -> None:
    if LIBC.ptrace(request, pid, None, data) == -1:
        error = ctypes.get_errno()
        raise OSError(error, f"ptrace: {os.strerror(error)}")


def _find(pid: int, code: bytes) -> int:
    """The address of these bytes in a library of the process."""
    with open(f"/proc/{pid}/maps") as maps:
        for line in maps:
            span, rights, offset, _, _, *path = line.split(maxsplit=5)
            if "x" not in rights or not path or "libc.so" not in path[0]:
                continue
            begin, end = (int(edge, 16) for edge in span.split("-"))
            with open(path[0].strip(), "rb") as library:
                library.seek(int(offset, 16))
                at = library.read(end - begin).find(code)
            if at >= 0:
                return begin + at
    raise OSError(f"process {pid} has no such code")


def _wait(pid: int) -> None:
    _, status = os.waitpid(pid, WALL)
    if not os.WIFSTOPPED(status):
        raise ProcessLookupError(f"process {pid} has ended")


def _stopped(pid: int) -> Registers:
    _ptrace(SEIZE, pid)
    _ptrace(INTERRUPT, pid)
    _wait(pid)
    registers = Registers()
    _ptrace(GETREGS, pid, ctypes.addressof(registers))
    return registers


def hang(pid: int) -> None:
    """The main thread of the process loops for ever from now on."""
    loop = _find(pid, ENDLESS_LOOP)
    registers = _stopped(pid)
    registers.rip, registers.orig_rax = loop, NO_CALL
    _ptrace(SETREGS, pid, ctypes.addressof(registers))
    _ptrace(DETACH, pid)


def duplicate(pid: int, descriptor: int, onto: int) -> None:
    """The process calls dup2(descriptor, onto)."""
    instruction = _find(pid, SYSTEM_CALL)
    before = _stopped(pid)
    call = Registers.from_buffer_copy(before)
    call.rip, call.orig_rax, call.rax = instruction, NO_CALL, DUP2
    call.rdi, call.rsi = descriptor, onto
    _ptrace(SETREGS, pid, ctypes.addressof(call))
    _ptrace(SINGLESTEP, pid)
    _wait(pid)
    _ptrace(GETREGS, pid, ctypes.addressof(call))
    # With the call in which it was: the kernel begins it again if need be.
    _ptrace(SETREGS, pid, ctypes.addressof(before))
    _ptrace(DETACH, pid)
    if call.rax != onto:
        raise OSError(f"dup2 in process {pid}: {call.rax - 2**64}")
