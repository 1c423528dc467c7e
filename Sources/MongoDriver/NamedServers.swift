import CMongoC

/// The servers that a connection string leads to: those that it names, or those that DNS has for
/// it (`mongodb+srv`).
struct NamedServers: Sendable {
    /// Where each listens, in the order of the string.
    let places: [ServerPlace]
    /// The replica set that they must belong to; nil for any, or for none.
    let setName: String?
    /// Whether libmongoc looks for the other members by the names that a server gives.
    let looksForMembers: Bool

    /// - Parameter uri: a `mongoc_uri_t`; of `mongodb+srv` a client's, which has been looked up.
    init(_ uri: OpaquePointer) {
        var places: [ServerPlace] = []
        var next = mongoc_uri_get_hosts(uri)
        while let host = next {
            places.append(ServerPlace(host.pointee))
            next = UnsafePointer(host.pointee.next)
        }
        self.places = places
        setName = mongoc_uri_get_replica_set(uri).map { String(cString: $0) }
        let isDirect = mongoc_uri_get_option_as_bool(uri, MONGOC_URI_DIRECTCONNECTION, false)
        looksForMembers = !isDirect && (setName != nil || places.count > 1)
    }
}
