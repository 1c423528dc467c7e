import BSONBytes

/// Reads fields of replies: what does not fit is the server's fault, so a `MongoError`.
extension BSONDocument {
    /// The value of a field read by `convert`, or nil when it is missing or of another type.
    func field<Value>(
        _ name: String, _ convert: (BSONValue) -> Value?
    ) throws(MongoError) -> Value? {
        do throws(BSONError) { return try first(name).flatMap(convert) } catch {
            throw MongoError(.protocolViolation, "a reply is damaged: \(error)")
        }
    }

    /// The value of a field that every reply of this kind has.
    func requiredField<Value>(
        _ name: String, _ convert: (BSONValue) -> Value?
    ) throws(MongoError) -> Value {
        guard let value = try field(name, convert) else {
            throw MongoError(.protocolViolation, "a reply has no usable field \"\(name)\"")
        }
        return value
    }

    /// The documents in an array field; empty when it is missing.
    func documents(in name: String) throws(MongoError) -> [BSONDocument] {
        try values(in: name).compactMap(\.document)
    }

    /// The strings in an array field; empty when it is missing.
    func strings(in name: String) throws(MongoError) -> [String] {
        try values(in: name).compactMap(\.string)
    }

    func values(in name: String) throws(MongoError) -> [BSONValue] {
        do throws(BSONError) { return try first(name)?.array() ?? [] } catch {
            throw MongoError(.protocolViolation, "a reply is damaged: \(error)")
        }
    }
}
