import MongoDriver
import Testing

@Suite struct MongoURITests {
    @Test func descriptionHasNoSecrets() throws {
        let uri = try MongoURI(
            "mongodb://anna:geheim%40x@one.example:27018,two.example/shop"
                + "?replicaSet=rs0&authMechanism=PLAIN&authSource=$external"
                + "&authMechanismProperties=SERVICE_NAME:verborgen"
                + "&tlsCertificateKeyFilePassword=keyword")
        #expect(uri.description == "mongodb://***@one.example:27018,two.example:27017/shop")
        #expect(uri.hosts == ["one.example:27018", "two.example:27017"])
        #expect(uri.defaultDatabase == "shop")
    }

    @Test func withoutCredentialsNothingIsHidden() throws {
        let uri = try MongoURI("mongodb://localhost/?readPreference=secondary")
        #expect(uri.description == "mongodb://localhost:27017")
        #expect(uri.defaultDatabase == nil)
    }

    @Test func serviceNamesStandForTheirHosts() throws {
        let uri = try MongoURI("mongodb+srv://u:p@cluster.example.com/db")
        #expect(uri.description == "mongodb+srv://***@cluster.example.com/db")
        #expect(uri.hosts.isEmpty)
    }

    @Test(arguments: [
        "", "localhost", "http://localhost", "mongodb://", "mongodb://h:99999",
    ])
    func whatCannotBeReadIsRefused(string: String) throws {
        let error = try #require(throws: MongoError.self) { try MongoURI(string) }
        #expect(error.code == .invalidURI)
        #expect(error.description.contains("mongodb://user:password@host:port"))
    }

    @Test func anUnansweredWriteIsRefused() throws {
        let error = try #require(throws: MongoError.self) { try MongoURI("mongodb://h/?w=0") }
        #expect(error.code == .invalidURI)
    }

    @Test(arguments: [
        "mongodb://anna:geh/eim@host", "mongodb://anna:geh@eim@host", "mongodb://anna:geh%eim@host",
        "mongodb://anna:geh:eim@host:99999", "mongodb://anna:geheim@host/?w=0",
    ])
    func errorsNeverQuoteThePassword(string: String) throws {
        let error = try #require(throws: MongoError.self) { try MongoURI(string) }
        #expect(!error.description.contains("geh"))
        #expect(!error.description.contains("eim"))
        #expect(!error.description.contains("anna"))
    }
}
