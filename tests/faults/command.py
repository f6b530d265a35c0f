"""What the commands that inflict faults have in common."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from typing import Any, Callable, Coroutine

import ptrace
import topology
from pipeline import CannotStart


def commit() -> str:
    """The commit of the tree, with a + if it has been changed since."""
    def git(*arguments: str) -> str:
        ran = subprocess.run(["git", "-C", str(topology.ROOT), *arguments], text=True,
                             stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        return ran.stdout.strip()
    changed = git("status", "--porcelain", "--untracked-files=no")
    return (git("rev-parse", "--short=12", "HEAD") or "none+") + ("+" if changed else "")


async def together(*work: Coroutine[Any, Any, Any]) -> None:
    """Until all are done.  If one fails, the others are ended before its exception is passed on."""
    tasks = [asyncio.ensure_future(one) for one in work]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def run(verb: str, work: Callable[[], Coroutine[Any, Any, int]], if_interrupted: str) -> int:
    """The exit code: of the work, 2 if it cannot start, 130 if a signal has interrupted it."""
    try:
        if not ptrace.possible():
            raise CannotStart("it needs Linux on x86-64")
        return asyncio.run(_until_interrupted(work))
    except (CannotStart, ValueError, OSError) as error:
        print(f"./run {verb}: {error}", file=sys.stderr)
        return 2
    except asyncio.CancelledError:
        print(f"\ninterrupted; {if_interrupted}", file=sys.stderr)
        return 130


async def _until_interrupted(work: Callable[[], Coroutine[Any, Any, int]]) -> int:
    task = asyncio.ensure_future(work())
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    return await task
