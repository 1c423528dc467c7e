/// Documents that a business writes about itself.
extension SampleWriter {
    /// About 1,000 bytes.
    mutating func booking(_ index: Int) {
        let created = plan.seconds(of: .bookings, at: index)
        let starts = (created + UInt64(random.below(2_000_000))) / 900 * 900
        let minutes = 30 * (1 + random.below(3))
        objectID("_id", plan.objectID(of: .bookings, at: index))
        objectID("coach_id", anyCoach())
        objectID("client_id", anyUser())
        choice("status", "completed", "completed", "completed", "scheduled", "cancelled", "no_show")
        choice("session_type", "one_on_one", "group", "introduction")
        wholeDate("starts_at", seconds: starts)
        wholeDate("ends_at", seconds: starts + UInt64(minutes * 60))
        int32("duration_minutes", minutes)
        decimal("price", cents: 500 * (6 + random.below(60)))
        string("currency") { $0.word(.currencies) }
        if random.chance(15) {
            document("discount") {
                $0.string("code") { $0.token(characterCount: 8) }
                $0.int32("percent", 5 * (1 + $0.random.below(6)))
            }
        } else {
            null("discount")
        }
        document("meeting") { meeting in
            meeting.choice("kind", "video", "phone", "in_person")
            meeting.string("url") {
                $0.write("https://meet.example.org/")
                $0.token(characterCount: 22)
            }
            meeting.binary("key", byteCount: 32)
        }
        strings("goals", count: 1 + random.below(3)) { writer, _ in
            writer.title(wordCount: 4 + writer.random.below(6))
        }
        string("notes") { $0.prose(wordCount: 8 + $0.random.below(40)) }
        // What only coach and client may read is stored encrypted.
        if random.chance(50) { binary("private_notes", byteCount: 8 * (8 + random.below(16))) }
        bookingHistory(created)
        string("payment_id") { $0.paymentID($0.random.below(1 << 30)) }
        date("created_at", seconds: created)
        int64("version", 1 + random.below(6))
    }

    private mutating func bookingHistory(_ created: UInt64) {
        documents("reminders", count: random.below(3)) { writer, _ in
            writer.choice("channel", "email", "sms", "push")
            writer.date("sent_at", seconds: created + UInt64(writer.random.below(1_000_000)))
            writer.string("delivery_id") { $0.hexadecimal(digitCount: 24) }
        }
        documents("history", count: 1 + random.below(2)) { writer, step in
            writer.string("event", step == 0 ? "created" : "confirmed")
            writer.date("at", seconds: created + UInt64(step) * 3600)
            writer.objectID("by", writer.anyUser())
        }
    }

    /// About 720 bytes; the `_id` is a string.
    mutating func payment(_ index: Int) {
        let created = plan.seconds(of: .payments, at: index)
        let cents = 500 * (6 + random.below(60))
        string("_id") { $0.paymentID(index) }
        string("reference") {
            $0.write("INV-")
            $0.write(number: 2023 + index / 400_000)
            $0.write("-")
            $0.write(number: 1_000_000 + index)
        }
        objectID("booking_id", anyBooking())
        objectID("client_id", anyUser())
        decimal("amount", cents: cents)
        decimal("fee", cents: cents * 29 / 1000 + 30)
        string("currency") { $0.word(.currencies) }
        choice("status", "succeeded", "succeeded", "succeeded", "refunded", "failed", "pending")
        document("card") { card in
            card.choice("brand", "visa", "mastercard", "amex")
            card.string("last_digits") { $0.write(number: 1000 + $0.random.below(9000)) }
            card.int32("expiry_year", 2026 + card.random.below(6))
            card.string("fingerprint") { $0.token(characterCount: 16) }
        }
        documents("timeline", count: 2 + random.below(2)) { writer, step in
            writer.choice("event", "created", "authorised", "captured", "settled")
            writer.date("at", seconds: created + UInt64(step * 40))
        }
        document("metadata") { metadata in
            metadata.string("ip") { $0.networkAddress() }
            metadata.string("user_agent") { $0.userAgent() }
            metadata.int32("risk_score", metadata.random.skewed(below: 100))
        }
        binary("signature", byteCount: 64)
        timestamp("ledger_time", seconds: created)
        date("created_at", seconds: created)
    }

    private mutating func paymentID(_ index: Int) {
        write("pay_")
        write(number: 1_000_000_000 + index)
        write("_")
        hexadecimal(digitCount: 12)
    }

    /// About 450 bytes.
    mutating func auditEntry(_ index: Int) {
        objectID("_id", plan.objectID(of: .auditLog, at: index))
        date("at", seconds: plan.seconds(of: .auditLog, at: index))
        objectID("actor_id", anyUser())
        choice(
            "action", "login", "logout", "booking.update", "profile.update", "payment.create",
            "message.send", "review.create")
        document("target") {
            $0.choice("collection", "users", "session_bookings", "payments", "messages")
            $0.objectID("id", $0.anyBooking())
        }
        document("changes") { changes in
            changes.int32("version", changes.random.below(9))
            changes.choice("status", "scheduled", "completed", "cancelled")
        }
        string("ip") { $0.networkAddress() }
        string("user_agent") { $0.userAgent() }
        binary("request_id", byteCount: 16, subtype: 4)
        binary("chain_digest", byteCount: 32)
        int32("duration_ms", random.skewed(below: 3000))
        bool("succeeded", random.chance(97))
    }

    /// About 280 bytes; the `_id` is a UUID.
    mutating func notification(_ index: Int) {
        binary("_id", byteCount: 16, subtype: 4)
        objectID("user_id", anyUser())
        choice("kind", "reminder", "message", "review", "invoice")
        choice("channel", "email", "sms", "push")
        string("subject") { $0.title(wordCount: 4 + $0.random.below(4)) }
        string("text") { $0.prose(wordCount: 5 + $0.random.below(20)) }
        if random.chance(30) { null("read_at") }
        date("created_at", seconds: plan.seconds(of: .notifications, at: index))
    }

    /// About 300 bytes; the `_id` is a document.
    mutating func availability(_ index: Int) {
        let day = Int(SamplePlan.openingSeconds / 86_400) + index / 50
        document("_id") {
            $0.objectID("coach", $0.plan.objectID(of: .users, at: index % 50 * 8))
            $0.int32("day", day)
        }
        documents("slots", count: 2 + random.below(7)) { writer, slot in
            writer.int32("start_minute", 480 + slot * 90)
            writer.int32("minutes", 60)
            writer.bool("taken", writer.random.chance(45))
        }
        bool("on_leave", random.chance(4))
    }

    /// About 120 bytes, in a capped collection.
    mutating func activity(_ index: Int) {
        objectID("_id", plan.objectID(of: .activityFeed, at: index))
        objectID("user_id", anyUser())
        choice("event", "opened_app", "viewed_coach", "searched", "shared_blog")
        string("detail") { $0.title(wordCount: 2 + $0.random.below(6)) }
        date("at", seconds: plan.seconds(of: .activityFeed, at: index))
    }
}
