"""What the measurements were taken on."""

import os
import pathlib
import platform
import shutil
import subprocess

from .processes import ROOT, is_installed

PEERS = ("mongodump", "mongorestore")


def describe_machine():
    """Processor, memory, kernel and mongod."""
    kib = int(first_line("/proc/meminfo", "MemTotal").split()[0])
    return {
        "processor": first_line("/proc/cpuinfo", "model name"),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(kib / 1024 / 1024, 1),
        "kernel": f"{platform.system()} {platform.release()}",
        "mongod": mongod_version(),
    }


def load_average():
    """How many processes wanted a core during the last minute."""
    return round(os.getloadavg()[0], 2)


def describe_peers():
    """The version of each peer on PATH."""
    return {peer: peer_version(peer) for peer in PEERS if is_installed(peer)}


def as_sentence(machine):
    """The machine as a sentence."""
    return (
        f"Machine: {machine['processor']}, {machine['cores']} cores, {machine['memory_gib']} GiB,"
        f" {machine['kernel']}, mongod {machine['mongod']}."
    )


def first_line(path, key):
    """What stands behind a key and a colon."""
    for line in pathlib.Path(path).read_text(encoding="utf-8").splitlines():
        if line.startswith(key):
            return line.split(":", 1)[1].strip()
    return "unknown"


def mongod_version():
    """The version of the mongod that cairn-demo takes."""
    bundled = ROOT / ".tools/mongod/fiftyone/db/bin/mongod"
    binary = os.environ.get("CAIRN_MONGOD") or shutil.which("mongod") or str(bundled)
    return output_of(binary, "--version").split()[2].lstrip("v")


def peer_version(peer):
    """Its first line is "mongodump version: 100.9.4"."""
    return output_of(peer, "--version").splitlines()[0].rsplit(" ", 1)[-1]


def output_of(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout
