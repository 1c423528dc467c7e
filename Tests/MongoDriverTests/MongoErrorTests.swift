import Testing

@testable import MongoDriver

@Suite struct MongoErrorTests {
    @Test func descriptionSaysWhatWhereAndWhatToDo() {
        let error = MongoError(
            .snapshotTooOld, "find on \"shop\" failed: too old", serverCode: 239,
            codeName: "SnapshotTooOld", server: "one:27017")
        #expect(
            error.description
                == "find on \"shop\" failed: too old (SnapshotTooOld, code 239) at one:27017; "
                + "read faster or raise the server's minSnapshotHistoryWindowInSeconds")
        #expect(!error.isRetryable)
    }

    @Test func networkErrorsAndElectionsMayBeRetried() {
        #expect(MongoError(.network, "").isRetryable)
        #expect(MongoError(.serverSelection, "").isNetworkError)
        #expect(MongoError(.command, "", serverCode: 189).isRetryable)
        #expect(MongoError(.command, "", labels: ["RetryableWriteError"]).isRetryable)
        #expect(!MongoError(.command, "", serverCode: 2).isRetryable)
        #expect(!MongoError(.authentication, "", serverCode: 18).isNetworkError)
    }

    @Test func whatAServerQuotesOfDocumentsAndCommandsIsLeftOut() {
        #expect(
            MongoError.withoutDocuments(
                "not authorized on shop to execute command { insert: \"a\", documents: [] }")
                == "not authorized on shop")
        #expect(
            MongoError.withoutDocuments("E11000 duplicate key error dup key: { _id: \"anna\" }")
                == "E11000 duplicate key error")
        #expect(MongoError.withoutDocuments("ns does not exist") == "ns does not exist")
    }
}
