#!/usr/bin/env python3
"""The worked example of archive.md against the vector that it shows:
python3 formats/example_test.py

CAIRN_REGENERATE=1 writes the example anew. Needs nothing but the standard library.
"""
import os, pathlib, re, sys, unittest

sys.dont_write_bytecode = True
import make_example, reader

PAGE = pathlib.Path(__file__).parent / "archive.md"
EXAMPLE = re.compile(r"(<!-- example -->\n)(.*?)(<!-- end of the example -->)", re.DOTALL)


def page():
    return PAGE.read_text(encoding="utf-8")


class ExampleTests(unittest.TestCase):
    def test_the_example_is_the_vectors(self):
        made = make_example.text()
        if os.environ.get("CAIRN_REGENERATE") == "1":
            written = EXAMPLE.sub(lambda found: found[1] + made + found[3], page())
            PAGE.write_text(written, encoding="utf-8")
        self.assertEqual(EXAMPLE.search(page())[2], made)

    def test_its_fields_are_those_of_the_tables(self):
        """The layouts that make_example.py knows are those of sections 4 and 6.4."""
        for heading, fields in (
            ("## 4. ", make_example.HEADER_FIELDS), ("### 6.4 ", make_example.TRAILER_FIELDS),
        ):
            section = page().split(f"\n{heading}", 1)[1].split("\n#", 1)[0]
            stated = re.findall(r"^\| \d+ \| (\d+) \| (\w+) \|", section, re.MULTILINE)
            self.assertEqual([(name, int(size)) for size, name in stated], list(fields))

    def test_what_is_said_below_it_is_so(self):
        data = (PAGE.parent / "vectors" / make_example.VECTOR).read_bytes()
        end, _, hidden, frame = list(make_example.frames(data))[-1]
        start, stored, manifest, chunks = (
            int.from_bytes(hidden[at:at + 8], "little") for at in (8, 16, 24, 32)
        )
        self.assertEqual(start + stored, end)
        self.assertIn(f"{start} + {stored} = {end}", page())
        self.assertIn(f"first {manifest} bytes are the manifest", page())
        self.assertIn(f"{chunks} rows of 160 bytes", page())
        self.assertEqual(int.from_bytes(frame[80:88], "little"), reader.crc64(frame[16:80]))
        self.assertEqual(int.from_bytes(frame[72:80], "little"), reader.crc64(frame[88:]))


if __name__ == "__main__":
    unittest.main()
