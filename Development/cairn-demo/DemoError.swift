/// Why the demonstration did not come to its good end; one sentence without a period.
struct DemoError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}
