public import BSONBytes

/// Making sure of many writes at once, where waiting for a majority of the replica set with each of
/// them would take a moment each.
extension MongoConnection {
    /// Which start of which server answers, and which election made it primary. Writes that it
    /// has acknowledged may be lost when this has changed, unless a majority had them, or a disk.
    public func incarnation() throws -> BSONDocument {
        let hello = try run(BSONDocument { $0.append("hello", Int32(1)) }, on: "admin")
        do throws(BSONError) {
            let election = try hello.first("electionId")
            let version = try hello.first("setVersion")
            let host = try hello.first("me")
            let process = try hello.first("topologyVersion")?.document?.first("processId")
            return BSONDocument { builder in
                if let election { builder.append("electionId", election) }
                if let version { builder.append("setVersion", version) }
                if let host { builder.append("me", host) }
                if let process { builder.append("processId", process) }
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
