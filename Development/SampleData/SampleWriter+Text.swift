/// Text that looks like what people and programs write.
extension SampleWriter {
    /// A word from a vocabulary, each as likely as the other.
    mutating func word(_ vocabulary: Vocabulary) {
        write(vocabulary[random.below(vocabulary.count)])
    }

    /// A word with a capital letter.
    mutating func name(_ vocabulary: Vocabulary) {
        let start = offset
        word(vocabulary)
        capitalize(at: start)
    }

    /// A string, one of a few.
    mutating func choice(_ name: StaticString, _ choices: StaticString...) {
        string(name, choices[random.below(choices.count)])
    }

    /// Sentences of six to seventeen words.
    ///
    /// - Parameter wordCount: of all sentences together; at least 1.
    mutating func prose(wordCount: Int) {
        var left = 0
        for index in 0..<wordCount {
            let starts = left == 0
            if starts { left = 6 + random.below(12) }
            if index > 0 { write(byte: 0x20) }
            let start = offset
            commonWord()
            if starts { capitalize(at: start) }
            left -= 1
            if left == 0 || index == wordCount - 1 { write(byte: 0x2E) }
        }
    }

    /// Words without a full stop, the first with a capital letter.
    mutating func title(wordCount: Int) {
        let start = offset
        for index in 0..<wordCount {
            if index > 0 { write(byte: 0x20) }
            commonWord()
        }
        capitalize(at: start)
    }

    /// Words with hyphens and the document's index, so that no two are the same.
    mutating func slug(wordCount: Int, index: Int) {
        for _ in 0..<wordCount {
            commonWord()
            write(byte: 0x2D)
        }
        write(number: index)
    }

    /// Random hexadecimal digits: sixteen a random number.
    mutating func hexadecimal(digitCount: Int) {
        var bits: UInt64 = 0
        for position in 0..<digitCount {
            if position % 16 == 0 { bits = random.next() }
            let digit = UInt8(truncatingIfNeeded: bits & 0xF)
            write(byte: digit < 10 ? 0x30 + digit : 0x57 + digit)
            bits >>= 4
        }
    }

    /// Random letters and digits, as in tokens and password hashes: six bits each.
    mutating func token(characterCount: Int) {
        var bits: UInt64 = 0
        for position in 0..<characterCount {
            if position % 10 == 0 { bits = random.next() }
            let digit = UInt8(truncatingIfNeeded: bits & 0x3F)
            switch digit {
            case ..<26: write(byte: 0x41 + digit)
            case ..<52: write(byte: 0x61 + digit - 26)
            case ..<62: write(byte: 0x30 + digit - 52)
            default: write(byte: digit == 62 ? 0x2E : 0x2F)
            }
            bits >>= 6
        }
    }

    /// An address from the blocks that are reserved for documentation and private networks.
    mutating func networkAddress() {
        write("10.")
        write(number: random.below(256))
        write(".")
        write(number: random.below(256))
        write(".")
        write(number: random.below(256))
    }

    /// What a browser says it is, with a version.
    mutating func userAgent() {
        write(Vocabulary.userAgents[random.skewed(below: Vocabulary.userAgents.count)])
        write(number: 90 + random.below(40))
        write(".0.")
        write(number: random.below(6000))
    }

    /// Some user, old ones more often than new ones.
    mutating func anyUser() -> SampleObjectID {
        plan.objectID(of: .users, at: random.skewed(below: userCount))
    }

    /// Some user who is a coach.
    mutating func anyCoach() -> SampleObjectID {
        plan.objectID(of: .users, at: random.skewed(below: userCount) & ~7)
    }

    /// Some booking.
    mutating func anyBooking() -> SampleObjectID {
        plan.objectID(of: .bookings, at: random.below(max(plan.documentCount(of: .bookings), 1)))
    }

    /// A word as text has them: mostly a frequent one, now and then a name or a term that no
    /// vocabulary holds. Those rare ones are what keeps real text from shrinking further.
    private mutating func commonWord() {
        let kind = random.below(16)
        if kind < 2 {
            for _ in 0..<2 + random.below(2) { word(.syllables) }
        } else if kind < 8 {
            word(.words)
        } else {
            write(Vocabulary.words[random.skewed(below: Vocabulary.words.count)])
        }
    }

    private var userCount: Int { max(plan.documentCount(of: .users), 1) }

    private mutating func capitalize(at start: Int) {
        changeByte(at: start) { (0x61...0x7A).contains($0) ? $0 - 0x20 : $0 }
    }
}
