import Foundation

/// Whom an address belongs to: scheme, host and port.
struct Origin: Hashable {
    private let scheme: String
    private let host: String
    private let port: Int

    init(_ url: URL) {
        scheme = (url.scheme ?? "").lowercased()
        host = (url.host ?? "").lowercased()
        port = url.port ?? (scheme == "https" ? 443 : 80)
    }

    /// Hosts that are the hub whatever the endpoint: mirrors redirect to them.
    static let hubs = Set(
        ["https://huggingface.co", "https://hf.co"].compactMap(URL.init(string:)).map(Origin.init))
}

extension URL {
    /// For messages: without the password or the signature that may be in an address.
    var shown: String {
        guard var components = URLComponents(url: self, resolvingAgainstBaseURL: true) else {
            return host ?? ""
        }
        (components.user, components.password, components.query) = (nil, nil, nil)
        return components.string ?? host ?? ""
    }
}
