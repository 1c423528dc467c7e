internal import ArchiveFormat
internal import SnapshotJSON
internal import Snapshots

/// What tuning says when it is done.
struct TuneSummary {
    let report: TuneReport
    /// The repository.
    let folder: String
    /// Where the recommendation was written; nil for nowhere.
    let configurationPath: String?

    private var measurements: TuneMeasurements { report.measurements }
    private var conclusion: TuneConclusion { report.conclusion }

    /// For people and for machines.
    var result: JobResult { JobResult(text: text, json: json) }

    /// What `Configuration` reads.
    var configuration: JSONValue {
        var members: [JSONValue.Member] = [
            .init("codec", .string(conclusion.compression.codec.name)),
            .init("level", .count(conclusion.compression.level)),
            .init("chunk_size", .string(Self.size(conclusion.chunkByteCount))),
            .init("jobs", .count(conclusion.jobCount)),
            .init("readers", .count(conclusion.readerCount)),
            .init("read_order", .string(conclusion.readOrder.rawValue)),
        ]
        // What was not measured is not to be fixed.
        if !measurements.insertions.isEmpty {
            members.append(.init("writers", .count(conclusion.writerCount)))
            members.append(.init("batch_documents", .count(conclusion.batchDocumentCount)))
        }
        return .object(members)
    }

    // MARK: Text

    private var text: String {
        let sample =
            "sample: \(Formatting.count(UInt64(report.sampleDocumentCount), "document")), "
            + "\(Formatting.bytes(UInt64(report.sampleByteCount))); "
            + "\(Formatting.count(UInt64(measurements.processorCount), "processor")); "
            + "measured in \(Formatting.duration(report.seconds))"
        let parts: [[String]] = [
            [sample], readingLines, encodingLines, chunkLines,
            [diskLine],
            insertionLines, stageLines, recommendationLines,
        ]
        return parts.filter { !$0.isEmpty }.map { $0.joined(separator: "\n") }
            .joined(separator: "\n\n")
    }

    private var readingLines: [String] {
        var table = TextTable([.text("READ ORDER"), .number("READERS"), .number("RATE")])
        for reading in measurements.readings {
            table.add([
                reading.order.rawValue, "\(reading.readerCount)", Self.rate(reading.bytesPerSecond),
            ])
        }
        return table.lines
    }

    private var encodingLines: [String] {
        var table = TextTable([
            .text("CODEC"), .number("LEVEL"), .number("RATE A CORE"), .number("SIZE"),
        ])
        for encoding in measurements.encodings {
            table.add([
                encoding.compression.codec.name, "\(encoding.compression.level)",
                Self.rate(encoding.bytesPerSecond), Self.percent(encoding.ratio),
            ])
        }
        return table.lines
    }

    private var chunkLines: [String] {
        var table = TextTable([.text("CHUNK SIZE"), .number("RATE, ALL CORES"), .number("SIZE")])
        for encoding in measurements.chunkSizes {
            table.add([
                Self.size(encoding.chunkByteCount), Self.rate(encoding.bytesPerSecond),
                Self.percent(encoding.ratio),
            ])
        }
        return table.lines
    }

    private var diskLine: String {
        "disk of \(Formatting.visible(folder)): \(Self.rate(measurements.diskBytesPerSecond))"
    }

    private var insertionLines: [String] {
        guard !measurements.insertions.isEmpty else {
            return ["inserts: not measured (--writes does)"]
        }
        var table = TextTable([.text("WRITERS"), .number("BATCH"), .number("RATE")])
        for insertion in measurements.insertions {
            table.add([
                "\(insertion.writerCount)", "\(insertion.batchDocumentCount)",
                Self.rate(insertion.bytesPerSecond),
            ])
        }
        return table.lines
    }

    private var stageLines: [String] {
        let stages = TuneConclusion.Stage.allCases.map { stage in
            "\(stage.rawValue) \(Self.rate(conclusion.rates[stage] ?? 0))"
        }
        let name = conclusion.limitingStage.rawValue
        return [
            "stages of a backup: \(stages.joined(separator: ", "))",
            "\(name) limits: a backup can reach \(Self.rate(conclusion.bytesPerSecond)) at most",
        ]
    }

    private var recommendationLines: [String] {
        let compression = conclusion.compression
        let backup =
            "recommended for backup:  --codec \(compression.codec.name) --level "
            + "\(compression.level) --chunk-size \(Self.size(conclusion.chunkByteCount)) --jobs "
            + "\(conclusion.jobCount) --readers \(conclusion.readerCount) --read-order "
            + conclusion.readOrder.rawValue
        let restore =
            measurements.insertions.isEmpty
            ? nil
            : "recommended for restore: --jobs \(conclusion.jobCount) --writers "
                + "\(conclusion.writerCount) --batch-documents \(conclusion.batchDocumentCount)"
        let file = configurationPath.map {
            "written to \(Formatting.visible($0)); --config or CAIRN_CONFIG uses it"
        }
        return [backup, restore, file].compactMap(\.self)
    }

    private static func rate(_ bytesPerSecond: Double) -> String {
        "\(Formatting.bytes(count(bytesPerSecond)))/s"
    }

    private static func percent(_ ratio: Double) -> String {
        "\(Formatting.decimal(ratio * 100, digitCount: 1)) %"
    }

    private static func count(_ number: Double) -> UInt64 {
        UInt64(exactly: number.rounded()) ?? 0
    }

    /// As `ByteSize` reads it.
    private static func size(_ byteCount: Int) -> String {
        byteCount.isMultiple(of: 1 << 20) ? "\(byteCount >> 20)MiB" : "\(byteCount)"
    }

    // MARK: JSON

    private var json: JSONValue {
        .object([
            "limiting_stage": .string(conclusion.limitingStage.rawValue),
            "bytes_per_second": .count(Self.count(conclusion.bytesPerSecond)),
            "stages": .object(
                TuneConclusion.Stage.allCases.map {
                    .init($0.rawValue, .count(Self.count(conclusion.rates[$0] ?? 0)))
                }),
            "recommended": configuration,
            "config": .optional(configurationPath),
            "processors": .count(measurements.processorCount),
            "sample": .object([
                "documents": .count(report.sampleDocumentCount),
                "bytes": .count(report.sampleByteCount),
            ]),
            "read": .array(
                measurements.readings.map {
                    .object([
                        "order": .string($0.order.rawValue), "readers": .count($0.readerCount),
                        "bytes_per_second": .count(Self.count($0.bytesPerSecond)),
                    ])
                }),
            "compress": .array((measurements.encodings + measurements.chunkSizes).map(Self.json)),
            "disk": .object([
                "bytes_per_second": .count(Self.count(measurements.diskBytesPerSecond))
            ]),
            "insert": .array(
                measurements.insertions.map {
                    .object([
                        "writers": .count($0.writerCount),
                        "batch_documents": .count($0.batchDocumentCount),
                        "bytes_per_second": .count(Self.count($0.bytesPerSecond)),
                    ])
                }),
            "seconds": .decimal(report.seconds),
        ])
    }

    private static func json(_ encoding: TuneMeasurements.Encoding) -> JSONValue {
        .object([
            "codec": .string(encoding.compression.codec.name),
            "level": .count(encoding.compression.level),
            "chunk_bytes": .count(encoding.chunkByteCount), "jobs": .count(encoding.width),
            "bytes_per_second": .count(count(encoding.bytesPerSecond)),
            "ratio": .decimal(encoding.ratio),
        ])
    }
}
