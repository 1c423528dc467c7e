"""The bare loops in C that Cairn is compared with: Benchmarks/limits."""

import json
import shutil

from .processes import ROOT, BenchmarkError, run

SOURCES = ROOT / "Benchmarks" / "limits"
PROGRAMS = ROOT / ".build" / "limits"
LIBRARIES = {
    "drain": ["libmongoc-1.0"],
    "insert": ["libmongoc-1.0"],
    "inflate": ["libisal", "libzstd"],
}
OPTIONS = ["-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror", "-pthread"]


def build():
    """Compiles them."""
    # Swift brings a clang with it.
    compiler = shutil.which("cc") or shutil.which("clang")
    if not compiler:
        raise BenchmarkError("there is no C compiler")
    PROGRAMS.mkdir(parents=True, exist_ok=True)
    for name, libraries in LIBRARIES.items():
        flags = run("pkg-config", "--cflags", "--libs", *libraries).output.split()
        run(compiler, *OPTIONS, "-o", PROGRAMS / name, SOURCES / f"{name}.c", *flags)


def limit(name, *arguments):
    """Runs one; answers what it printed: "seconds", "bytes" and more."""
    return json.loads(run(PROGRAMS / name, *arguments).output)
