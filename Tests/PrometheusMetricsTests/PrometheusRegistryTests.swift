import CoreMetrics
import PrometheusMetrics
import Testing

@Suite struct PrometheusRegistryTests {
    private let registry = PrometheusRegistry()

    private func parsed() async throws -> StrictParser { try StrictParser(await registry.text()) }

    @Test func theTextIsExactlyThis() async {
        var options = PrometheusRegistry.Options()
        options.timerBuckets = HistogramBuckets([0.25, 1])
        let registry = PrometheusRegistry(options: options)
        registry.describe("hb.requests", as: "Requests\nanswered \\ refused")
        let dimensions = [("path", "/b"), ("code", "200")]
        Counter(label: "hb.requests", dimensions: dimensions, factory: registry).increment(by: 3)
        Counter(label: "hb.requests", dimensions: [("path", "/a")], factory: registry).increment()
        Timer(label: "backup", dimensions: [("q", "\"\\\n")], factory: registry)
            .recordNanoseconds(500_000_000)
        Meter(label: "pool_in_use", factory: registry).set(2.5)
        let expected = #"""
            # HELP backup_seconds backup
            # TYPE backup_seconds histogram
            backup_seconds_bucket{q="\"\\\n",le="0.25"} 0
            backup_seconds_bucket{q="\"\\\n",le="1"} 1
            backup_seconds_bucket{q="\"\\\n",le="+Inf"} 1
            backup_seconds_sum{q="\"\\\n"} 0.5
            backup_seconds_count{q="\"\\\n"} 1
            # HELP hb_requests_total Requests\nanswered \\ refused
            # TYPE hb_requests_total counter
            hb_requests_total{code="200",path="/b"} 3
            hb_requests_total{path="/a"} 1
            # HELP pool_in_use pool_in_use
            # TYPE pool_in_use gauge
            pool_in_use 2.5
            # HELP prometheus_registry_observations_dropped_total Observations not taken
            # TYPE prometheus_registry_observations_dropped_total counter
            prometheus_registry_observations_dropped_total 0
            # HELP prometheus_registry_series_dropped_total Series that were left out
            # TYPE prometheus_registry_series_dropped_total counter
            prometheus_registry_series_dropped_total 0

            """#
        #expect(await registry.text() == expected)
        #expect(await registry.text() == expected, "again")
    }

    @Test func orderDoesNotMatter() async {
        let other = PrometheusRegistry()
        for factory in [registry, other] {
            let names = ["a", "b", "c", "d", "e"]
            for name in factory === other ? names.reversed() : names {
                for label in factory === other ? names.reversed() : names {
                    let dimensions = [("x", label), ("y", name)]
                    let order = factory === other ? dimensions.reversed() : dimensions
                    Counter(label: name, dimensions: order, factory: factory).increment()
                }
            }
        }
        #expect(await registry.text() == other.text())
    }

    @Test func countersCount() async throws {
        let counter = Counter(label: "a", factory: registry)
        counter.increment(by: Int64.max - 1)
        counter.increment(by: -5)
        let floating = FloatingPointCounter(label: "b", factory: registry)
        for amount in [0.25, -1, .nan, .infinity, 0.5] { floating.increment(by: amount) }
        #expect(await registry.text().contains("\na_total 9223372036854775806\n"))
        counter.increment(by: 100)
        #expect(await registry.text().contains("\na_total 9223372036854775807\n"), "it stays")
        #expect(try await parsed().value("b_total") == 0.75)
        counter.reset()
        floating.reset()
        #expect(try await parsed().value("a_total") == 0)
        #expect(try await parsed().value("b_total") == 0)
    }

    @Test func gaugesHoldAnyNumber() async throws {
        let gauge = Gauge(label: "g", factory: registry)
        let numbers: [(Double, String)] = [
            (.nan, "NaN"), (.infinity, "+Inf"), (-.infinity, "-Inf"), (-0.0, "0"), (1e21, "1e+21"),
            (1e-7, "1e-07"), (0.1, "0.1"), (-3, "-3"),
            (9_007_199_254_740_992, "9007199254740992.0"),
        ]
        for (number, text) in numbers {
            gauge.record(number)
            #expect(await registry.text().contains("\ng \(text)\n"), "\(number)")
            let value = try #require(try await parsed().value("g"))
            #expect(value == number || (value.isNaN && number.isNaN))
        }
        let meter = Meter(label: "m", factory: registry)
        meter.set(5)
        meter.increment(by: 2.5)
        meter.decrement()
        #expect(try await parsed().value("m") == 6.5)
    }

    @Test func histogramsCountUpToTheirBounds() async throws {
        let recorder = Recorder(label: "size", factory: registry)
        for value in [0.5, 1, 1.5, 4, 1e12] { recorder.record(value) }
        let parsed = try await parsed()
        #expect(parsed.families["size"]?.kind == "histogram")
        #expect(parsed.value("size_bucket", ["le": "1"]) == 2)
        #expect(parsed.value("size_bucket", ["le": "4"]) == 4)
        #expect(parsed.value("size_bucket", ["le": "1073741824"]) == 4)
        #expect(parsed.value("size_bucket", ["le": "+Inf"]) == 5)
        #expect(parsed.value("size_sum") == 1_000_000_000_007)
    }

    @Test func whatWouldSpoilASumIsDropped() async throws {
        let recorder = Recorder(label: "size", factory: registry)
        for value in [.nan, .infinity, -.infinity, 1.0] { recorder.record(value) }
        Timer(label: "t", factory: registry).recordNanoseconds(-1)
        let parsed = try await parsed()
        #expect(parsed.value("size_count") == 1)
        #expect(parsed.value("t_seconds_count") == 0)
        #expect(parsed.value("prometheus_registry_observations_dropped_total") == 4)
    }

    @Test func bucketsAreChosenByLabel() async throws {
        var options = PrometheusRegistry.Options()
        options.bucketsByLabel = ["a.b": HistogramBuckets([1, 2])]
        let registry = PrometheusRegistry(options: options)
        Timer(label: "a.b", factory: registry).recordSeconds(3)
        let samples = try StrictParser(await registry.text()).families["a_b_seconds"]?.samples
        #expect(samples?.count == 5)
    }

    @Test func oddNamesAndValuesAreCleaned() async throws {
        let long = String(repeating: "é", count: 1000)
        Counter(
            label: "9 lives:é-total",
            dimensions: [
                ("__name__", "x"), ("le", "1"), ("a b", "1"), ("a-b", "2"), ("", "empty"),
                ("long", long),
            ], factory: registry
        ).increment()
        let parsed = try await parsed()
        let labels = [
            "_name__": "x", "label_le": "1", "a_b": "1", "_": "empty",
            "long": String(repeating: "é", count: 128),
        ]
        #expect(parsed.order[0] == "_9_lives____total")
        #expect(parsed.families["_9_lives____total"]?.samples.keys.first?.labels == labels)
    }

    @Test func theSameLabelsAreTheSameSeries() async throws {
        for _ in 0..<3 {
            Counter(label: "a", dimensions: [("x", "1"), ("y", "2")], factory: registry).increment()
            Counter(label: "a", dimensions: [("y", "2"), ("x", "1")], factory: registry).increment()
            FloatingPointCounter(
                label: "a_total", dimensions: [("y", "2"), ("x", "1")], factory: registry
            ).increment(by: 0.5)
        }
        #expect(try await parsed().value("a_total", ["x": "1", "y": "2"]) == 7.5)
    }

    @Test func aNameIsOfOneKind() async throws {
        Recorder(label: "a", factory: registry).record(1)
        Gauge(label: "a", factory: registry).record(1)
        Gauge(label: "a_count", factory: registry).record(1)
        Gauge(label: "a_bucket", factory: registry).record(1)
        Gauge(label: "b_sum", factory: registry).record(1)
        Recorder(label: "b", factory: registry).record(1)
        Counter(label: "prometheus_registry_series_dropped", factory: registry).increment()
        let parsed = try await parsed()
        #expect(parsed.families["a"]?.kind == "histogram")
        #expect(parsed.families["b_sum"]?.kind == "gauge")
        #expect(parsed.value("prometheus_registry_series_dropped_total") == 5)
    }

    @Test func seriesAreBounded() async throws {
        var options = PrometheusRegistry.Options()
        options.seriesCountMax = 10
        let registry = PrometheusRegistry(options: options)
        for number in 0..<25 {
            Counter(label: "a", dimensions: [("n", "\(number)")], factory: registry).increment()
        }
        let parsed = try StrictParser(await registry.text())
        #expect(parsed.families["a_total"]?.samples.count == 10)
        #expect(parsed.value("prometheus_registry_series_dropped_total") == 15)
        Counter(label: "a", dimensions: [("n", "0")], factory: registry).increment()
        #expect(try StrictParser(await registry.text()).value("a_total", ["n": "0"]) == 2)
    }

    @Test func destroyedSeriesMakeRoom() async throws {
        var options = PrometheusRegistry.Options()
        options.seriesCountMax = 1
        let registry = PrometheusRegistry(options: options)
        let timer = Timer(label: "a", factory: registry)
        timer.recordSeconds(1)
        timer.destroy()
        timer.destroy()
        let gauge = Gauge(label: "a_seconds_count", factory: registry)
        gauge.record(7)
        let parsed = try StrictParser(await registry.text())
        #expect(parsed.value("a_seconds_count") == 7)
        #expect(parsed.families["a_seconds"] == nil)
        #expect(parsed.value("prometheus_registry_series_dropped_total") == 0)
    }

    @Test func collectorsAreAskedAtEachScrape() async throws {
        Counter(label: "c", factory: registry).increment()
        registry.addCollector {
            [
                Sample("pool", value: .nan, labels: ["state": "a"], help: "Connections"),
                Sample("pool", value: 2, labels: ["state": "b"]),
                Sample("pool", value: 3, labels: ["state": "b"]),
                Sample("pool", kind: .counter, value: 4),
                Sample("pool_total", value: 5),
                Sample("c", kind: .counter, value: 6),
            ]
        }
        registry.addCollector { [Sample("free bytes", value: .infinity)] }
        for scrape in 1...2 {
            let parsed = try await parsed()
            #expect(parsed.families["pool"]?.help == "Connections")
            #expect(parsed.value("pool", ["state": "a"])?.isNaN == true)
            #expect(parsed.value("pool", ["state": "b"]) == 2)
            #expect(parsed.value("pool_total") == 4)
            #expect(parsed.value("c_total") == 1)
            #expect(parsed.value("free_bytes") == .infinity)
            let dropped = parsed.value("prometheus_registry_series_dropped_total")
            #expect(dropped == Double(3 * scrape))
        }
    }

    @Test func nothingIsLostBetweenTasks() async throws {
        let registry = registry
        await withTaskGroup(of: Void.self) { group in
            for task in 0..<8 {
                group.addTask {
                    for step in 0..<1000 {
                        let dimensions = [("n", "\(step % 10)")]
                        Counter(label: "c", dimensions: dimensions, factory: registry).increment()
                        FloatingPointCounter(label: "f", factory: registry).increment(by: 0.5)
                        Recorder(label: "r", factory: registry).record(task)
                        Meter(label: "m", factory: registry).increment()
                    }
                }
            }
            group.addTask {
                for _ in 0..<50 { _ = await registry.text() }
            }
        }
        let parsed = try await parsed()
        for number in 0..<10 { #expect(parsed.value("c_total", ["n": "\(number)"]) == 800) }
        #expect(parsed.value("f_total") == 4000)
        #expect(parsed.value("r_count") == 8000)
        #expect(parsed.value("r_sum") == 28_000)
        #expect(parsed.value("m") == 8000)
    }

    /// That the parser does refuse, or all of the above shows nothing.
    @Test(arguments: [
        "a 1\n", "# HELP a x\n# TYPE a gauge\na 1", "# HELP a x\n# TYPE a gauge\na 1\na 1\n",
        "# HELP a x\n# TYPE a gauge\na inf\n", "# HELP a x\n# TYPE a gauge\na{x=\"1} 1\n",
        "# HELP a x\n# TYPE a gauge\na{x=\"1\",x=\"2\"} 1\n", "# HELP a x\n# TYPE b gauge\n",
        "# HELP a x\n# TYPE a gauge\nb 1\n", "# HELP 9 x\n# TYPE 9 gauge\n9 1\n",
        "# HELP a x\n# TYPE a histogram\na_bucket{le=\"+Inf\"} 1\na_sum 1\na_count 2\n",
        "# HELP a x\n# TYPE a histogram\na_bucket{le=\"1\"} 2\na_bucket{le=\"+Inf\"} 1\n"
            + "a_sum 1\na_count 1\n",
    ])
    func theParserIsStrict(_ text: String) {
        #expect(throws: StrictParser.Failure.self) { try StrictParser(text) }
    }
}
