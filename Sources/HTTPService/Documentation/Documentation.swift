internal import SnapshotJSON

/// What readers are told of the interface, made once.
struct Documentation: Sendable {
    /// The OpenAPI document.
    let text: String
    /// The page.
    let page: String

    init(_ endpoints: [Endpoint], version: String) {
        text = OpenAPIDocument(endpoints: endpoints, version: version).json.text
        page = DocumentationPage(endpoints: endpoints, version: version).html
    }
}
