"""The most memory that backup, verify and restore take, at two sizes of data."""

import json
import pathlib
import tempfile
from statistics import median

from .processes import PROGRAMS, run, say
from .rows import MEBIBYTES, TIMES_AS_MUCH, Result
from .servers import private_server

CAIRN = PROGRAMS / "cairn"
THEME = "platform"
# What documents of that theme have on average.
DOCUMENT_BYTES = 860
# What the README promises.
BOUND_MIB = 256
RATIO_MAX = 1.10
COMMANDS = ("backup", "verify", "restore")


def measure_round(uri, jobs):
    """One backup, verify and restore; answers peaks by command and the documents' bytes."""
    with tempfile.TemporaryDirectory(prefix="cairn-memory-") as folder:
        options = ["--repository", pathlib.Path(folder) / "repository", "--json"]
        options += ["--jobs", str(jobs)] if jobs else []
        server = ["--uri", uri]
        backup = run(CAIRN, "backup", "--db", THEME, *server, *options)
        verify = run(CAIRN, "verify", "latest", *options)
        restore = run(CAIRN, "restore", "latest", "--mode", "replace", *server, *options)
        finished = dict(zip(COMMANDS, (backup, verify, restore)))
        peaks = {command: round(finished[command].peak_mib, 1) for command in COMMANDS}
        return peaks, json.loads(backup.output)["bytes"]


def measure_size(megabytes, repetitions, jobs=None):
    """Loads so many MB and measures some rounds."""
    documents = megabytes * 1_000_000 // DOCUMENT_BYTES
    peaks = {command: [] for command in COMMANDS}
    byte_count = 0
    with private_server(f"{THEME}:{documents}") as uri:
        for number in range(repetitions):
            found, byte_count = measure_round(uri, jobs)
            for command in COMMANDS:
                peaks[command].append(found[command])
            say(f"memory, {megabytes} MB, round {number + 1} of {repetitions}: {found}")
    return {"megabytes": round(byte_count / 1e6), "documents": documents, "peak_mib": peaks}


def measure(sizes_megabytes, repetitions, jobs=None):
    """Both sizes, the smaller one first."""
    return [measure_size(megabytes, repetitions, jobs) for megabytes in sizes_megabytes]


def ratio(sizes, command):
    """How much more the large data takes: of medians, for which buffers are alive at the same time
    is a matter of chance."""
    small, large = (median(size["peak_mib"][command]) for size in sizes)
    return large / small


def results(sizes):
    """The rows of the table: for each command the peak, and how it grows."""
    found = []
    for command in COMMANDS:
        peaks = [peak for size in sizes for peak in size["peak_mib"][command]]
        names = " and ".join(f"{size['megabytes']:,} MB" for size in sizes)
        # Not the median but the worst: a bound is a bound.
        found.append(
            Result(
                f"{THEME}: cairn {command}, peak memory, {names}", THEME, MEBIBYTES,
                max(peaks), min(peaks), max(peaks), BOUND_MIB, None,
            )  # fmt: skip
        )
        growth = ratio(sizes, command)
        found.append(
            Result(
                f"{THEME}: cairn {command}, peak memory, large against small", THEME,
                TIMES_AS_MUCH, growth, growth, growth, RATIO_MAX, None,
            )  # fmt: skip
        )
    return found
