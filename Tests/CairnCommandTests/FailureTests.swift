import ArchiveFormat
import ArgumentParser
import MongoDriver
import ObjectStorage
import SnapshotJSON
import Snapshots
import Testing

@testable import CairnCommand

@Suite struct FailureTests {
    @Test func exitCodesAreWhatScriptsRelyOn() {
        #expect(ProgramStatus.allCases.map(\.rawValue) == [0, 1, 3, 4, 10, 11, 12, 64, 130])
    }

    @Test(arguments: [
        (SnapshotError.Code.usage, ProgramStatus.usage), (.notFound, .failed),
        (.noRepository, .noRepository), (.namespaceConflict, .failed), (.notEqual, .failed),
        (.refused, .failed), (.unsupported, .failed), (.catalogChanged, .failed),
        (.lockLost, .locked),
    ])
    func snapshotErrors(code: SnapshotError.Code, status: ProgramStatus) {
        let failure = Failure(SnapshotError(code, "what happened"))
        #expect(failure == Failure(status, code.rawValue, "what happened"))
    }

    @Test func whatIsInTheWayIsSaidWithWhatToDo() {
        #expect(
            Failure(SnapshotError(.locked, "a restore uses it"))
                == Failure(
                    .locked, "locked",
                    "a restore uses it; wait for it to end, or give --lock-wait"))
        #expect(
            Failure(SnapshotError(.lastVerified, "it is the last"))
                == Failure(
                    .failed, "last_verified",
                    "it is the last; give --force to remove it all the same"))
    }

    @Test func storageErrors() {
        let error = ObjectStorageError(.noSpace, "cannot write", path: "/r", hint: "free some")
        #expect(
            Failure(error) == Failure(.failed, "no_space", "cannot write /r (free some)"))
        #expect(
            Failure(ObjectStorageError(.notARepository, "no", path: "/r")).status == .noRepository)
        #expect(Failure(ObjectStorageError(.truncated, "no", path: "/r")).status == .damaged)
    }

    @Test func serverErrors() {
        #expect(Failure(MongoError(.invalidURI, "no")).status == .usage)
        #expect(Failure(MongoError(.authentication, "no")).status == .failed)
    }

    @Test func archiveErrorsNameTheFileAndWhatToDo() {
        let error = ArchiveError(.checksumMismatch, "the hash differs", chunk: 3)
        #expect(
            Failure(error, inArchive: "/r/a.gz")
                == Failure(
                    .damaged, "checksum_mismatch",
                    "/r/a.gz: the hash differs (chunk 3); copy the file again, or use another "
                        + "snapshot"))
        #expect(Failure(ArchiveError(.invalidOption, "no level 99")).status == .usage)
    }

    @Test func cancellation() {
        #expect(Failure(CancellationError()).status == .cancelled)
    }

    @Test func failuresAreJSONToo() {
        #expect(
            Failure(.damaged, "truncated", "it \"ends\"").json.text
                == #"{"error":{"code":"truncated","message":"it \"ends\""},"exit_code":12}"#)
    }
}

@Suite struct UsageErrorTests {
    private func usage(_ arguments: String...) -> UsageError? {
        do {
            _ = try RootCommand.parseAsRoot(arguments)
            return nil
        } catch {
            return UsageError(RootCommand.message(for: error), arguments)
        }
    }

    @Test func isOneSentenceThatSaysWhereToReadOn() throws {
        let error = try #require(usage("restore", "latest"))
        #expect(error.failure.status == .usage)
        #expect(
            error.failure.message
                == "missing expected argument '--mode <mode>' (see \"cairn help restore\")")
    }

    @Test(arguments: [
        ["backup", "mongodb://u:secret@h/"], ["backup", "--urii=mongodb://u:secret@h/"],
        ["backup", "--jobs", "mongodb+srv://u:se'cr\"et@h/?tlsPassword=secret"],
        ["list", "x", "mongodb://u:a b secret@h"], ["mongodb://u:secret@h/"],
        ["show", "a", "b", "MONGODB_URI=mongodb://secret"],
    ])
    func connectionStringsAreNotRepeated(arguments: [String]) throws {
        do {
            _ = try RootCommand.parseAsRoot(arguments)
            Issue.record("\(arguments) should not be understood")
        } catch {
            let message = UsageError(RootCommand.message(for: error), arguments).failure.message
            #expect(!message.contains("cret"), "\(message)")
            #expect(!message.contains("\n"))
        }
    }

    @Test func unknownCommandsAreNamed() throws {
        let error = try #require(usage("bakcup", "--db", "shop"))
        #expect(error.failure.message == "there is no command \"bakcup\" (see \"cairn help\")")
    }

    @Test func knowsWhereJSONGoes() throws {
        let toOutput = try #require(usage("restore", "--json", "--archive", "-"))
        #expect(toOutput.isJSON)
        #expect(!toOutput.writesArchiveToOutput)
        let toError = try #require(usage("backup", "--json", "--archive", "-", "--nope"))
        #expect(toError.writesArchiveToOutput)
        #expect(try #require(usage("list", "x", "--", "--json")).isJSON == false)
    }
}

@Suite struct OptionTests {
    @Test(arguments: [
        ("4MiB", 4_194_304), ("256KiB", 262_144), ("1000000", 1_000_000), ("1mb", 1_000_000),
        ("16mib", 16_777_216), ("7B", 7),
    ])
    func sizes(text: String, byteCount: Int) {
        #expect(ByteSize(argument: text)?.byteCount == byteCount)
    }

    @Test(arguments: ["", "MiB", "4 MiB", "-1", "4GiB", "1.5MiB", "99999999999999999999", "٤"])
    func noSizes(text: String) {
        #expect(ByteSize(argument: text) == nil)
    }

    @Test func pathsStartAtTheRoot() {
        #expect(RepositoryOptions.absolutePath("/a//b/./c/") == "/a/b/c")
        #expect(RepositoryOptions.absolutePath("/") == "/")
        #expect(RepositoryOptions.absolutePath("a/../b").hasSuffix("/a/../b"))
        #expect(RepositoryOptions.absolutePath("a").hasPrefix("/"))
    }
}
