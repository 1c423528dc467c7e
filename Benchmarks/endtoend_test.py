"""Tests of what turns measurements into a table; no server, nothing measured.

Usage: python3 Benchmarks/endtoend_test.py
"""

import json
import unittest

from endtoend import memory, report
from endtoend.campaign import Campaign, choose_rows, evaluate
from endtoend.rows import CPU_A_GIGABYTE, DATA_SETS, ROWS, TIMES_AS_LONG, TIMES_FASTER, Row
from endtoend.stage import MEASUREMENTS


def samples_of(*seconds):
    return [{"seconds": value, "cpu_seconds": value * 2, "stored_bytes": 10} for value in seconds]


def campaign_of(rows, samples):
    measured = {"orders": {"title": "t", "documents": 9, "bytes": 2 * 10**9, "samples": samples}}
    found = Campaign(3, "", {"processor": "p", "cores": 2, "memory_gib": 1, "kernel": "k",
                             "mongod": "m"}, {}, 0.0, measured)  # fmt: skip
    found.results = evaluate(rows, measured)
    return found


class RowTests(unittest.TestCase):
    def test_every_row_names_what_can_be_measured(self):
        for row in ROWS:
            self.assertIn(row.data_set, DATA_SETS)
            self.assertLessEqual(set(row.measurements), set(MEASUREMENTS))

    def test_no_two_rows_are_the_same(self):
        keys = [row.key for row in ROWS]
        self.assertEqual(len(keys), len(set(keys)))

    def test_an_aim_is_beyond_its_bar(self):
        for row in ROWS:
            if row.aim is not None:
                self.assertTrue(row.kind.holds(row.aim, row.bar), row.key)

    def test_only_rows_that_name_the_text_are_chosen(self):
        rows, skipped = choose_rows("VERIFY zstd")
        self.assertEqual([row.subject for row in rows + skipped], ["cairn verify zstd"])

    def test_rounds_are_compared_with_themselves(self):
        row = Row("orders", "a", TIMES_AS_LONG, "b")
        result = row.result({"a": samples_of(2, 30, 3), "b": samples_of(1, 10, 2)}, 1)
        self.assertEqual((result.value, result.low, result.high), (2, 1.5, 3))

    def test_faster_is_the_other_way_round(self):
        row = Row("orders", "a", TIMES_FASTER, "b", bar=2, aim=4)
        result = row.result({"a": samples_of(1, 1, 1), "b": samples_of(3, 3, 3)}, 1)
        self.assertEqual((result.value, result.holds_bar, result.holds_aim), (3, True, False))

    def test_cpu_is_a_gigabyte(self):
        row = Row("orders", "a", CPU_A_GIGABYTE, bar=6)
        self.assertEqual(row.result({"a": samples_of(4, 5, 6)}, 2 * 10**9).value, 5)


class MemoryTests(unittest.TestCase):
    def sizes(self, large):
        small = {command: [50.0, 60.0, 50.0] for command in memory.COMMANDS}
        grown = {command: [large, large, 50.0] for command in memory.COMMANDS}
        return [{"megabytes": 4, "peak_mib": small}, {"megabytes": 20, "peak_mib": grown}]

    def test_the_worst_counts_and_growth_is_of_medians(self):
        peak, growth, *_ = memory.results(self.sizes(55.0))
        self.assertEqual((peak.value, peak.holds_bar), (60.0, True))
        self.assertEqual((growth.value, growth.holds_bar), (1.1, True))

    def test_bounds_can_be_broken(self):
        peak, growth, *_ = memory.results(self.sizes(257.0))
        self.assertEqual((peak.holds_bar, growth.holds_bar), (False, False))


class ReportTests(unittest.TestCase):
    rows = [Row("orders", "a", TIMES_AS_LONG, "b", bar=1.5, aim=1.2)]

    def test_a_bar_that_does_not_hold_is_named(self):
        found = campaign_of(self.rows, {"a": samples_of(4, 4, 4), "b": samples_of(1, 1, 1)})
        self.assertEqual(len(found.broken), 1)
        self.assertIn("Does not hold: orders: a, time, against b.", report.as_markdown(found))
        self.assertIs(report.as_json(found)["holds"], False)

    def test_brackets_say_that_rounds_do_not_agree(self):
        found = campaign_of(self.rows, {"a": samples_of(1, 2, 1), "b": samples_of(1, 1, 1)})
        text = report.as_markdown(found)
        self.assertIn("| ≤ 1.5 × (✓) | ≤ 1.2 × (✓) |", text)
        self.assertIn("Every bar that was measured holds.", text)

    def test_all_single_runs_are_kept(self):
        found = campaign_of(self.rows, {"a": samples_of(1, 2, 1), "b": samples_of(1, 1, 1)})
        kept = json.loads(json.dumps(report.as_json(found)))
        runs = kept["data_sets"]["orders"]["samples"]["a"]
        self.assertEqual([run["seconds"] for run in runs], [1, 2, 1])

    def test_a_row_without_its_peer_is_not_passed_over(self):
        found = campaign_of([], {})
        found.skipped = [row for row in ROWS if "mongorestore" in row.peers][:1]
        self.assertIn("mongorestore is not on PATH", report.as_markdown(found))


if __name__ == "__main__":
    unittest.main()
