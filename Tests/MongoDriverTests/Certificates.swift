import Foundation
import PrivateServer

/// Certificates that openssl has made for one test.
struct Certificates {
    let folder: String

    /// An authority, a certificate of it for localhost and 127.0.0.1, one for another name, and an
    /// authority that has signed neither.
    init() throws {
        folder = NSTemporaryDirectory() + "cairn-certificates-\(UInt64.random(in: 0 ... .max))"
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true)
        let script = """
            set -e; cd "$1"
            key="-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"
            openssl req -x509 $key -keyout ca.key -out ca.pem -days 2 -subj /CN=cairn-test-authority
            openssl req -x509 $key -keyout other.key -out other.pem -days 2 -subj /CN=another
            make() {
                openssl req $key -keyout $1.key -out $1.csr -subj /CN=$1
                echo "subjectAltName=$2" >ext
                openssl x509 -req -in $1.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 \
                    -extfile ext -out $1.crt
                cat $1.key $1.crt >$1.pem
            }
            make server DNS:localhost,IP:127.0.0.1
            make elsewhere DNS:elsewhere.example
            openssl pkcs8 -topk8 -in server.key -passout pass:right -out encrypted.key
            cat encrypted.key server.crt >encrypted.pem
            cat other.key server.crt >mixed.pem
            """
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/bash")
        process.arguments = ["-c", script, "make", folder]
        process.standardError = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw CocoaError(.fileWriteUnknown) }
    }

    func remove() {
        do { try FileManager.default.removeItem(atPath: folder) } catch { print(error) }
    }

    /// A server that speaks TLS only.
    func server(_ certificate: String = "server", demandsCertificate: Bool = false) async throws
        -> PrivateServer
    {
        var options = PrivateServer.Options()
        options.isReplicaSet = false
        options.cacheGB = 0.25
        options.arguments = [
            "--tlsMode", "requireTLS", "--tlsCertificateKeyFile", "\(folder)/\(certificate).pem",
            "--tlsCAFile", "\(folder)/ca.pem",
        ]
        if !demandsCertificate { options.arguments += ["--tlsAllowConnectionsWithoutCertificates"] }
        options.readyQuery =
            "&tls=true&tlsInsecure=true"
            + (demandsCertificate ? "&tlsCertificateKeyFile=\(folder)/server.pem" : "")
        return try await PrivateServer(options)
    }
}
