#!/usr/bin/env python3
"""The service as others on the network have it: by TLS, behind a proxy, with an issuer's keys, and
with more connections than it has anything to do for: python3 Tests/ServiceProcess/wire_test.py

Needs the debug build and openssl ("make test" sees to both); no database server is asked.
"""

import base64
import concurrent.futures
import contextlib
import http.client
import http.server
import json
import os
import pathlib
import resource
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import unittest

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent / "Scripts"))
from running_service import BASE, NO_LIMITS, Service, built

PROGRAMS = built()
# Nothing listens there, so that jobs fail and requests do not.
URI = "mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=300"
IDLE_COUNT = 10_000


def openssl(*arguments, data=None):
    """What openssl writes."""
    command = ["openssl", *map(str, arguments)]
    return subprocess.run(command, input=data, capture_output=True, check=True).stdout


def base64url(data):
    """As tokens have it."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Issuer:
    """Signs tokens with RS256 keys, and publishes those by HTTP until it is told not to."""

    def __init__(self, folder):
        self.folder = folder
        self.published = []
        self.request_count = 0
        issuer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            """Answers with the keys."""

            def do_GET(self):
                issuer.request_count += 1
                body = json.dumps({"keys": issuer.published}).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/keys"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def make_key(self, kid):
        """Makes a key, and publishes it."""
        file = self.folder / f"{kid}.pem"
        openssl("genrsa", "-out", file, "2048")
        modulus = openssl("rsa", "-in", file, "-noout", "-modulus").decode().split("=")[1]
        self.published.append(
            {
                "kty": "RSA", "kid": kid, "alg": "RS256", "use": "sig", "e": "AQAB",
                "n": base64url(bytes.fromhex(modulus.strip())),
            }
        )  # fmt: skip

    def token(self, kid, header_kid=None):
        """One of a viewer, signed with a key."""
        header = {"alg": "RS256", "typ": "JWT", "kid": header_kid or kid}
        now = int(time.time())
        claims = {"sub": "ann", "role": "super_admin", "iat": now, "exp": now + 600}
        text = ".".join(base64url(json.dumps(part).encode()) for part in (header, claims))
        signature = openssl(
            "dgst", "-sha256", "-sign", self.folder / f"{kid}.pem", data=text.encode()
        )
        return f"{text}.{base64url(signature)}"

    def close(self):
        """Nobody answers any more."""
        self.server.shutdown()
        self.server.server_close()


class Wire(unittest.TestCase):
    """A service of its own for each test."""

    def setUp(self):
        scope = tempfile.TemporaryDirectory(prefix="cairn-wire-")
        self.addCleanup(scope.cleanup)
        self.folder = pathlib.Path(scope.name)

    def service(self, *options, **keywords):
        """A service that is not started yet, and ends with the test."""
        # Jobs wait for no server, and the end waits for no job.
        common = (*NO_LIMITS, "--retry-for", "0s", "--grace", "0s")
        service = Service(
            PROGRAMS, self.folder / "service", URI, (*common, *options), **keywords
        )
        self.addCleanup(service.__exit__)
        return service

    # TLS

    def certificate(self, name):
        """A certificate for this machine that is its own root, and its key."""
        certificate, key = self.folder / f"{name}.crt", self.folder / f"{name}.key"
        openssl(
            "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate,
            "-days", "2", "-subj", "/CN=localhost",
            "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
        )  # fmt: skip
        return certificate, key

    def test_tls(self):
        """Answers come by TLS 1.2 or later with the certificate that was given, and not without."""
        certificate, key = self.certificate("own")
        tls = ssl.create_default_context(cafile=certificate)
        service = self.service("--tls-certificate", certificate, "--tls-key", key, tls=tls)
        service.start(is_ready=False)
        answer = service.get("/healthz", base="")
        self.assertEqual(answer.status, 200)
        self.assertEqual(answer.headers["Strict-Transport-Security"], "max-age=31536000")
        self.assertEqual(service.get("/backup/list").status, 200)
        self.assertEqual(service.post("/backup/create").status, 202)

        plain = http.client.HTTPConnection("127.0.0.1", service.port, timeout=20)
        with contextlib.closing(plain), self.assertRaises((http.client.HTTPException, OSError)):
            plain.request("GET", "/healthz")
            plain.getresponse()
        stranger = ssl.create_default_context(cafile=self.certificate("other")[0])
        with socket.create_connection(("127.0.0.1", service.port), timeout=20) as raw:
            with self.assertRaises(ssl.SSLError):
                stranger.wrap_socket(raw, server_hostname="localhost")
        # Of two that the library knows, the older is refused by the server, not by the client.
        place = ("-connect", f"127.0.0.1:{service.port}", "-cipher", "DEFAULT@SECLEVEL=0")
        openssl("s_client", "-tls1_2", *place, data=b"")
        with self.assertRaises(subprocess.CalledProcessError):
            openssl("s_client", "-tls1_1", *place, data=b"")
        self.assertEqual(service.get("/healthz", base="").status, 200)

        place = ["--service", f"https://localhost:{service.port}", "--secret-file", service.secret]
        trusted = [*place, "--ca-certificate", certificate]
        self.assertIn("02:30", service.run("schedule", "set", "30 2 * * *", *trusted))
        self.assertIn("30 2 * * *", service.run("schedule", "show", *trusted))
        with self.assertRaises(subprocess.CalledProcessError) as untrusted:
            service.run("schedule", "show", *place)
        self.assertIn("--ca-certificate", untrusted.exception.stderr)

    def test_a_key_of_another_certificate_is_refused(self):
        """Before anything is served, and with the names of the files."""
        certificate, _ = self.certificate("own")
        _, key = self.certificate("other")
        with self.assertRaises(subprocess.CalledProcessError) as refused:
            self.service().run(
                "serve", "--secret-file", self.folder / "service" / "secret", "--uri", URI,
                "--repository", self.folder / "r", "--state", self.folder / "s", "--port", "0",
                "--tls-certificate", certificate, "--tls-key", key,
            )  # fmt: skip
        self.assertIn("other.key", refused.exception.stderr)
        self.assertIn("own.crt", refused.exception.stderr)

    # Keys

    def test_keys_by_url(self):
        """New keys are fetched when a token names one; the old ones outlive their issuer."""
        issuer = Issuer(self.folder)
        issuer.make_key("first")
        service = self.service(keys=("--jwks", issuer.url, "--algorithm", "RS256"))
        service.start(is_ready=False)

        def status(token):
            headers = {"Authorization": f"Bearer {token}"}
            return service.call("GET", "/backup/list", headers=headers).status

        self.assertEqual(status(issuer.token("first")), 200)
        self.assertEqual(service.get("/backup/list").status, 401)
        fetched = issuer.request_count
        issuer.make_key("second")
        self.assertEqual(status(issuer.token("second", header_kid="first")), 401)
        self.assertEqual(issuer.request_count, fetched)
        service.wait_for(lambda: status(issuer.token("second")) == 200, "the new key is known", 1)
        self.assertGreater(issuer.request_count, fetched)
        issuer.close()
        self.assertEqual(status(issuer.token("first")), 200)
        self.assertEqual(status(issuer.token("first", header_kid="third")), 401)

    # Addresses

    def addresses(self, *options):
        """Where the audit log says that requests came from, by what they said of it."""
        service = self.service(*options)
        service.start(is_ready=False)
        said = ("", "203.0.113.7", "198.51.100.9, 203.0.113.8", "nonsense")
        for number, text in enumerate(said):
            headers = {"X-Forwarded-For": text} if text else {}
            headers["X-Request-Id"] = f"request-{number}"
            self.assertEqual(service.call("POST", "/backup/create", {}, headers).status, 202)
        log = json.loads(service.run("audit", "list", "--json", "--state", service.state))
        found = {
            entry["request_id"]: entry["address"]
            for entry in log
            if entry["action"] == "backup.create"
        }
        self.assertEqual(service.stop(), 0)
        self.assertIn("whole", service.run("audit", "verify", "--state", service.state))
        return [found[f"request-{number}"] for number in range(len(said))]

    def test_a_proxy_that_is_trusted_is_believed(self):
        """The last address that it names is the client's."""
        found = self.addresses("--trusted-proxy", "127.0.0.1")
        self.assertEqual(found, ["127.0.0.1", "203.0.113.7", "203.0.113.8", "127.0.0.1"])

    def test_nobody_else_is_believed(self):
        """Whatever a client says of itself."""
        self.assertEqual(self.addresses(), ["127.0.0.1"] * 4)

    # Connections

    def test_many_follow_a_job_at_once(self):
        """Streams of events that end at once, over and over: the service hung after some forty."""
        service = self.service()
        service.start(is_ready=False)
        job = service.post("/backup/create", {}).json["job_id"]
        service.finished(job)

        def follow(_):
            connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=60)
            with contextlib.closing(connection):
                for _ in range(200):
                    connection.request(
                        "GET", f"{BASE}/jobs/{job}/events",
                        headers={"Authorization": service.authorization},
                    )  # fmt: skip
                    self.assertIn(b"FAILED", connection.getresponse().read())

        with concurrent.futures.ThreadPoolExecutor(8) as clients:
            list(clients.map(follow, range(8)))
        self.assertEqual(service.get("/healthz", base="").status, 200)

    def test_ten_thousand_idle_connections(self):
        """Those that ask are answered, on these and on others, and nothing is left of them."""
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        needed = IDLE_COUNT + 1000
        if hard != resource.RLIM_INFINITY and hard < needed:
            self.skipTest(f"{needed} open files are needed, and {hard} are allowed (ulimit -Hn)")
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))
        service = self.service("--idle-timeout", "10m", "--connections", "12000")
        service.start(is_ready=False)
        with contextlib.ExitStack() as idle:
            connections = [
                idle.enter_context(
                    socket.create_connection(("127.0.0.1", service.port), timeout=60)
                )
                for _ in range(IDLE_COUNT)
            ]
            for _ in range(20):
                self.assertEqual(service.get("/backup/list").status, 200)
            open_count = len(os.listdir(f"/proc/{service.process.pid}/fd"))
            self.assertGreater(open_count, IDLE_COUNT)
            # Each of them is one that is served.
            for connection in connections[:: IDLE_COUNT // 100]:
                request = f"GET {BASE}/nothing HTTP/1.1\r\nHost: localhost\r\n\r\n"
                connection.sendall(request.encode())
                self.assertTrue(connection.recv(100).startswith(b"HTTP/1.1 404"))
        service.wait_for(
            lambda: len(os.listdir(f"/proc/{service.process.pid}/fd")) < 200,
            "nothing is left of connections that were closed",
        )
        self.assertEqual(service.get("/healthz", base="").status, 200)


if __name__ == "__main__":
    unittest.main()
