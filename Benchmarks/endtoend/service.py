"""The HTTP service under load: what that costs a backup, and what the service costs itself."""

import contextlib
import http.client
import json
import pathlib
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from statistics import median, quantiles
from typing import NamedTuple

from .processes import ROOT, BenchmarkError, say

sys.path.insert(0, str(ROOT / "Scripts"))
from running_service import BASE, NO_LIMITS, ServiceError, built, temporary_service

DATABASE = "orders"
# Asks for the list and for a backup in turn. wrk waits `delay` milliseconds before a request: about
# PACE, but not at the same moment on every connection.
SCRIPT = """
local paths = {{ "{list}", "{get}" }}
local pace = {pace}
local count = 0
function request()
    count = count + 1
    return wrk.format("GET", paths[count % 2 + 1])
end
if pace > 0 then
    function delay() return math.random(0, 2 * pace) end
end
function done(summary, latency, requests)
    local errors = summary.errors
    io.write(string.format(
        '{{"requests": %d, "seconds": %f, "p50_ms": %f, "p99_ms": %f, "max_ms": %f, '
            .. '"errors": %d}}\\n',
        summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3,
        latency:percentile(99) / 1e3, latency.max / 1e3,
        errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
"""


@dataclass(frozen=True)
class Load:
    """What is asked while a backup runs: so many connections, each with a request now and then."""

    name: str
    connections: int
    # The mean time between an answer and the next request of a connection; 0 for none.
    pace_ms: int


LOADS = (
    Load("each connection asks once a second", 200, 1000),
    Load("each connection asks again at once", 200, 0),
)


# What monitors ask, without a token; the second looks at database, repository and records.
PROBES = ("/healthz", "/readyz")
PROBE_PAUSE_SECONDS = 0.1


class Prober:
    """A monitor that asks each probe a few times a second, on connections of its own, until it is
    stopped."""

    def __init__(self, service):
        self.milliseconds = []
        self._service = service
        self._stopped = threading.Event()
        self._failure = None
        self._thread = threading.Thread(target=self._ask)
        self._thread.start()

    def _ask(self):
        try:
            while not self._stopped.wait(PROBE_PAUSE_SECONDS):
                for path in PROBES:
                    self.milliseconds.append(ask_once(self._service, path))
        except (OSError, BenchmarkError) as error:
            self._failure = error

    def stop(self):
        """What it took each time."""
        self._stopped.set()
        self._thread.join()
        if self._failure:
            raise BenchmarkError(f"a probe failed: {self._failure}")
        return self.milliseconds


class TimedBackup(NamedTuple):
    """How long a backup took, in seconds."""

    job: float
    answer: float


class Wrk:
    """wrk against the running service, for a time or until it is stopped."""

    def __init__(self, service, backup, load, seconds, folder):
        script = folder / "load.lua"
        script.write_text(
            SCRIPT.format(
                list=f"{BASE}/backup/list", get=f"{BASE}/backup/{backup}", pace=load.pace_ms
            )
        )
        # At the lowest priority: another machine would send the requests, not this one.
        self.process = subprocess.Popen(
            [
                "nice", "-n", "19", "wrk", "--threads", "1", "--timeout", "10",
                "--connections", str(load.connections), "--duration", f"{seconds}s",
                "--header", f"Authorization: {service.authorization}",
                "--script", script, f"http://127.0.0.1:{service.port}/",
            ],
            stdout=subprocess.PIPE,
            text=True,
        )  # fmt: skip

    @property
    def is_running(self):
        """Whether it is still asking."""
        return self.process.poll() is None

    def result(self):
        """What it has counted; waits for its end."""
        output, _ = self.process.communicate()
        if self.process.returncode != 0:
            raise BenchmarkError(f"wrk ended with {self.process.returncode}\n{output}")
        found = json.loads(output.splitlines()[-1])
        return found | {"requests_a_second": found["requests"] / found["seconds"]}


def timed_backup(service):
    """One backup of all the data, removed again: the seconds that the job took, and those from the
    request to the answer that it has ended."""
    begin = time.perf_counter()
    answer = service.post("/backup/create", {"databases": [DATABASE]}, Prefer="wait=60")
    seconds = time.perf_counter() - begin
    if answer.status != 200 or answer.json["status"] != "SUCCEEDED":
        raise BenchmarkError(f"the backup failed: {answer.status} {answer.body}")
    job = service.job(answer.json["job_id"])
    for archive in service.repository.glob(f"{job['backup_id']}*"):
        archive.unlink()
    return TimedBackup(job["result"]["seconds"], seconds)


def resident_mib(pid):
    """What it has in memory now."""
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise BenchmarkError(f"process {pid} is gone")


