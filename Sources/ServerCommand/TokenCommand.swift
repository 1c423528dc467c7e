internal import AccessControl
internal import ArgumentParser
internal import Foundation
internal import Glibc

/// `cairn token`.
struct TokenCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "token",
        abstract: "Make a token for the service, signed with the HS256 secret.",
        usage: "cairn token --secret-file <file> --role <role> --subject <name> [--expires <time>]")

    @OptionGroup var key: KeyOptions
    @Option(
        help: ArgumentHelp(
            "What the bearer may do: super_admin, admin, content_manager, moderator, analyst or "
                + "viewer.", valueName: "role"))
    var role: String
    @Option(help: ArgumentHelp("Who the bearer is.", valueName: "name"))
    var subject: String
    @Option(help: ArgumentHelp("How long it is valid, such as 1h or 30d.", valueName: "time"))
    var expires = Span(seconds: 3600)

    func run() async throws {
        try ServerProgram.answer(
            try await TokenMaking(key: key).token(
                subject: subject, role: role, seconds: expires.seconds))
    }
}

/// Makes tokens with the configured secret.
struct TokenMaking {
    let key: KeyOptions

    /// - Throws: `ServerFailure` with usage for a role that there is not, or without a secret.
    func token(subject: String, role name: String, seconds: Int) async throws -> String {
        guard let role = Role(rawValue: name) else {
            let roles = Role.allCases.map(\.rawValue).joined(separator: ", ")
            throw ServerFailure.usage("there is no role \"\(name)\"; there are \(roles)")
        }
        guard let text = try key.secretText() else {
            throw ServerFailure.usage(
                "tokens are made with a secret; give --secret-file. An issuer with public keys "
                    + "makes its own")
        }
        let issuer = await TokenIssuer(secret: try SharedSecret(text), rules: try key.rules())
        return try await issuer.issue(
            TokenGrant(subject: subject, role: role, lifetimeSeconds: seconds), now: Date())
    }
}
