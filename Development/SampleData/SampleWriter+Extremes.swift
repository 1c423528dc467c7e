/// Documents that are much smaller or larger than most, or alone in their collection.
extension SampleWriter {
    /// About 120 bytes.
    mutating func reading(_ index: Int) {
        objectID("_id", plan.objectID(of: .readings, at: index))
        string("sensor") {
            $0.write("s-")
            $0.write(number: 1000 + $0.random.below(500))
        }
        date("at", seconds: plan.seconds(of: .readings, at: index))
        double("temperature", Double(150 + random.below(120)) / 10)
        double("humidity", Double(300 + random.below(400)) / 10)
        int32("pressure", 980 + random.below(60))
        int32("battery", 100 - random.skewed(below: 100))
    }

    /// About 100 KB, 70 to 130.
    mutating func report(_ index: Int) {
        let created = plan.seconds(of: .reports, at: index)
        objectID("_id", plan.objectID(of: .reports, at: index))
        objectID("author_id", anyUser())
        string("title") { $0.title(wordCount: 8) }
        binary("picture", byteCount: 8 * (1500 + random.below(1500)))
        documents("sections", count: 20 + random.below(21)) { writer, _ in
            writer.string("heading") { $0.title(wordCount: 5) }
            writer.string("text") { $0.prose(wordCount: 345) }
        }
        documents("measurements", count: 300) { writer, step in
            writer.date("at", seconds: created + UInt64(step * 60))
            writer.double("value", Double(writer.random.below(10_000)) / 100)
        }
        date("created_at", seconds: created)
    }

    /// About 150 bytes.
    mutating func setting(_ index: Int) {
        objectID("_id", plan.objectID(of: .settings, at: index))
        string("key") { $0.slug(wordCount: 2, index: index) }
        string("value") { $0.title(wordCount: 5) }
        objectID("changed_by", anyUser())
        int32("version", 1 + random.skewed(below: 50))
        date("changed_at", seconds: plan.seconds(of: .settings, at: index))
    }
}
