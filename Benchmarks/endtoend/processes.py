"""Programs run and measured."""

import os
import pathlib
import shutil
import sys
import tempfile
import time
from dataclasses import dataclass

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PROGRAMS = ROOT / ".build" / "release"


class BenchmarkError(Exception):
    """Why there is nothing to measure."""


@dataclass(frozen=True)
class Finished:
    """What a program took. CPU is user and system time of all its threads; the peak is the kernel's
    figure for the process (ru_maxrss of wait4)."""

    output: str
    seconds: float
    cpu_seconds: float
    peak_mib: float


def run(*arguments):
    """Runs a program that must succeed."""
    command = [os.fspath(argument) for argument in arguments]
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as complaints:
        streams = [
            (os.POSIX_SPAWN_DUP2, output.fileno(), 1),
            (os.POSIX_SPAWN_DUP2, complaints.fileno(), 2),
        ]
        start = time.perf_counter()
        try:
            pid = os.posix_spawnp(command[0], command, os.environ, file_actions=streams)
        except OSError as error:
            raise BenchmarkError(f"{command[0]} does not start: {error.strerror}") from error
        _, status, usage = os.wait4(pid, 0)
        seconds = time.perf_counter() - start
        code = os.waitstatus_to_exitcode(status)
        if code != 0:
            raise BenchmarkError(f"{' '.join(command)} ended with {code}\n{text(complaints)}")
        return Finished(
            output=text(output),
            seconds=seconds,
            cpu_seconds=usage.ru_utime + usage.ru_stime,
            peak_mib=usage.ru_maxrss / 1024,
        )


def text(file):
    """What was written to a file."""
    file.seek(0)
    return file.read().decode(errors="replace")


def is_installed(program):
    """Whether a program is on PATH."""
    return shutil.which(program) is not None


def say(line):
    """Tells how far it is. Standard output is for results."""
    print(line, file=sys.stderr, flush=True)
