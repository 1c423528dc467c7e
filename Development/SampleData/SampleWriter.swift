import BSONBytes

/// Writes sample documents one after the other into one buffer, in place: a generator that waited
/// for memory would be slower than what it is to measure. `BSONBuilder` is for everything else.
struct SampleWriter {
    let plan: SamplePlan
    /// The numbers of the document being written.
    var random = SplitMix64(seed: 0)
    private var bytes: [UInt8]

    /// - Parameter bytes: what the documents are appended to.
    init(plan: SamplePlan, bytes: consuming [UInt8]) {
        self.plan = plan
        self.bytes = bytes
    }

    /// Everything written, handed over without a copy.
    mutating func takeBytes() -> [UInt8] {
        var taken: [UInt8] = []
        swap(&taken, &bytes)
        return taken
    }

    /// Appends one document of a collection.
    mutating func appendDocument(of kind: SampleKind, at index: Int) {
        random = plan.random(for: kind, at: index)
        body { writer in
            switch kind {
            case .users: writer.user(index)
            case .bookings: writer.booking(index)
            case .messages: writer.message(index)
            case .auditLog: writer.auditEntry(index)
            case .payments: writer.payment(index)
            case .reviews: writer.review(index)
            case .blogs: writer.blog(index)
            case .notifications: writer.notification(index)
            case .availability: writer.availability(index)
            case .activityFeed: writer.activity(index)
            case .orders: writer.order(index)
            case .readings: writer.reading(index)
            case .reports: writer.report(index)
            case .settings: writer.setting(index)
            }
        }
    }

    /// Writes what is the same wherever it occurs: its random numbers are not the document's.
    mutating func recurring(
        _ pool: SamplePool, at index: Int, _ body: (inout SampleWriter) -> Void
    ) {
        let numbersOfTheDocument = random
        random = plan.random(for: pool, at: index)
        body(&self)
        random = numbersOfTheDocument
    }

    // MARK: Elements

    mutating func double(_ name: StaticString, _ value: Double) {
        head(.double, name)
        integer(value.bitPattern)
    }

    mutating func int32(_ name: StaticString, _ value: Int) {
        head(.int32, name)
        integer(Int32(truncatingIfNeeded: value))
    }

    mutating func int64(_ name: StaticString, _ value: Int) {
        head(.int64, name)
        integer(Int64(value))
    }

    mutating func bool(_ name: StaticString, _ value: Bool) {
        head(.bool, name)
        bytes.append(value ? 1 : 0)
    }

    mutating func null(_ name: StaticString) {
        head(.null, name)
    }

    /// A date, in whole seconds and a random rest below one.
    mutating func date(_ name: StaticString, seconds: UInt64) {
        head(.date, name)
        integer(seconds &* 1000 &+ UInt64(random.below(1000)))
    }

    /// A date on the full second, as calendars have them.
    mutating func wholeDate(_ name: StaticString, seconds: UInt64) {
        head(.date, name)
        integer(seconds &* 1000)
    }

    /// A server's logical time.
    mutating func timestamp(_ name: StaticString, seconds: UInt64) {
        head(.timestamp, name)
        integer(seconds << 32 | 1)
    }

    /// An amount of money: a decimal with two digits behind the point.
    mutating func decimal(_ name: StaticString, cents: Int) {
        head(.decimal128, name)
        integer(UInt64(cents))
        integer(UInt64(6176 - 2) << 49)
    }

    mutating func objectID(_ name: StaticString, _ value: SampleObjectID) {
        head(.objectID, name)
        integer(value.seconds.byteSwapped)
        integer(value.processAndCounter.byteSwapped)
    }

    /// Random bytes, as signatures and keys are.
    ///
    /// - Parameter byteCount: a multiple of eight.
    mutating func binary(_ name: StaticString, byteCount: Int, subtype: UInt8 = 0) {
        head(.binary, name)
        integer(Int32(byteCount))
        bytes.append(subtype)
        for _ in 0..<byteCount / 8 { integer(random.next()) }
    }

    /// A string whose text `body` writes.
    mutating func string(_ name: StaticString, _ body: (inout SampleWriter) -> Void) {
        head(.string, name)
        text(body)
    }

    mutating func string(_ name: StaticString, _ value: StaticString) {
        string(name) { $0.write(value) }
    }

    mutating func document(_ name: StaticString, _ body: (inout SampleWriter) -> Void) {
        head(.document, name)
        self.body(body)
    }

    /// An array of `count` documents.
    mutating func documents(
        _ name: StaticString, count: Int, _ element: (inout SampleWriter, Int) -> Void
    ) {
        head(.array, name)
        body { writer in
            for index in 0..<count {
                writer.head(.document, index)
                writer.body { element(&$0, index) }
            }
        }
    }

    /// An array of `count` strings.
    mutating func strings(
        _ name: StaticString, count: Int, _ element: (inout SampleWriter, Int) -> Void
    ) {
        head(.array, name)
        body { writer in
            for index in 0..<count {
                writer.head(.string, index)
                writer.text { element(&$0, index) }
            }
        }
    }

    /// An array of numbers.
    mutating func doubles(_ name: StaticString, _ values: Double...) {
        head(.array, name)
        body { writer in
            for (index, value) in values.enumerated() {
                writer.head(.double, index)
                writer.integer(value.bitPattern)
            }
        }
    }

    // MARK: Text

    mutating func write(_ text: StaticString) {
        bytes.append(
            contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    mutating func write(_ text: ArraySlice<UInt8>) {
        bytes.append(contentsOf: text)
    }

    mutating func write(byte: UInt8) {
        bytes.append(byte)
    }

    /// A number from zero in decimal digits.
    mutating func write(number: Int) {
        if number >= 10 { write(number: number / 10) }
        bytes.append(0x30 + UInt8(truncatingIfNeeded: number % 10))
    }

    /// Replaces a byte already written.
    mutating func changeByte(at offset: Int, _ change: (UInt8) -> UInt8) {
        bytes[offset] = change(bytes[offset])
    }

    /// Where the next byte will stand.
    var offset: Int { bytes.count }

    // MARK: Framing

    private mutating func body(_ body: (inout SampleWriter) -> Void) {
        let start = bytes.count
        integer(Int32(0))
        body(&self)
        bytes.append(0)
        store(Int32(bytes.count - start), at: start)
    }

    private mutating func text(_ body: (inout SampleWriter) -> Void) {
        let start = bytes.count
        integer(Int32(0))
        body(&self)
        bytes.append(0)
        store(Int32(bytes.count - start - 4), at: start)
    }

    private mutating func head(_ type: BSONType, _ name: StaticString) {
        bytes.append(type.rawValue)
        write(name)
        bytes.append(0)
    }

    private mutating func head(_ type: BSONType, _ index: Int) {
        bytes.append(type.rawValue)
        write(number: index)
        bytes.append(0)
    }

    private mutating func integer<Integer: FixedWidthInteger>(_ value: Integer) {
        withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
    }

    private mutating func store(_ value: Int32, at offset: Int) {
        bytes.withUnsafeMutableBytes {
            $0.storeBytes(of: value.littleEndian, toByteOffset: offset, as: Int32.self)
        }
    }
}
