"""The processes of the pipeline: started, and started again whenever they end, as systemd would
(Restart=on-failure, RestartSec=100ms, RestartPreventExitStatus=2; a limit on restarts would come
after many more)."""

from __future__ import annotations

import asyncio
import ctypes
import os
import pathlib
import signal
import struct
import subprocess
import time
from typing import IO, Callable, Optional

RESTART_S = 0.1
CANNOT_START = 2  # The exit code after which the units say not to try again.
UP = b": up, "  # What each program logs once it works.
PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None)


def die_with_parent() -> None:
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Child:
    """A process under a name, over all its lives."""

    def __init__(self, name: str, argv: list[str], folder: pathlib.Path,
                 on_line: Optional[Callable[[str, bytes], None]] = None,
                 on_end: Optional[Callable[["Child", int], None]] = None) -> None:
        self.name, self.argv = name, argv
        self.log_path = folder / f"{name}.log"
        self.log_path.unlink(missing_ok=True)
        self.on_line, self.on_end = on_line, on_end
        self.lives = 0
        self.expected_end = False  # A fault is about to end it.
        self.stopping = False
        self.given_up = False  # It has ended in such a way that it is not started again.
        self.full = os.open("/dev/full", os.O_WRONLY)
        self.log = os.open(self.log_path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        self.step_path = folder / f"{name}.step"
        self.set_clock(0)
        self.process: subprocess.Popen[bytes]
        self.ended = asyncio.Event()

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def life(self) -> str:
        return f"{self.name}#{self.lives}"

    def alive(self) -> bool:
        return self.process.poll() is None

    def up(self) -> bool:
        """Whether it runs, and has said so in its log if it writes one: loading the libraries may
        take seconds on a busy machine."""
        if not self.alive() or self.on_line is not None:
            return self.alive()
        with open(self.log_path, "rb") as log:
            log.seek(self.log_begin)
            return UP in log.read()

    def start(self, clock_library: pathlib.Path) -> None:
        self.clock_library = clock_library
        self.log_begin = os.fstat(self.log).st_size
        environment = os.environ | {
            # One process a core, as the systemd units have it.
            "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1",
            "LD_PRELOAD": str(clock_library), "COLLAGE_STEP": str(self.step_path)}
        self.lives += 1
        self.started = time.monotonic()
        self.ended.clear()
        output = self.log if self.on_line is None else subprocess.PIPE
        # A session of its own: Ctrl-C is ours, and we end the children in order.
        self.process = subprocess.Popen(
            self.argv, stdin=subprocess.DEVNULL, stdout=output, stderr=self.log, env=environment,
            pass_fds=(self.full, self.log), start_new_session=True, preexec_fn=die_with_parent)
        loop = asyncio.get_running_loop()
        self._pidfd = os.pidfd_open(self.pid)
        loop.add_reader(self._pidfd, self._on_exit)
        if self.process.stdout is not None:
            self._reader = asyncio.ensure_future(self._read(self.process.stdout, self.life))

    async def _read(self, pipe: IO[bytes], life: str) -> None:
        assert self.on_line is not None
        stream = asyncio.StreamReader()
        await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(stream), pipe)
        while line := await stream.readline():
            if line.endswith(b"\n"):  # The last line of a killed process may be cut.
                self.on_line(life, line)

    def _on_exit(self) -> None:
        asyncio.get_running_loop().remove_reader(self._pidfd)
        os.close(self._pidfd)
        asyncio.ensure_future(self._after_exit())

    async def _after_exit(self) -> None:
        code = self.process.wait()
        if self.on_line is not None:
            await self._reader  # What it printed is counted before its end is.
        self.given_up = code == CANNOT_START and not self.stopping
        if self.on_end is not None:
            self.on_end(self, code)
        self.ended.set()
        if self.stopping or self.given_up:
            return
        await asyncio.sleep(RESTART_S)
        if not self.stopping:
            self.start(self.clock_library)

    def signal(self, number: signal.Signals) -> None:
        if self.alive():
            self.process.send_signal(number)

    def set_clock(self, ahead_s: int) -> None:
        # In place: the process has the file mapped.
        with open(self.step_path, "r+b" if self.step_path.exists() else "wb") as file:
            file.write(struct.pack("<q", ahead_s))

    async def end(self) -> None:
        """Ends it for good."""
        self.stopping = True
        if self.lives == 0 or self.ended.is_set():
            return
        self.signal(signal.SIGKILL)
        await self.ended.wait()


def how_ended(code: int) -> str:
    return f"exit {code}" if code >= 0 else signal.Signals(-code).name
