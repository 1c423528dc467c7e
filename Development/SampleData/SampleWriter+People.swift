/// Documents about people and what they write to each other.
extension SampleWriter {
    /// About 1,300 bytes; every eighth user is a coach and has more.
    mutating func user(_ index: Int) {
        let created = plan.seconds(of: .users, at: index)
        objectID("_id", plan.objectID(of: .users, at: index))
        string("email") {
            $0.word(.firstNames)
            $0.write(".")
            $0.word(.lastNames)
            $0.write(number: index)
            $0.write("@example.org")
        }
        bool("email_verified", random.chance(90))
        string("password_hash") {
            $0.write("$2b$12$")
            $0.token(characterCount: 53)
        }
        document("name") {
            $0.string("first") { $0.name(.firstNames) }
            $0.string("last") { $0.name(.lastNames) }
        }
        strings("roles", count: index % 8 == 0 ? 2 : 1) { writer, role in
            writer.write(role == 0 ? "client" : "coach")
        }
        string("locale") { $0.word(.languages) }
        string("time_zone") { $0.word(.timeZones) }
        userProfile()
        document("location") {
            $0.string("type", "Point")
            $0.doubles(
                "coordinates", Double($0.random.below(3_600_000)) / 10_000 - 180,
                Double($0.random.below(1_600_000)) / 10_000 - 80)
        }
        userPreferences()
        if index % 8 == 0 { coach() }
        string("referral_code") { $0.token(characterCount: 10) }
        int32("login_count", random.skewed(below: 2000))
        date("created_at", seconds: created)
        date("updated_at", seconds: created + UInt64(random.below(20_000_000)))
        if random.chance(80) {
            date("last_login_at", seconds: created + UInt64(random.below(30_000_000)))
        } else {
            null("last_login_at")
        }
        binary("recovery_key", byteCount: 32)
        null("deleted_at")
    }

    private mutating func userProfile() {
        document("profile") { profile in
            profile.string("headline") { $0.title(wordCount: 4 + $0.random.below(5)) }
            profile.string("bio") { $0.prose(wordCount: 25 + $0.random.below(70)) }
            profile.string("city") { $0.name(.cities) }
            profile.string("avatar_url") {
                $0.write("https://cdn.example.org/avatars/")
                $0.hexadecimal(digitCount: 32)
                $0.write(".webp")
            }
            profile.strings("languages", count: 1 + profile.random.below(3)) { writer, _ in
                writer.word(.languages)
            }
        }
    }

    private mutating func userPreferences() {
        document("preferences") { preferences in
            preferences.document("notifications") {
                $0.bool("email", $0.random.chance(85))
                $0.bool("sms", $0.random.chance(30))
                $0.bool("push", $0.random.chance(60))
            }
            preferences.choice("theme", "light", "dark", "system")
            preferences.bool("newsletter", preferences.random.chance(40))
            preferences.int32("reminder_minutes", 15 * (1 + preferences.random.below(8)))
        }
    }

    private mutating func coach() {
        document("coach") { coach in
            coach.strings("specialties", count: 2 + coach.random.below(3)) { writer, _ in
                writer.word(.specialties)
            }
            coach.decimal("hourly_rate", cents: 500 * (8 + coach.random.below(60)))
            coach.double("rating", Double(300 + coach.random.below(201)) / 100)
            coach.int32("sessions_completed", coach.random.skewed(below: 4000))
            coach.documents("certifications", count: coach.random.below(4)) { writer, _ in
                writer.string("title") { $0.title(wordCount: 3) }
                writer.int32("year", 2005 + writer.random.below(20))
                writer.binary("proof", byteCount: 32)
            }
        }
    }

    /// About 430 bytes, 200 to 1,100.
    mutating func message(_ index: Int) {
        let sent = plan.seconds(of: .messages, at: index)
        objectID("_id", plan.objectID(of: .messages, at: index))
        objectID("conversation_id", anyBooking())
        objectID("sender_id", anyUser())
        objectID("recipient_id", anyUser())
        string("client_token") { $0.token(characterCount: 22) }
        string("body") { $0.prose(wordCount: 4 + $0.random.skewed(below: 110)) }
        documents("attachments", count: random.chance(12) ? 1 : 0) { writer, _ in
            writer.string("name") { $0.slug(wordCount: 2, index: index) }
            writer.string("content_type", "application/pdf")
            writer.int64("byte_count", 1000 + writer.random.below(4_000_000))
            writer.binary("sha256", byteCount: 32)
        }
        date("sent_at", seconds: sent)
        if random.chance(85) {
            date("read_at", seconds: sent + UInt64(random.below(90_000)))
        } else {
            null("read_at")
        }
    }

    /// About 650 bytes.
    mutating func review(_ index: Int) {
        let created = plan.seconds(of: .reviews, at: index)
        objectID("_id", plan.objectID(of: .reviews, at: index))
        objectID("coach_id", anyCoach())
        objectID("client_id", anyUser())
        objectID("booking_id", anyBooking())
        int32("rating", 5 - random.skewed(below: 5))
        string("title") { $0.title(wordCount: 3 + $0.random.below(5)) }
        string("text") { $0.prose(wordCount: 10 + $0.random.below(90)) }
        strings("tags", count: random.below(4)) { writer, _ in writer.word(.specialties) }
        int64("helpful_votes", random.skewed(below: 60))
        bool("verified", random.chance(95))
        if random.chance(20) {
            document("response") { response in
                response.string("text") { $0.prose(wordCount: 8 + $0.random.below(30)) }
                response.date("at", seconds: created + 86_400)
            }
        } else {
            null("response")
        }
        date("created_at", seconds: created)
    }

    /// About 3 KB, 1 to 7.
    mutating func blog(_ index: Int) {
        let published = plan.seconds(of: .blogs, at: index)
        objectID("_id", plan.objectID(of: .blogs, at: index))
        string("slug") { $0.slug(wordCount: 5, index: index) }
        string("title") { $0.title(wordCount: 5 + $0.random.below(6)) }
        document("author") {
            $0.objectID("id", $0.anyCoach())
            $0.string("name") {
                $0.name(.firstNames)
                $0.write(" ")
                $0.name(.lastNames)
            }
        }
        string("summary") { $0.prose(wordCount: 20 + $0.random.below(20)) }
        documents("sections", count: 2 + random.below(5)) { writer, section in
            writer.int32("position", section)
            writer.string("heading") { $0.title(wordCount: 3 + $0.random.below(4)) }
            writer.string("text") { $0.prose(wordCount: 35 + $0.random.below(90)) }
        }
        strings("tags", count: 2 + random.below(5)) { writer, _ in writer.word(.specialties) }
        document("statistics") {
            $0.int64("views", $0.random.skewed(below: 2_000_000))
            $0.int32("likes", $0.random.skewed(below: 9000))
            $0.double("read_ratio", Double($0.random.below(10_000)) / 10_000)
        }
        documents("comments", count: random.skewed(below: 9)) { writer, _ in
            writer.objectID("user_id", writer.anyUser())
            writer.string("text") { $0.prose(wordCount: 5 + $0.random.below(25)) }
            writer.date("at", seconds: published + UInt64(writer.random.below(5_000_000)))
        }
        bool("published", true)
        date("published_at", seconds: published)
    }
}
