"""Tests of what turns measurements of the service into a page; no server, nothing measured.

Usage: python3 Benchmarks/service_test.py
"""

import unittest

from endtoend import service_report
from endtoend.service import LOADS, TimedBackup


def found(slowdown=0.1, errors=0, list_ms=20.0, probe_ms=40.0):
    run = {"requests": 6000, "requests_a_second": 200.0, "p50_ms": 1.0, "p99_ms": 9.0}
    run |= {"errors": errors}
    load = {"alone": [TimedBackup(2.0, 2.1)], "loaded": [TimedBackup(2.2, 2.5)]}
    load["probes_ms"] = [3.0, probe_ms]
    load |= {"wrk": [run], "slowdown": slowdown}
    samples = [list_ms] * 3
    return {
        "machine": {"cores": 2}, "load_average": 0.1, "rounds": 1, "seconds": 30, "documents": 9,
        "loads": {kind.name: load for kind in LOADS},
        "list": {"snapshots": 1000, "limit_100_ms": samples, "limit_1000_ms": samples},
        "idle": {
            "connections": 10_000, "mib_before": 50.0, "mib_with": 90.0,
            "before_ms": samples, "with_ms": samples, "new_ms": samples,
        },
    }  # fmt: skip


class ServiceReportTests(unittest.TestCase):
    def test_a_slow_backup_is_named_for_each_load(self):
        self.assertEqual(service_report.broken_bars(found()), [])
        self.assertEqual(len(service_report.broken_bars(found(slowdown=0.2))), 2)

    def test_an_error_is_one_too_many(self):
        self.assertEqual(len(service_report.broken_bars(found(errors=1))), 2)

    def test_a_slow_list_is_named(self):
        self.assertIn("50 ms at most: 51", service_report.broken_bars(found(list_ms=51.0))[0])

    def test_a_slow_probe_is_named_for_each_load(self):
        broken = service_report.broken_bars(found(probe_ms=1001.0))
        self.assertEqual(len(broken), 2)
        self.assertIn("within 1000 ms", broken[0])

    def test_the_page_says_what_does_not_hold(self):
        page = service_report.as_markdown(found(list_ms=51.0), "Machine.")
        self.assertIn("- Does not hold: a page of 100", page)
        self.assertIn("Every bar holds.", service_report.as_markdown(found(), "Machine."))


if __name__ == "__main__":
    unittest.main()
