import MongoDriver
import Testing

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
}
