internal import ArgumentParser
internal import Glibc
internal import MongoDriver
internal import SnapshotJSON
internal import Snapshots
internal import StandardStreams

/// The program: parse → perform → tell. The one place that writes results and failures.
public enum Program {
    /// Runs a command line.
    ///
    /// - Parameter arguments: without the program's name.
    /// - Returns: the exit code.
    public static func run(_ arguments: [String]) async -> Int32 {
        // A reader that is gone is an error of the write, with a name, and not the end.
        signal(SIGPIPE, SIG_IGN)
        DriverCounters.remove()
        do {
            if let help = ServiceProgram.help(arguments) {
                throw ServiceProgram.replaceThisOne(help)
            }
            let command = try RootCommand.parseAsRoot(arguments)
            guard let job = command as? any Job else {
                var command = command
                try command.run()
                return ProgramStatus.done.rawValue
            }
            return await run(job).rawValue
        } catch {
            return explain(error, arguments).rawValue
        }
    }

    // MARK: A job

    private static func run(_ job: some Job) async -> ProgramStatus {
        if !StandardStream.output.isUsable, let failure = withoutOutput(job) {
            return tell(failure, isJSON: job.output.json, isOutputTaken: true)
        }
        let display = ProgressDisplay(
            style(job.output), now: { monotonicSeconds() }, write: Console.writeError)
        do {
            let outcome = try await withSignals(notices(display)) { try await job.perform(display) }
            display.finish()
            switch outcome {
            case .finished(let result): return try tell(result, of: job)
            case .cancelled(let error):
                let live = (error as? SnapshotError)?.alreadyLive.map { "cancelled; \($0)" }
                throw Failure(.cancelled, "cancelled", live ?? job.cancellationMessage)
            }
        } catch {
            display.finish()
            let failure = Failure(error)
            // As `head` ends what feeds it: whoever has read enough expects no message.
            if failure.code == Failure.brokenPipeCode, job.isItsOutput { return .failed }
            return tell(
                failure, isJSON: job.output.json, isOutputTaken: job.writesArchiveToOutput)
        }
    }

    private static func notices(_ display: ProgressDisplay) -> SignalNotices {
        SignalNotices(
            cancelling: { display.noticed("cancelling; a second Ctrl-C stops at once") },
            isCommitting: { display.isCommitting },
            waiting: {
                display.noticed(
                    "collections are being put in place, and this ends when that is done; a second "
                        + "Ctrl-C stops at once and leaves some as they were")
            },
            stopping: { reason in
                let isCommitting = display.isCommitting
                display.finish()
                let why = reason == .overdue ? ", for it did not end in time" : ""
                let rest =
                    isCommitting
                    ? "some collections are the snapshot's and others as they were, and a time "
                        + "series may hold both; run the restore again to complete it"
                    : "the next run removes what is left behind"
                Console.writeError("cairn: stopped\(why); \(rest)\n")
            })
    }

    /// What is wrong with a job whose result can't be written; nil for one that does more, which
    /// is done all the same, with a warning.
    private static func withoutOutput(_ job: some Job) -> Failure? {
        let reason = "standard output is closed, or not open for writing"
        guard job.isItsOutput || job.writesArchiveToOutput else {
            Console.writeError("cairn: \(reason): the report of this command will be lost\n")
            return nil
        }
        return Failure(.failed, "output_failed", "\(reason); nothing was done")
    }

    private static func style(_ output: OutputOptions) -> ProgressDisplay.Style {
        if output.quiet { return .silent }
        return Console.canRedraw ? .bar(columnCount: { Console.columnCount }) : .lines
    }

    private static func monotonicSeconds() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }

    // MARK: Telling

    private static func tell(_ result: JobResult, of job: some Job) throws -> ProgramStatus {
        let text = job.output.json ? result.json.text : result.text
        if let warning = result.warning {
            Console.writeError("cairn: \(Formatting.visible(warning))\n")
        }
        if job.writesArchiveToOutput {
            Console.writeError(text + "\n")
        } else {
            do {
                try Console.writeLine(text)
            } catch  where !job.isItsOutput {
                // The job is done all the same: whoever retries would do it twice.
                Console.writeError("cairn: the job is done, only its report was not written:\n")
                Console.writeError(result.text + "\n")
                throw error
            }
        }
        return result.status
    }

    private static func tell(
        _ failure: Failure, isJSON: Bool, isOutputTaken: Bool
    ) -> ProgramStatus {
        Console.writeError("cairn: \(Formatting.visible(failure.message))\n")
        guard isJSON else { return failure.status }
        if isOutputTaken {
            Console.writeError(failure.json.text + "\n")
        } else {
            do {
                try Console.writeLine(failure.json.text)
            } catch {
                Console.writeError("cairn: \(Failure(error).message)\n")
            }
        }
        return failure.status
    }

    // MARK: What the parser throws

    /// Help and version are asked for; all else is a command that was not understood.
    private static func explain(_ error: any Error, _ arguments: [String]) -> ProgramStatus {
        if let failure = error as? Failure {
            let isJSON = arguments.contains("--json")
            return tell(failure, isJSON: isJSON, isOutputTaken: false)
        }
        let isUsage = RootCommand.exitCode(for: error) != .success
        guard isUsage else {
            do {
                try Console.writeLine(RootCommand.fullMessage(for: error))
                return .done
            } catch {
                let failure = Failure(error)
                guard failure.code != Failure.brokenPipeCode else { return .failed }
                return tell(failure, isJSON: false, isOutputTaken: false)
            }
        }
        let usage = UsageError(RootCommand.message(for: error), arguments)
        return tell(
            usage.failure, isJSON: usage.isJSON, isOutputTaken: usage.writesArchiveToOutput)
    }
}
