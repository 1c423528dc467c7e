"""A private mongod with sample data and a Cairn service on it, for whatever looks at the service
from outside: its tests, the benchmark and `make serve`. Needs what was built, and nothing else.
"""

import base64
import contextlib
import http.client
import json
import os
import pathlib
import secrets
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass

ROOT = pathlib.Path(__file__).resolve().parent.parent
BASE = "/api/phase14"
# How long a program may take to start, or a job to get somewhere, on the slowest machine.
PATIENCE_SECONDS = 180
# So that no limit is what a test or a measurement finds.
NO_LIMITS = ("--rate", "1000000", "--address-rate", "1000000", "--refused-token-rate", "1000000")


class ServiceError(Exception):
    """Why there is no service to look at."""


@dataclass(frozen=True)
class Answer:
    """What the service has answered."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self):
        """The body as a value."""
        return json.loads(self.body)


@contextlib.contextmanager
def private_mongod(programs, *data_sets, cache_gb=0.25):
    """Starts a mongod and loads "THEME:DOCUMENTS[:DATABASE]"; gives its URI. It ends with the
    block, and with this process, however that ends."""
    options = [part for data_set in data_sets for part in ("--data-set", data_set)]
    process = subprocess.Popen(
        [programs / "cairn-demo", "serve", "--cache-gb", str(cache_gb), *options],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        uri = process.stdout.readline().strip()
        if not uri:
            raise ServiceError("the private mongod did not start")
        yield uri
    finally:
        process.stdin.close()
        process.wait()
        process.stdout.close()


class Service:
    """A service with a repository, a state and a secret of its own in a folder; may be started,
    killed and started again. What it logs is in the folder's file `log`."""

    def __init__(self, programs, folder, uri, options=(), keys=None, tls=None):
        """`keys` are options instead of the secret; `tls` is the context to talk to it with."""
        self.programs = programs
        self.folder = pathlib.Path(folder)
        self.uri = uri
        self.options = options
        self.tls = tls
        self.port = None
        self.process = None
        self.folder.mkdir(parents=True, exist_ok=True)
        if not self.secret.exists():
            self.secret.touch(mode=0o600)
            self.secret.write_bytes(base64.b64encode(secrets.token_bytes(32)))
        self.keys = keys or ("--secret-file", self.secret)
        self.authorization = f"Bearer {self.token()}"

    @property
    def secret(self):
        """The file that tokens are signed with."""
        return self.folder / "secret"

    @property
    def repository(self):
        """The folder of the archives."""
        return self.folder / "repository"

    @property
    def state(self):
        """The folder of jobs, audit log and schedule."""
        return self.folder / "state"

    @property
    def log(self):
        """What it has written to standard error, of all its lives."""
        return self.folder / "log"

    def run(self, *arguments):
        """Another command of the program, which must succeed; answers what it prints."""
        command = [self.programs / "cairn-server", *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    def token(self, role="super_admin", subject="ann", expires="24h"):
        """A token for a role."""
        return self.run(
            "token", "--secret-file", self.secret, "--role", role, "--subject", subject,
            "--expires", expires,
        )  # fmt: skip

    # Its life

    def start(self, *options, port=0, is_ready=True):
        """Starts it and waits until it is ready; or only until it listens, as without a mongod."""
        begin = self.log.stat().st_size if self.log.exists() else 0
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [
                    self.programs / "cairn-server", "serve", *self.keys, "--uri", self.uri,
                    "--repository", self.repository, "--state", self.state,
                    "--port", str(port), *self.options, *options,
                ],
                stdin=subprocess.DEVNULL,
                stderr=log,
            )  # fmt: skip
        self.port = self.wait_for(lambda: self._logged_port(begin), "it listens")
        if is_ready:
            self.wait_for(lambda: self.get("/readyz", base="").status == 200, "it is ready")
        return self

    def _logged_port(self, begin):
        """The port that it says it listens on since it was started."""
        for line in self.log.read_bytes()[begin:].splitlines():
            with contextlib.suppress(ValueError):
                entry = json.loads(line)
                if entry.get("message") == "listening":
                    return int(entry["port"])
        if self.process.poll() is not None:
            raise ServiceError(f"the service has ended:\n{self.log_end()}")
        return None

    def kill(self):
        """Ends it like a power cut would."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self):
        """Ends it as an operator would; answers its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE_SECONDS)

    def log_end(self):
        """The last lines of the log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-20:])

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        if self.process and self.process.poll() is None:
            self.stop()

    # Talking to it

    def call(self, method, path, body=None, headers=None, base=BASE):
        """A request with a super_admin's token, on a connection of its own."""
        sent = {"Authorization": self.authorization} | (headers or {})
        if body is not None:
            sent["Content-Type"] = "application/json"
        connection = self.connect()
        with contextlib.closing(connection):
            text = None if body is None else json.dumps(body)
            try:
                connection.request(method, base + path, text, sent)
            except ConnectionRefusedError as error:
                code = self.process.poll()
                message = f"nobody listens; the process's exit code is {code}\n{self.log_end()}"
                raise ServiceError(message) from error
            response = connection.getresponse()
            return Answer(response.status, response.headers, response.read())

    def connect(self):
        """A connection of its own."""
        place = ("127.0.0.1", self.port)
        if self.tls:
            return http.client.HTTPSConnection(*place, timeout=PATIENCE_SECONDS, context=self.tls)
        return http.client.HTTPConnection(*place, timeout=PATIENCE_SECONDS)

    def get(self, path, base=BASE):
        """What is at a path."""
        return self.call("GET", path, base=base)

    def post(self, path, body=None, **headers):
        """A request that changes something; `Idempotency_Key=...` is a header."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.call("POST", path, body, named)

    def job(self, job_id):
        """A job as it is now."""
        return self.get(f"/jobs/{job_id}").json

    def finished(self, job_id):
        """A job once it has ended."""
        return self.wait_for(
            lambda: (job := self.job(job_id))["finished"] and job, f"{job_id} has ended"
        )

    def backup(self, **body):
        """Makes a backup and waits for it; answers its identifier."""
        answer = self.post("/backup/create", body)
        if answer.status != 202:
            raise ServiceError(f"no backup was begun: {answer.status} {answer.body}")
        job = self.finished(answer.json["job_id"])
        if job["status"] != "SUCCEEDED":
            raise ServiceError(f"the backup is {job['status']}: {job['error']}")
        return job["backup_id"]

    def backups(self):
        """All in the list, newest first."""
        return self.get("/backup/list?limit=1000").json["backups"]

    def wait_for(self, look, what, interval=0.02):
        """Looks again and again until it finds something, and answers that."""
        end = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < end:
            found = look()
            if found:
                return found
            time.sleep(interval)
        raise ServiceError(f"waited {PATIENCE_SECONDS} seconds in vain that {what}")


@contextlib.contextmanager
def temporary_service(programs, *data_sets, options=NO_LIMITS, cache_gb=0.25):
    """A service that is not started yet, on a mongod with data, in a folder that goes with it."""
    with private_mongod(programs, *data_sets, cache_gb=cache_gb) as uri:
        with tempfile.TemporaryDirectory(prefix="cairn-service-") as folder:
            service = Service(programs, folder, uri, options)
            try:
                yield service
            finally:
                if service.process and service.process.poll() is None:
                    service.kill()


def built(configuration="debug"):
    """The folder of the programs that were built."""
    folder = pathlib.Path(os.environ.get("CAIRN_PROGRAMS", ROOT / ".build" / configuration))
    if not (folder / "cairn-server").exists():
        raise ServiceError(f"there is no {folder / 'cairn-server'}; build it first")
    return folder