def measure_load(service, load, seconds, rounds, folder):
    """In each round backups without and with load, as many as fit in the time of the load."""
    kept = service.backup(ns_include=["nothing.*", "admin.system.version"])
    found = {"alone": [], "loaded": [], "wrk": [], "probes_ms": []}
    for number in range(rounds):
        alone = [timed_backup(service) for _ in range(2)]
        wrk = Wrk(service, kept, load, seconds, folder)
        prober = Prober(service)
        loaded = []
        while True:
            taken = timed_backup(service)
            if not wrk.is_running:
                break
            loaded.append(taken)
        found["probes_ms"] += prober.stop()
        counted = wrk.result()
        # Before and behind, for machines get slower and faster by themselves.
        alone += [timed_backup(service) for _ in range(2)]
        if not loaded:
            raise BenchmarkError("no backup ended while there was load; give it more --seconds")
        found["alone"] += alone
        found["loaded"] += loaded
        found["wrk"].append(counted)
        say(
            f"{load.name}, round {number + 1} of {rounds}: backup {job_seconds(alone):.2f} s alone,"
            f" {job_seconds(loaded):.2f} s at {counted['requests_a_second']:.0f} requests/s"
        )
    found["slowdown"] = job_seconds(found["loaded"]) / job_seconds(found["alone"]) - 1
    return found


def job_seconds(backups):
    """What the job takes, the median of some backups."""
    return median(backup.job for backup in backups)


# The list


def copy_snapshots(service, count):
    """A repository of so many: copies of a small one under identifiers of their own."""
    first = service.backup(ns_include=["admin.system.version"])
    (archive,) = service.repository.glob(f"{first}.*")
    stamp, kind, _ = first.split("-")
    for number in range(count - len(service.backups())):
        name = archive.name.replace(first, f"{stamp}-{kind}-{number:06x}")
        if not (service.repository / name).exists():
            shutil.copyfile(archive, service.repository / name)


def measure_list(service, count, repetitions):
    """How long the list takes once it has been asked for before."""
    copy_snapshots(service, count)
    found = {"snapshots": count}
    for limit in (100, 1000):
        path = f"{BASE}/backup/list?limit={limit}"
        with contextlib.closing(Client(service)) as client:
            page = json.loads(client.get(path))
            states = {backup["status"] for backup in page["backups"]}
            if states != {"COMPLETED"} or page["totals"]["backups"] < count:
                raise BenchmarkError(f"the list shows {page['totals']}, of status {states}")
            found[f"limit_{limit}_ms"] = client.milliseconds(path, repetitions)
    return found


class Client:
    """One connection that asks again and again."""

    def __init__(self, service):
        self.connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=60)
        self.headers = {"Authorization": service.authorization}

    def get(self, path):
        """The body of an answer, which must be a good one."""
        self.connection.request("GET", path, headers=self.headers)
        response = self.connection.getresponse()
        body = response.read()
        if response.status != 200:
            raise BenchmarkError(f"{path} was answered with {response.status}: {body[:200]}")
        return body

    def milliseconds(self, path, repetitions):
        """How long each of many answers took."""
        samples = []
        for _ in range(repetitions):
            begin = time.perf_counter()
            self.get(path)
            samples.append(1000 * (time.perf_counter() - begin))
        return samples

    def close(self):
        """Ends the connection."""
        self.connection.close()


# Idle connections


def measure_idle(service, count, repetitions, path):
    """Many connections that ask nothing, and what those that do ask notice of them."""
    allow_open_files(count + 1000)
    found = {"connections": count, "mib_before": resident_mib(service.process.pid)}
    with contextlib.closing(Client(service)) as client:
        found["before_ms"] = client.milliseconds(path, repetitions)
    with contextlib.ExitStack() as idle:
        for _ in range(count):
            idle.enter_context(socket.create_connection(("127.0.0.1", service.port), timeout=60))
        # A connection is taken when it is answered; this one is behind all of them in the line.
        with contextlib.closing(Client(service)) as client:
            client.get(path)
            found["with_ms"] = client.milliseconds(path, repetitions)
        found["new_ms"] = [ask_once(service, path) for _ in range(repetitions)]
        found["mib_with"] = resident_mib(service.process.pid)
    return found


def ask_once(service, path):
    """How long an answer on a new connection takes."""
    begin = time.perf_counter()
    with contextlib.closing(Client(service)) as client:
        client.get(path)
    return 1000 * (time.perf_counter() - begin)


def allow_open_files(count):
    """For this process and those that it starts from now on."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < count:
        raise BenchmarkError(f"{count} open files are needed, and {hard} are allowed (ulimit -n)")
    resource.setrlimit(resource.RLIMIT_NOFILE, (count, hard))


def percentile(samples, share):
    """The value that so many of a hundred samples do not exceed."""
    return quantiles(samples, n=100, method="inclusive")[share - 1]


def measure(options):
    """All of it, on one service."""
    data = f"{DATABASE}:{options.documents}"
    say(f"loading {options.documents:,} documents")
    # Without limits, and with connections that may be idle for longer than this takes.
    flags = (*NO_LIMITS, "--idle-timeout", "1h", "--connections", "20000")
    if options.share:
        flags += ("--request-share", str(options.share))
    with temporary_service(built("release"), data, options=flags, cache_gb=2) as service:
        service.start()
        timed_backup(service)
        with tempfile.TemporaryDirectory(prefix="cairn-http-") as folder:
            folder = pathlib.Path(folder)
            loads = {
                load.name: measure_load(service, load, options.seconds, options.rounds, folder)
                for load in LOADS
            }
        say("listing")
        listed = measure_list(service, options.snapshots, options.repetitions)
        say("idle connections")
        # Anew, for one that has made backups has memory to spare, and hides what connections take.
        service.stop()
        service.start()
        idle = measure_idle(
            service, options.idle, options.repetitions, f"{BASE}/backup/list?limit=10"
        )
    return {"loads": loads, "list": listed, "idle": idle}
