import BSONBytes

/// The kinds of documents; the raw value is the name of the collection that has them.
enum SampleKind: String, CaseIterable, Sendable {
    case users
    case bookings = "session_bookings"
    case messages
    case auditLog = "audit_log"
    case payments
    case reviews
    case blogs
    case notifications
    case availability
    case activityFeed = "activity_feed"
    case orders
    case readings
    case reports
    case settings

    /// Those of the booking platform.
    static let platform = allCases.filter { $0.share > 0 }

    /// What the shares add up to.
    static let shareTotal = 1000

    /// Position in `allCases`, which is part of every document's seed.
    var ordinal: Int {
        switch self {
        case .users: 0
        case .bookings: 1
        case .messages: 2
        case .auditLog: 3
        case .payments: 4
        case .reviews: 5
        case .blogs: 6
        case .notifications: 7
        case .availability: 8
        case .activityFeed: 9
        case .orders: 10
        case .readings: 11
        case .reports: 12
        case .settings: 13
        }
    }

    /// How many of a thousand documents of the booking platform are of this kind.
    var share: Int {
        switch self {
        case .users: 120
        case .bookings: 250
        case .messages: 230
        case .auditLog: 120
        case .payments: 100
        case .reviews: 80
        case .blogs: 50
        case .notifications: 20
        case .availability: 20
        case .activityFeed: 10
        case .orders, .readings, .reports, .settings: 0
        }
    }

    /// What `create` takes besides the name.
    func options(documentCount: Int) -> BSONDocument {
        switch self {
        case .reviews: Self.reviewOptions
        case .blogs:
            BSONDocument {
                $0.append(
                    "collation",
                    BSONDocument {
                        $0.append("locale", "en")
                        $0.append("strength", Int32(2))
                    })
            }
        case .activityFeed:
            BSONDocument {
                $0.append("capped", true)
                // Room for all of them: a capped collection that is full forgets its oldest.
                $0.append("size", Int64(max(documentCount, 1024) * 1024))
            }
        default: BSONDocument()
        }
    }

    private static var reviewOptions: BSONDocument {
        let rating = BSONDocument {
            $0.append("bsonType", "int")
            $0.append("minimum", Int32(1))
            $0.append("maximum", Int32(5))
        }
        let schema = BSONDocument {
            $0.append("bsonType", "object")
            $0.append("required", array: ["coach_id", "rating"])
            $0.append("properties", BSONDocument { $0.append("rating", rating) })
        }
        return BSONDocument {
            $0.append("validator", BSONDocument { $0.append("$jsonSchema", schema) })
            $0.append("validationLevel", "moderate")
            $0.append("validationAction", "error")
        }
    }

    /// What `createIndexes` takes. Every kind of index occurs somewhere in the booking platform;
    /// the other data sets measure documents, not indexes.
    var indexes: [BSONDocument] {
        switch self {
        case .users:
            [
                index("email_1", ["email": 1]) { $0.append("unique", true) },
                index("location_2dsphere", ["location": "2dsphere"]),
                index("coach.specialties_1", ["coach.specialties": 1]) {
                    $0.append("sparse", true)
                },
            ]
        case .bookings:
            [
                index("coach_id_1_starts_at_-1", ["coach_id": 1, "starts_at": -1]),
                index("client_id_1", ["client_id": 1]),
                index("status_1_starts_at_1", ["status": 1, "starts_at": 1]) {
                    $0.append(
                        "partialFilterExpression",
                        BSONDocument { $0.append("status", "scheduled") })
                },
            ]
        case .messages:
            [index("conversation_id_1_sent_at_1", ["conversation_id": 1, "sent_at": 1])]
        case .auditLog: [index("actor_id_hashed", ["actor_id": "hashed"])]
        case .payments:
            [
                index("reference_1", ["reference": 1]) { $0.append("unique", true) },
                index("metadata.$**_1", ["metadata.$**": 1]),
            ]
        case .reviews: [index("coach_id_1_rating_-1", ["coach_id": 1, "rating": -1])]
        case .blogs:
            [
                index("slug_1", ["slug": 1]) { $0.append("unique", true) },
                index("title_text", ["title": "text"]) {
                    // A text index refuses any other collation than the simple one.
                    $0.append("collation", BSONDocument { $0.append("locale", "simple") })
                },
            ]
        case .notifications:
            [
                index("created_at_1", ["created_at": 1]) {
                    // Sixty-eight years: the index kind is there, and nothing expires meanwhile.
                    $0.append("expireAfterSeconds", Int32.max)
                }
            ]
        case .settings: [index("key_1", ["key": 1])]
        case .availability, .activityFeed, .orders, .readings, .reports: []
        }
    }

    private func index(
        _ name: String, _ key: KeyValuePairs<String, IndexDirection>,
        _ options: (inout BSONBuilder) -> Void = { _ in }
    ) -> BSONDocument {
        BSONDocument {
            $0.append(
                "key",
                BSONDocument { keys in
                    for (field, direction) in key {
                        switch direction {
                        case .order(let order): keys.append(field, order)
                        case .kind(let kind): keys.append(field, kind)
                        }
                    }
                })
            $0.append("name", name)
            options(&$0)
        }
    }
}

/// What stands behind a field in an index key: 1, -1 or the name of a special kind.
private enum IndexDirection: ExpressibleByIntegerLiteral, ExpressibleByStringLiteral {
    case order(Int32)
    case kind(String)

    init(integerLiteral order: Int32) {
        self = .order(order)
    }

    init(stringLiteral kind: String) {
        self = .kind(kind)
    }
}
