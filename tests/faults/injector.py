"""Does a fault to a process or its links, and ends it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import resource
import signal
from typing import Awaitable, Callable

import ptrace
from cells import Fault
from fleet import Child
from links import Link

# A tenth of the time.
RUN_S, PAUSE_S = 0.002, 0.018
TERM_MAX_S = 15.0  # As TimeoutStopSec of the units; the gateway's is longer.
CONNECTED = "01"  # In /proc/net/tcp.
HOUR_S = 3600


class Victim:
    """`send_big` has somebody send a big image through the pipeline."""

    def __init__(self, child: Child, links: list[Link], repetition: int,
                 send_big: Callable[[], None]) -> None:
        self.child, self.links, self.repetition = child, links, repetition
        self.send_big = send_big
        self.life = child.lives

    async def await_end(self, limit_s: float) -> None:
        """Until the process has ended; kills it after that time."""
        if not self.same_life():
            return
        try:
            await asyncio.wait_for(self.child.ended.wait(), limit_s)
        except asyncio.TimeoutError:
            self.child.signal(signal.SIGKILL)
            await self.child.ended.wait()

    def same_life(self) -> bool:
        """Whether what a fault has changed of the process is still there."""
        return self.child.lives == self.life and not self.child.ended.is_set()


async def kill(victim: Victim, _: float) -> None:
    victim.child.expected_end = True
    victim.child.signal(signal.SIGKILL)
    await victim.await_end(TERM_MAX_S)


async def stop(victim: Victim, length: float) -> None:
    victim.child.signal(signal.SIGSTOP)
    await asyncio.sleep(length)
    victim.child.signal(signal.SIGCONT)


async def stop_then_kill(victim: Victim, length: float) -> None:
    victim.child.expected_end = True
    victim.child.signal(signal.SIGSTOP)
    await asyncio.sleep(length)
    victim.child.signal(signal.SIGKILL)
    await victim.await_end(TERM_MAX_S)


async def restart(victim: Victim, _: float) -> None:
    victim.child.expected_end = True
    victim.child.signal(signal.SIGTERM)
    await victim.await_end(TERM_MAX_S)


async def hang(victim: Victim, length: float) -> None:
    victim.child.expected_end = True
    ptrace.hang(victim.child.pid)
    await asyncio.sleep(length)
    if victim.same_life():
        victim.child.signal(signal.SIGABRT)
        await victim.await_end(TERM_MAX_S)


async def slow(victim: Victim, length: float) -> None:
    loop = asyncio.get_running_loop()
    end = loop.time() + length
    try:
        while loop.time() < end and victim.same_life():
            victim.child.signal(signal.SIGSTOP)
            await asyncio.sleep(PAUSE_S)
            victim.child.signal(signal.SIGCONT)
            await asyncio.sleep(RUN_S)
    finally:
        victim.child.signal(signal.SIGCONT)


async def cut(victim: Victim, _: float) -> None:
    for link in victim.links:
        link.reset()


async def _spoil(victim: Victim, length: float, how: Callable[[Link], None]) -> None:
    for link in victim.links:
        how(link)
    await asyncio.sleep(length)
    for link in victim.links:
        link.heal()


async def half_open(victim: Victim, length: float) -> None:
    # Towards the role in one repetition, away from it in the next.
    towards = victim.repetition % 2 == 0

    def drop(link: Link) -> None:
        inbound = towards == (link.server == victim.child.name)
        link.drop(inbound, not inbound)
    await _spoil(victim, length, drop)


async def half_open_both(victim: Victim, length: float) -> None:
    await _spoil(victim, length, lambda link: link.drop(True, True))


async def not_reading(victim: Victim, length: float) -> None:
    await _spoil(victim, length, lambda link: link.read(False))


async def half_message(victim: Victim, length: float) -> None:
    await _spoil(victim, length, lambda link: link.halve())


async def logs_full(victim: Victim, length: float) -> None:
    child = victim.child
    # The standard output of a producer is its account, not a log.
    outputs = (1, 2) if child.on_line is None else (2,)
    for output in outputs:
        ptrace.duplicate(child.pid, child.full, output)
    await cut(victim, 0)  # There is something to log.
    await asyncio.sleep(length)
    if victim.same_life():
        for output in outputs:
            ptrace.duplicate(child.pid, child.log, output)


def limit(pid: int, kind: int, soft: int) -> int:
    """Sets the soft limit and returns the one before."""
    before, hard = resource.prlimit(pid, kind)
    resource.prlimit(pid, kind, (soft, hard))
    return before


async def _limited(victim: Victim, length: float, kind: int, soft: int) -> None:
    victim.child.expected_end = True  # It may be the end of it.
    before = limit(victim.child.pid, kind, soft)
    await asyncio.sleep(length)
    if victim.same_life():
        limit(victim.child.pid, kind, before)


async def memory_limit(victim: Victim, length: float) -> None:
    with open(f"/proc/{victim.child.pid}/statm") as statm:
        pages = int(statm.read().split()[0])
    limited = asyncio.ensure_future(
        _limited(victim, length, resource.RLIMIT_AS, pages * os.sysconf("SC_PAGE_SIZE")))
    await asyncio.sleep(0)
    victim.send_big()  # What it has is enough for small ones.
    await limited


def lowest_connection(pid: int) -> int:
    """The lowest descriptor of a TCP connection of the process; the lowest free one if it has
    none."""
    connected = set()
    with open(f"/proc/{pid}/net/tcp") as table:
        for line in table:
            fields = line.split()
            if fields[3] == CONNECTED:
                connected.add(f"socket:[{fields[9]}]")
    folder = f"/proc/{pid}/fd"
    opened = {}
    for one in os.listdir(folder):
        with contextlib.suppress(FileNotFoundError):  # It has been closed meanwhile.
            opened[int(one)] = os.readlink(f"{folder}/{one}")
    free = next(number for number in range(len(opened) + 1) if number not in opened)
    return min((number for number, what in opened.items() if what in connected), default=free)


async def no_descriptors(victim: Victim, length: float) -> None:
    # What is open stays usable.  A connection that is reset leaves a descriptor, which cannot be
    # opened again.  The limit is no lower, for poll(2) refuses to look at more than it.
    limited = asyncio.ensure_future(_limited(
        victim, length, resource.RLIMIT_NOFILE, lowest_connection(victim.child.pid)))
    await asyncio.sleep(0)  # The limit first, so that no connection is made again before it.
    await cut(victim, 0)
    await limited


async def clock_step(victim: Victim, length: float) -> None:
    victim.child.set_clock(HOUR_S)
    await asyncio.sleep(length)
    victim.child.set_clock(0)


HOW: dict[str, Callable[[Victim, float], Awaitable[None]]] = {
    "kill": kill, "stop-5s": stop, "stop-then-kill": stop_then_kill, "restart": restart,
    "hang": hang, "slow": slow, "cut": cut, "half-open": half_open,
    "half-open-both": half_open_both, "not-reading": not_reading, "half-message": half_message,
    "logs-full": logs_full, "memory-limit": memory_limit, "no-descriptors": no_descriptors,
    "clock-step": clock_step,
}

BY_PTRACE = {"hang", "logs-full"}


async def inflict(fault: Fault, victim: Victim) -> None:
    """Returns when the fault is over.  A process that ends by itself meanwhile is no error."""
    try:
        await HOW[fault.name](victim, fault.length_s)
    except ProcessLookupError:
        pass
    finally:
        victim.child.expected_end = False
