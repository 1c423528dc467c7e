#!/usr/bin/env python3
"""Tests of reader.py: python3 formats/reader_test.py

The second reader must accept every good vector and refuse every bad one, and notice every cut and
every flipped bit. Needs nothing but the standard library.
"""
import contextlib, functools, gzip, io, json, pathlib, subprocess, sys, unittest, zlib

sys.dont_write_bytecode = True
import make_bad_vectors
import reader

FOLDER = pathlib.Path(__file__).parent / "vectors"
GOOD = FOLDER / "good-gzip.archive.gz"
EXPECTED = json.loads((FOLDER / "expected.json").read_text(encoding="utf-8"))
# The tests of damage read nearly the same bytes thousands of times, so what is slow is remembered.
reader.crc64 = functools.lru_cache(maxsize=256)(reader.crc64)
reader.inflate = functools.lru_cache(maxsize=256)(reader.inflate)


def run(path):
    """What the reader prints of an archive, and what it says when it refuses one."""
    out = io.StringIO()
    try:
        with contextlib.redirect_stdout(out):
            reader.main(str(path))
    except SystemExit as error:
        return out.getvalue(), error.code
    return out.getvalue(), None


def is_whole(data):
    try:
        reader.Walk().run(io.BytesIO(data))
    except (LookupError, TypeError, ValueError, zlib.error):
        return False
    return True


class VectorTests(unittest.TestCase):
    def test_every_vector_is_expected(self):
        files = {path.name for path in FOLDER.iterdir()} - {"expected.json"}
        self.assertEqual(files, set(EXPECTED["good"]) | set(EXPECTED["bad"]))

    def test_good_vectors_are_whole(self):
        for name, expected in EXPECTED["good"].items():
            with self.subTest(name):
                out, refused = run(FOLDER / name)
                self.assertIsNone(refused)
                self.assertIn(f": whole, {expected['chunks']} chunks", out)
                self.assertEqual(make_bad_vectors.summary(FOLDER / name), expected)

    def test_bad_vectors_are_refused_in_one_sentence(self):
        for name, expected in EXPECTED["bad"].items():
            with self.subTest(name):
                out, refused = run(FOLDER / name)
                if expected.get("second_reader") == "accepts":
                    self.assertIn("Not checked: fingerprints", out)
                    continue
                self.assertEqual(out, "")
                pattern = r"\A[^\n]+: [^\n]+ \(chunk \d+, offset \d+\)\Z"
                self.assertRegex(refused, pattern)

    def test_only_fingerprints_are_left_to_cairns_own_reader(self):
        accepted = [name for name, bad in EXPECTED["bad"].items() if "second_reader" in bad]
        self.assertEqual(accepted, ["bad-fingerprint.archive.gz"])

    def test_what_was_not_checked_is_said(self):
        self.assertIn("Not checked: fingerprints", run(GOOD)[0])
        for name in ("good-zstd.archive.zst", "good-lz4.archive.lz4"):
            codec = EXPECTED["good"][name]["codec"]
            said = f"Not checked: content, which needs {codec}, and fingerprints"
            self.assertIn(said, run(FOLDER / name)[0])

    def test_bad_vectors_are_what_the_script_makes(self):
        for name, (defect, _) in make_bad_vectors.BAD.items():
            with self.subTest(name):
                data = make_bad_vectors.made(defect)
                self.assertEqual((FOLDER / f"bad-{name}.archive.gz").read_bytes(), data)

    def test_the_command_line_answers_with_its_exit_code(self):
        script = str(pathlib.Path(__file__).parent / "reader.py")
        for path, code in [(GOOD, 0), (FOLDER / "bad-gap.archive.gz", 1), ("no such file", 1)]:
            done = subprocess.run([sys.executable, script, str(path)], capture_output=True)
            self.assertEqual(done.returncode, code, done)
            self.assertEqual(len((done.stdout + done.stderr).splitlines()), 1, done)


class DamageTests(unittest.TestCase):
    def setUp(self):
        self.data = GOOD.read_bytes()
        self.assertTrue(is_whole(self.data))

    def test_every_cut_is_refused(self):
        for size in range(len(self.data)):
            self.assertFalse(is_whole(self.data[:size]), f"cut at {size}")

    def test_every_flip_is_refused(self):
        for at in range(len(self.data)):
            flipped = bytearray(self.data)
            flipped[at] ^= 1 << at % 8
            self.assertFalse(is_whole(bytes(flipped)), f"flip at {at}")

    def test_every_flip_is_refused_without_the_codec(self):
        data = (FOLDER / "good-zstd.archive.zst").read_bytes()
        for at in range(len(data)):
            flipped = bytearray(data)
            flipped[at] ^= 1 << at % 8
            self.assertFalse(is_whole(bytes(flipped)), f"flip at {at}")


class OtherToolsTests(unittest.TestCase):
    """An archive is an ordinary gzip file, and what is in it an ordinary mongodump archive."""

    def test_gzip_reads_the_same_content(self):
        content, file = b"", io.BytesIO(GOOD.read_bytes())
        for _ in range(EXPECTED["good"][GOOD.name]["chunks"]):
            header, _, frame = reader.read_frame(file)
            content += reader.inflate(frame, header.raw)
        self.assertEqual(gzip.decompress(GOOD.read_bytes()), content)
        self.assertEqual(content[:4], b"\x6d\xe2\x99\x81")

    def test_the_gzip_command_accepts_every_gzip_vector(self):
        for name in EXPECTED["good"]:
            if name.endswith(".gz"):
                with self.subTest(name):
                    subprocess.run(["gzip", "-t", str(FOLDER / name)], check=True)


class SizeTests(unittest.TestCase):
    def test_the_reader_stays_small_enough_to_be_read(self):
        lines = pathlib.Path(reader.__file__).read_text(encoding="utf-8").splitlines()
        self.assertLessEqual(len(lines), 200)
        self.assertLessEqual(max(map(len, lines)), 100)


class ChecksumTests(unittest.TestCase):
    def test_crc64_is_that_of_the_specification(self):
        self.assertEqual(reader.crc64(b"123456789"), 0x995DC9BBDF1939FA)
        self.assertEqual(reader.crc64(b"6789", reader.crc64(b"12345")), 0x995DC9BBDF1939FA)
        self.assertEqual(reader.crc64(b""), 0)


if __name__ == "__main__":
    unittest.main()
