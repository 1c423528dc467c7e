internal import Glibc
internal import ObjectStorage
internal import StandardStreams

/// The program's three standard streams.
struct Console: Sendable {
    /// Standard input's descriptor.
    static let input = STDIN_FILENO
    /// Standard output's descriptor.
    static let output = STDOUT_FILENO

    /// Whether a person types there or reads it.
    static func isTerminal(_ descriptor: Int32) -> Bool { isatty(descriptor) == 1 }

    /// Whether standard error is a terminal that can redraw a line.
    static var canRedraw: Bool {
        isTerminal(STDERR_FILENO) && ProcessEnvironment["TERM"] != "dumb"
    }

    /// How many columns the terminal behind standard error has; 80 where none is.
    static var columnCount: Int {
        var size = winsize()
        guard ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
        return Int(size.ws_col)
    }

    /// Writes a line to standard output.
    ///
    /// - Throws: `Failure` when it can't be written, such as to a full disk.
    static func writeLine(_ line: String) throws {
        guard let number = StandardStream.output.write(line + "\n") else { return }
        throw Failure(
            .failed, number == EPIPE ? Failure.brokenPipeCode : "output_failed",
            "cannot write to standard output: \(String(cString: strerror(number)))")
    }

    /// Writes text to standard error as it is. That nobody can read it is no reason to fail.
    static func writeError(_ text: String) {
        _ = StandardStream.error.write(text)
    }
}

/// Variables that the program was started with.
enum ProcessEnvironment {
    /// A variable's value; nil also when it is empty.
    static subscript(name: String) -> String? {
        guard let value = getenv(name), value.pointee != 0 else { return nil }
        return String(cString: value)
    }
}
