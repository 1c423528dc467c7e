public import BSONBytes

/// Making sure of many writes at once, where waiting for a majority of the replica set with each of
/// them would take a moment each.
extension MongoConnection {
    /// Which election made the primary what it is; nil where there are none. Writes that a majority
    /// did not have yet are lost when another election comes between them and `waitForMajority`.
    public func election() throws -> BSONDocument? {
        let hello = try run(BSONDocument { $0.append("hello", Int32(1)) }, on: "admin")
        do throws(BSONError) {
            guard let identifier = try hello.first("electionId") else { return nil }
            let version = try hello.first("setVersion")
            return BSONDocument {
                $0.append("electionId", identifier)
                if let version { $0.append("setVersion", version) }
            }
        } catch {
            throw MongoError(.protocolViolation, "a reply is damaged: \(error)")
        }
    }

    /// Returns when a majority has everything that the primary has now.
    ///
    /// - Parameter collection: any that the user may read; nothing of it is looked at.
    public func waitForMajority(reading collection: String, in database: String) throws {
        guard let moment = try operationTime() else { return }
        let command = BSONDocument {
            $0.append("find", collection)
            $0.append("limit", Int32(1))
            $0.append("singleBatch", true)
            let concern = BSONDocument {
                $0.append("level", "majority")
                $0.append("afterClusterTime", moment)
            }
            $0.append("readConcern", concern)
        }
        _ = try run(command, on: database, as: .primary)
    }
}
