// What is polled is declared in the module that includes its header first.
import CMongoC
import Glibc

/// Asks on the terminal of the process, whatever standard input and output are. What is typed is
/// not shown.
enum TerminalQuestion {
    private static let pollMilliseconds: CInt = 200
    private static let interrupt: UInt8 = 3
    private static let endOfInput: UInt8 = 4
    private static let eraseLine: UInt8 = 21

    /// What was typed, up to the end of the line.
    ///
    /// - Throws: `MongoError` with `password` when there is no terminal; `CancellationError` for
    ///   Ctrl-C and when the task is cancelled. The terminal is as before then.
    static func ask(_ question: String) throws -> [UInt8] {
        let terminal = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY)
        guard terminal >= 0 else {
            throw MongoError(
                .password, "there is no terminal to ask for the password on; give it as a file")
        }
        defer { close(terminal) }
        var before = termios()
        guard tcgetattr(terminal, &before) == 0 else {
            throw MongoError(.password, "the terminal can't be asked for the password")
        }
        var silent = before
        // Ctrl-C comes as a character, too: the signal would leave the terminal without echo.
        silent.c_lflag &= ~tcflag_t(ECHO | ICANON | ISIG)
        guard tcsetattr(terminal, TCSAFLUSH, &silent) == 0 else {
            throw MongoError(.password, "the terminal's echo can't be switched off")
        }
        defer {
            tcsetattr(terminal, TCSAFLUSH, &before)
            write("\n", to: terminal)
        }
        write(question, to: terminal)
        return try line(from: terminal)
    }

    private static func line(from terminal: CInt) throws -> [UInt8] {
        var line: [UInt8] = []
        while true {
            try Task.checkCancellation()
            var entry = pollfd()
            entry.fd = terminal
            entry.events = CShort(POLLIN)
            guard poll(&entry, 1, pollMilliseconds) > 0 else { continue }
            var byte: UInt8 = 0
            guard read(terminal, &byte, 1) == 1 else {
                throw MongoError(.password, "the terminal was closed")
            }
            switch byte {
            case UInt8(ascii: "\n"), UInt8(ascii: "\r"): return line
            case interrupt: throw CancellationError()
            case endOfInput where line.isEmpty:
                throw MongoError(.password, "no password was typed")
            case eraseLine: line = []
            case 8, 127:
                // A letter may be several bytes of UTF-8.
                while let last = line.popLast(), last & 0xC0 == 0x80 {}
            default: if line.count <= PasswordSource.byteCountMax { line.append(byte) }
            }
        }
    }

    private static func write(_ text: String, to terminal: CInt) {
        _ = Array(text.utf8).withUnsafeBytes { Glibc.write(terminal, $0.baseAddress, $0.count) }
    }
}
