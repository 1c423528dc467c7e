#!/usr/bin/env python3
"""The documents against what they speak of: tests that exist, links that lead somewhere, numbers
without gaps, metrics that are counted: python3 Tests/CommandProcess/documents_test.py

Needs nothing that was built.
"""

import pathlib
import re
import unittest
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
README_LINES_MAX = 150
# A document that promises less than this was cut.
GUARANTEES_MIN = 50

PAGES = [ROOT / "README.md", *sorted(ROOT.glob("docs/*.md")), *sorted(ROOT.glob("formats/*.md"))]
SWIFT_TYPE = re.compile(
    r"^(?:\w+ |@[\w.]+(?:\(.*\))? )*(?:struct|enum|class|actor|extension) (\w+)"
)
SWIFT_TEST = re.compile(r"func `?(\w+)`?\b")
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


def read(path):
    """The text of a file of the project."""
    return path.read_text(encoding="utf-8")


def swift_tests(text):
    """`Suite.test` for each test of a file. Swift is formatted, so what is around a line is what
    began before it and is indented less."""
    found = set()
    around = []
    is_test = False
    for line in text.splitlines():
        code = line.lstrip()
        indent = len(line) - len(code)
        declared = SWIFT_TYPE.match(code)
        if declared:
            around = [(name, depth) for name, depth in around if depth < indent]
            around.append((declared.group(1), indent))
        is_test = is_test or code.startswith("@Test")
        function = SWIFT_TEST.search(code)
        if is_test and function:
            names = [name for name, depth in around if depth < indent]
            found.update(f"{name}.{function.group(1)}" for name in names[-1:])
            is_test = False
    return found


def python_tests(text):
    """`Class.test` for each test of a file."""
    found = set()
    name = ""
    for line in text.splitlines():
        declared = re.match(r"class (\w+)", line)
        name = declared.group(1) if declared else name
        method = re.match(r"    def (test_\w+)", line)
        if method:
            found.add(f"{name}.{method.group(1)}")
    return found


def every_test():
    """All tests of the project, by the names that documents give them."""
    found = set()
    for path in (ROOT / "Tests").rglob("*.swift"):
        found |= swift_tests(read(path))
    for folder in ("Tests", "formats", "Benchmarks"):
        for path in (ROOT / folder).rglob("*_test.py"):
            found |= python_tests(read(path))
    return found


def numbered(text):
    """Number, sentence and names of tests of each guarantee."""
    rows = re.findall(r"^\| G(\d+) \| (.+?) \| (.+?) \|$", text, re.MULTILINE)
    return [(int(number), said, re.findall(r"`([^`]+)`", tests)) for number, said, tests in rows]


def faults(text, known):
    """What is wrong with a page of guarantees."""
    rows = numbered(text)
    found = []
    numbers = [number for number, _, _ in rows]
    if numbers != list(range(1, len(rows) + 1)):
        found.append(f"the numbers are not 1 to {len(rows)} in order: {numbers}")
    for number, said, tests in rows:
        if not tests:
            found.append(f"G{number} has no test")
        if not said.endswith("."):
            found.append(f"G{number} is not a sentence")
        found += [f"G{number}: there is no test {name}" for name in tests if name not in known]
    return found


def anchors(text):
    """The places in a page that links can name, as the usual viewers of Markdown make them."""
    found = set()
    for heading in re.findall(r"^#+ (.+)$", FENCE.sub("", text), re.MULTILINE):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
        slug = re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")
        name, count = slug, 0
        while name in found:
            count += 1
            name = f"{slug}-{count}"
        found.add(name)
    return found


def broken_links(path, text):
    """Relative links and images of a page that lead nowhere."""
    found = []
    prose = re.sub(r"`[^`\n]*`", "", FENCE.sub("", text))
    for target in re.findall(r"\]\(([^)\s]+)\)", prose):
        if re.match(r"[a-z]+:", target):
            continue
        place, _, anchor = target.partition("#")
        file = path.parent / urllib.parse.unquote(place) if place else path
        if file != path and not file.exists():
            found.append(f"{path.name}: {target} leads nowhere")
        elif anchor and anchor not in anchors(text if file == path else read(file)):
            found.append(f"{path.name}: {target} names no heading")
    return found


class Guarantees(unittest.TestCase):
    """docs/guarantees.md"""

    def test_every_guarantee_has_its_number_and_tests_that_exist(self):
        text = read(ROOT / "docs/guarantees.md")
        self.assertEqual(faults(text, every_test()), [])
        self.assertGreaterEqual(len(numbered(text)), GUARANTEES_MIN)

    def test_a_fault_is_found(self):
        known = {"A.b"}
        good = "| G1 | It holds. | `A.b` |\n| G2 | So does it. | `A.b` |\n"
        self.assertEqual(faults(good, known), [])
        for bad in (
            good.replace("G2", "G3"),
            good.replace("G2", "G1"),
            good.replace("A.b", "A.c", 1),
            good.replace("`A.b`", "–", 1),
            good.replace("holds.", "holds"),
        ):
            self.assertNotEqual(faults(bad, known), [], bad)

    def test_tests_are_found_in_their_suites(self):
        text = (
            "@Suite struct Outer {\n    @Suite(.serialized) struct Inner {\n"
            "        @Test(arguments: [1])\n        func one(n: Int) {}\n    }\n\n"
            "    @Test func two() {}\n    func three() {}\n}\n"
        )
        self.assertEqual(swift_tests(text), {"Inner.one", "Outer.two"})
        self.assertIn(f"Guarantees.{self._testMethodName}", every_test())


