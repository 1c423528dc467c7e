/// Orders of a web shop, which hold copies of what was ordered, by whom and with what.
extension SampleWriter {
    private static let productCount = 2000
    private static let customerCount = 1 << 20
    private static let browserCount = 240

    /// 850 bytes on average.
    mutating func order(_ index: Int) {
        let placed = plan.seconds(of: .orders, at: index)
        objectID("_id", plan.objectID(of: .orders, at: index))
        string("number") {
            $0.write("W-")
            $0.write(number: 1_000_000_000 + index * 7)
        }
        choice("status", "delivered", "delivered", "delivered", "shipped", "paid", "returned")
        orderCustomer()
        let cents = orderItem()
        int32("total", cents)
        string("currency", "EUR")
        choice("paid_by", "card", "card", "transfer", "wallet")
        string("payment") { $0.token(characterCount: 60) }
        string("parcel") { $0.hexadecimal(digitCount: 40) }
        string("session") { $0.hexadecimal(digitCount: 32) }
        string("ip") { $0.networkAddress() }
        string("agent") { writer in
            let browser = writer.random.skewed(below: Self.browserCount)
            writer.recurring(.browsers, at: browser) { $0.shortUserAgent() }
        }
        string("checksum") { $0.hexadecimal(digitCount: 64) }
        date("placed_at", seconds: placed)
        date("updated_at", seconds: placed + UInt64(random.below(2_000_000)))
    }

    private mutating func orderCustomer() {
        let customer = random.skewed(below: Self.customerCount)
        document("customer") { element in
            element.recurring(.customers, at: customer) { writer in
                writer.string("name") {
                    $0.name(.firstNames)
                    $0.write(byte: 0x20)
                    $0.name(.lastNames)
                }
                writer.string("email") {
                    $0.madeUpWord()
                    $0.write(number: customer)
                    $0.write("@example.org")
                }
                writer.string("street") {
                    $0.write(number: 1 + $0.random.below(150))
                    $0.write(byte: 0x20)
                    $0.madeUpWord()
                }
                writer.string("postcode") { $0.write(number: 10_000 + $0.random.below(90_000)) }
            }
        }
    }

    /// Writes the ordered product; answers what it costs.
    private mutating func orderItem() -> Int {
        let product = random.skewed(below: Self.productCount)
        let quantity = 1 + random.skewed(below: 4)
        var cents = 0
        document("item") { item in
            item.recurring(.products, at: product) { writer in
                cents = 99 + 100 * writer.random.skewed(below: 400)
                writer.string("sku") { $0.token(characterCount: 16) }
                writer.string("image") {
                    $0.hexadecimal(digitCount: 32)
                }
                writer.string("title") { $0.productTitle() }
                writer.string("description") { $0.productDescription() }
                writer.int32("price", cents)
            }
            item.int32("quantity", quantity)
        }
        return cents * quantity
    }

    /// A brand, a model, what it is.
    private mutating func productTitle() {
        madeUpWord()
        write(byte: 0x20)
        token(characterCount: 6)
        write(byte: 0x20)
        title(wordCount: 2)
    }

    private mutating func productDescription() {
        for index in 0..<4 + random.below(6) {
            if index > 0 { write(", ") }
            madeUpWord()
            write(byte: 0x20)
            if random.chance(50) {
                madeUpWord()
            } else {
                write(number: random.below(2000))
                write(byte: 0x20)
                word(.units)
            }
        }
        write(byte: 0x2E)
    }

    /// Such as "Firefox/117.0 Linux".
    private mutating func shortUserAgent() {
        word(.browsers)
        write(byte: 0x2F)
        write(number: 90 + random.below(40))
        write(".0 ")
        word(.systems)
    }

    private mutating func madeUpWord() {
        for _ in 0..<3 + random.below(2) { word(.syllables) }
    }
}
