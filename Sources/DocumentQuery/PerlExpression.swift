internal import CPCRE2

/// A regular expression as PCRE2 compiles it, used by one task.
///
/// An expression may backtrack without end, so the work on one text is bounded: by steps for each
/// place where a match may begin, and by time for all places. A search of a text that reaches
/// either has failed; it is not taken for one that found nothing.
final class PerlExpression {
    /// Steps of backtracking from one place on; PCRE2's own default.
    private static let stepCountMax: UInt32 = 10_000_000
    /// In KiB, for what is remembered while backtracking.
    private static let heapSizeMax: UInt32 = 16_384
    private static let compiledStackSizes = (first: 32 * 1024, most: 512 * 1024)
    /// For one text.
    private static let timeMax = Duration.seconds(5)
    /// Places of the first look at a text; doubled as long as looks are short.
    private static let firstPlaceCount = 64
    private static let shortLook = Duration.milliseconds(20)

    private let code: OpaquePointer
    private let matchData: OpaquePointer
    private let context: OpaquePointer
    private let stack: OpaquePointer?
    /// Whether it means the place where a search begins, so that it can't be begun anew.
    private let namesStart: Bool
    /// Why a text could not be searched; nothing that was said since is to be used.
    private(set) var failure: (any Error)?

    /// - Throws: the reason, when it can't be read.
    init(_ pattern: TextPattern) throws(TextPattern.Unreadable) {
        namesStart = pattern.text.contains("\\G")
        var options =
            PCRE2_UTF | PCRE2_NO_UTF_CHECK | PCRE2_NEVER_BACKSLASH_C | PCRE2_USE_OFFSET_LIMIT
        for (letter, option) in [
            ("i" as Character, PCRE2_CASELESS), ("m", PCRE2_MULTILINE), ("s", PCRE2_DOTALL),
            ("x", PCRE2_EXTENDED),
        ] where pattern.options.contains(letter) {
            options |= option
        }
        var (errorCode, offset) = (Int32(0), 0)
        let text = Array(pattern.text.utf8)
        guard
            let code = pcre2_compile_8(text, text.count, options, &errorCode, &offset, nil)
        else {
            throw TextPattern.Unreadable(
                "has a regular expression that can't be read: \(Self.message(errorCode)) at byte "
                    + "\(offset)")
        }
        guard let matchData = pcre2_match_data_create_8(1, nil),
            let context = pcre2_match_context_create_8(nil)
        else {
            throw TextPattern.Unreadable("has a regular expression that needs too much memory")
        }
        self.code = code
        self.matchData = matchData
        self.context = context
        pcre2_set_match_limit_8(context, Self.stepCountMax)
        pcre2_set_heap_limit_8(context, Self.heapSizeMax)
        // Where it can't be translated to machine code it is interpreted.
        guard pcre2_jit_compile_8(code, PCRE2_JIT_COMPLETE) == 0 else {
            stack = nil
            return
        }
        stack = pcre2_jit_stack_create_8(
            Self.compiledStackSizes.first, Self.compiledStackSizes.most, nil)
        pcre2_jit_stack_assign_8(context, nil, stack.map { UnsafeMutableRawPointer($0) })
    }

    deinit {
        pcre2_jit_stack_free_8(stack)
        pcre2_match_context_free_8(context)
        pcre2_match_data_free_8(matchData)
        pcre2_code_free_8(code)
    }

    private static func message(_ errorCode: Int32) -> String {
        var buffer = [UInt8](repeating: 0, count: 256)
        pcre2_get_error_message_8(errorCode, &buffer, buffer.count)
        return String(decoding: buffer.prefix { $0 != 0 }, as: UTF8.self)
    }

    /// Whether it is found in a text. Invalid UTF-8 is read as if it had been repaired. False once
    /// there is a `failure`.
    func isFound(in text: UnsafeRawBufferPointer) -> Bool {
        guard failure == nil else { return false }
        do {
            // Checked here once, instead of at each look.
            if String(validating: text, as: UTF8.self) != nil { return try search(text) }
            var repaired = String(decoding: text, as: UTF8.self)
            return try repaired.withUTF8 { try search(UnsafeRawBufferPointer($0)) }
        } catch {
            failure = error
            return false
        }
    }

    /// Looks at some places after the others, so that it can end in between.
    private func search(_ text: UnsafeRawBufferPointer) throws -> Bool {
        let clock = ContinuousClock()
        let start = clock.now
        var (place, placeCount) = (0, namesStart ? text.count + 1 : Self.firstPlaceCount)
        while true {
            let end = Self.boundary(in: text, from: min(place + placeCount, text.count))
            let lookStart = clock.now
            if try look(text, from: place, to: end) { return true }
            guard end < text.count else { return false }
            try Task.checkCancellation()
            let now = clock.now
            guard start.duration(to: now) < Self.timeMax else {
                throw QueryError.tooExpensive("takes more than \(Self.timeMax) for one string")
            }
            let isShort = lookStart.duration(to: now) < Self.shortLook
            placeCount = isShort ? 2 * placeCount : max(1, placeCount / 4)
            place = end
        }
    }

    /// The next place that is not amid a character.
    private static func boundary(in text: UnsafeRawBufferPointer, from offset: Int) -> Int {
        var offset = offset
        while offset < text.count, text[offset] & 0b1100_0000 == 0b1000_0000 { offset += 1 }
        return offset
    }

    /// Whether a match begins at one of the places of a range, the last one included.
    private func look(
        _ text: UnsafeRawBufferPointer, from start: Int, to end: Int
    ) throws -> Bool {
        pcre2_set_offset_limit_8(context, end)
        let bytes = text.assumingMemoryBound(to: UInt8.self).baseAddress
        let empty: [UInt8] = [0]
        func match(_ options: UInt32) -> Int32 {
            guard let bytes else {
                return pcre2_match_8(code, empty, 0, 0, options, matchData, context)
            }
            return pcre2_match_8(code, bytes, text.count, start, options, matchData, context)
        }
        var result = match(PCRE2_NO_UTF_CHECK)
        if result == PCRE2_ERROR_JIT_STACKLIMIT {
            result = match(PCRE2_NO_UTF_CHECK | PCRE2_NO_JIT)
        }
        switch result {
        case 0...: return true
        case PCRE2_ERROR_NOMATCH: return false
        case PCRE2_ERROR_MATCHLIMIT, PCRE2_ERROR_DEPTHLIMIT:
            throw QueryError.tooExpensive("needs more than \(Self.stepCountMax) steps")
        case PCRE2_ERROR_HEAPLIMIT, PCRE2_ERROR_NOMEMORY:
            throw QueryError.tooExpensive("needs more than \(Self.heapSizeMax) KiB of memory")
        default: throw QueryError.tooExpensive("can't be matched: \(Self.message(result))")
        }
    }
}

extension QueryError {
    fileprivate static func tooExpensive(_ what: String) -> QueryError {
        QueryError(
            .tooExpensive,
            "has a regular expression that \(what); write it without repetitions of what is itself "
                + "repeated", at: "the filter")
    }
}