def metrics_of_sources():
    """Names of metrics that the service's sources have; `\\(name)` stands for any of a few."""
    found = set()
    folders = [ROOT / "Sources/HTTPService", ROOT / "Sources/Operations"]
    for path in (path for folder in folders for path in folder.rglob("*.swift")):
        text = read(path)
        for name in re.findall(r'"(cairn_[a-z_]+(?:\\\(name\)[a-z_]+)?)"', text):
            words = re.findall(r'moment\(\s*"([a-z_]+)"', text) if "\\" in name else [""]
            found |= {name.replace("\\(name)", word) for word in words}
    return found


class Reference(unittest.TestCase):
    """docs/metrics.md and docs/configuration.md"""

    def test_every_metric_is_described(self):
        known = metrics_of_sources()
        self.assertGreater(len(known), 30)
        rows = re.findall(r"^\| `(cairn_\w+)` \|", read(ROOT / "docs/metrics.md"), re.MULTILINE)
        self.assertEqual(sorted(rows), sorted(known))

    def test_every_metric_of_an_alert_is_one(self):
        text = read(ROOT / "docs/metrics.md")
        used = re.findall(r"\bcairn_\w+", text.split("## Alerts", 1)[1])
        self.assertGreaterEqual(len(used), 3)
        self.assertEqual(set(used) - metrics_of_sources(), set())

    def test_every_option_of_the_service_is_described(self):
        commands = read(ROOT / "docs/commands.md")
        part = commands.split("\n## cairn serve\n", 1)[1].split("\n## ", 1)[0]
        options = set(re.findall(r"^\| `(--[a-z-]+)", part, re.MULTILINE)) - {"--version"}
        text = read(ROOT / "docs/configuration.md").split("## Environment", 1)[0]
        rows = [line for line in text.splitlines() if line.startswith("| `--")]
        described = {name for row in rows for name in re.findall(r"`(--[a-z-]+)`", row[:100])}
        self.assertGreater(len(options), 30)
        self.assertEqual(options - described, set())

    def test_the_unit_of_systemd_gives_options_that_there_are(self):
        unit = read(ROOT / "docs/cairn-server.service")
        given = re.findall(r"(--[a-z-]+)", re.search(r"^ExecStart=(.*)$", unit, re.MULTILINE)[1])
        self.assertGreater(len(given), 1)
        described = read(ROOT / "docs/configuration.md")
        self.assertEqual([name for name in given if f"`{name}`" not in described], [])

    def test_every_option_of_a_connection_string_is_described(self):
        source = read(ROOT / "Sources/MongoDriver/ConnectionString/ConnectionOption.swift")
        names = set(re.findall(r'ConnectionOption\(\s*"(\w+)"', source))
        described = set(re.findall(r"`(\w+)`", read(ROOT / "docs/configuration.md")))
        self.assertGreater(len(names), 40)
        self.assertEqual(names - described, set())

    def test_every_variable_is_described(self):
        found = set()
        for path in (ROOT / "Sources").rglob("*.swift"):
            found |= set(re.findall(r'Environment\["([A-Z_]+)"\]', read(path)))
        described = set(re.findall(r"`([A-Z_]+)`", read(ROOT / "docs/configuration.md")))
        self.assertGreater(len(found), 8)
        self.assertEqual(found - described, set())


class Links(unittest.TestCase):
    """README.md, docs and formats"""

    def test_every_relative_link_leads_somewhere(self):
        self.assertGreater(len(PAGES), 5)
        found = [fault for path in PAGES for fault in broken_links(path, read(path))]
        self.assertEqual(found, [])

    def test_a_link_that_leads_nowhere_is_found(self):
        page = ROOT / "docs/page.md"
        text = "## A heading, `code`\n[a](#a-heading-code) [b](guide.md) [c](https://example.org)\n"
        self.assertEqual(broken_links(page, text), [])
        for bad in ("[a](#b)", "[a](nothing.md)", "[a](guide.md#nothing)", "![a](nothing.svg)"):
            self.assertEqual(len(broken_links(page, text + bad)), 1, bad)

    def test_every_document_is_linked_from_the_readme(self):
        text = read(ROOT / "README.md")
        places = [f"{path.parent.name}/{path.name}" for path in PAGES[1:]]
        missing = [place for place in places if f"({place})" not in text]
        self.assertEqual(missing, [])

    def test_the_readme_is_one_page(self):
        self.assertLessEqual(len(read(ROOT / "README.md").splitlines()), README_LINES_MAX)


if __name__ == "__main__":
    unittest.main()
