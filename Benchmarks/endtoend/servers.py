"""A mongod of our own, filled with sample data."""

import contextlib
import subprocess

from .processes import PROGRAMS, BenchmarkError, run

DEMO = PROGRAMS / "cairn-demo"
# All of a data set and of its copy stay in it, so nothing waits for a disk.
CACHE_GB = 2
# A server must be given something to load.
NO_DATA = "small:0:nothing"


@contextlib.contextmanager
def private_server(*data_sets, cache_gb=CACHE_GB):
    """Starts one and loads "THEME:DOCUMENTS[:DATABASE]"; gives its URI. It ends with the block,
    and with this process, however that ends."""
    options = [part for data_set in data_sets for part in ("--data-set", data_set)]
    process = subprocess.Popen(
        [DEMO, "serve", "--cache-gb", str(cache_gb), *options],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        uri = process.stdout.readline().strip()
        if not uri:
            raise BenchmarkError("the private server did not start")
        yield uri
    finally:
        process.stdin.close()
        process.wait()
        process.stdout.close()


def settle(uri, drop=None):
    """Has the server write what it has not yet; before that, drops a database."""
    run(DEMO, "settle", "--uri", uri, *(["--drop", drop] if drop else []))


def change(uri, database):
    """Changes one in a hundred documents."""
    run(DEMO, "change", "--uri", uri, database)


def write_documents(data_set, file):
    """Writes the documents of "THEME:DOCUMENTS" to an open file."""
    subprocess.run([DEMO, "write", "--data-set", data_set], stdout=file, check=True)
