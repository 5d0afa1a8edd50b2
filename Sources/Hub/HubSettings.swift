import Foundation

/// Where the hub and its cache are, as the environment says: `huggingface_hub`'s variables.
///
/// Reference: `constants.py` of `huggingface_hub`. A variable that is empty counts as not set.
public struct HubSettings: Equatable, Sendable {
    /// `HF_HUB_CACHE`, else `HUGGINGFACE_HUB_CACHE`, else `hub` in `HF_HOME`, else
    /// `huggingface/hub` in `XDG_CACHE_HOME` or `~/.cache`.
    public var cache: URL
    /// `HF_ENDPOINT`; https://huggingface.co by default. Without a slash at its end.
    public var endpoint: URL
    /// `HF_TOKEN`, else `HUGGING_FACE_HUB_TOKEN`, else what is in the file `HF_TOKEN_PATH`, by
    /// default `token` in `HF_HOME`; none with `HF_HUB_DISABLE_IMPLICIT_TOKEN`.
    public var token: String?
    /// `HF_HUB_OFFLINE` or `TRANSFORMERS_OFFLINE`: nothing is asked for over the network.
    public var isOffline: Bool
    /// Seconds without a byte after which a transfer has stalled: `HF_HUB_DOWNLOAD_TIMEOUT`, 10.
    public var timeout: TimeInterval
    /// Whether snapshots may be links: not with `HF_HUB_DISABLE_SYMLINKS`.
    public var usesLinks: Bool

    static let standardEndpoint = "https://huggingface.co"

    /// - Throws: ``HubSettingError``.
    public init(environment: [String: String] = ProcessInfo.processInfo.environment) throws {
        let variables = Variables(environment)
        let home = variables.path(
            "HF_HOME", default: (variables["XDG_CACHE_HOME"] ?? "~/.cache") + "/huggingface")
        cache =
            URL(
                fileURLWithPath: variables.path(
                    "HF_HUB_CACHE", default: variables["HUGGINGFACE_HUB_CACHE"] ?? home + "/hub"),
                isDirectory: true
            ).standardizedFileURL
        endpoint = try Self.endpoint(variables["HF_ENDPOINT"] ?? Self.standardEndpoint)
        token =
            variables.isTrue("HF_HUB_DISABLE_IMPLICIT_TOKEN")
            ? nil
            : Self.cleaned(variables["HF_TOKEN"] ?? variables["HUGGING_FACE_HUB_TOKEN"])
                ?? Self.storedToken(variables.path("HF_TOKEN_PATH", default: home + "/token"))
        isOffline = variables.isTrue(
            variables["HF_HUB_OFFLINE"] == nil ? "TRANSFORMERS_OFFLINE" : "HF_HUB_OFFLINE")
        timeout = try Self.seconds("HF_HUB_DOWNLOAD_TIMEOUT", variables)
        usesLinks = !variables.isTrue("HF_HUB_DISABLE_SYMLINKS")
    }

    private static func endpoint(_ text: String) throws -> URL {
        var text = text[...]
        while text.last == "/" { text.removeLast() }
        guard let url = URL(string: String(text)), let scheme = url.scheme?.lowercased(),
            ["http", "https"].contains(scheme), url.host?.isEmpty == false
        else {
            throw HubSettingError(
                variable: "HF_ENDPOINT", found: String(text),
                expected: "an address such as \(standardEndpoint)")
        }
        return url
    }

    private static func seconds(_ name: String, _ variables: Variables) throws -> TimeInterval {
        guard let text = variables[name] else { return 10 }
        guard let seconds = Int(text), (0...86_400).contains(seconds) else {
            throw HubSettingError(
                variable: name, found: text, expected: "a whole number of seconds")
        }
        return seconds == 0 ? 10 : TimeInterval(seconds)
    }

    private static func storedToken(_ path: String) -> String? {
        cleaned(
            FileManager.default.contents(atPath: path).map { String(decoding: $0, as: UTF8.self) })
    }

    /// A token in one piece, as a header can hold it.
    private static func cleaned(_ token: String?) -> String? {
        let token = token?.filter { !$0.isNewline }.trimmingCharacters(in: .whitespaces)
        return token?.isEmpty ?? true ? nil : token
    }
}

/// Environment variables as Python's `os.path.expandvars` and `expanduser` read them.
private struct Variables {
    private let all: [String: String]

    init(_ all: [String: String]) { self.all = all }

    subscript(name: String) -> String? {
        all[name].flatMap { $0.isEmpty ? nil : $0 }
    }

    func isTrue(_ name: String) -> Bool {
        ["1", "ON", "YES", "TRUE"].contains((self[name] ?? "").uppercased())
    }

    func path(_ name: String, default fallback: String) -> String {
        let text = self[name] ?? fallback
        let home = self["HOME"] ?? NSHomeDirectory()
        let isBelowHome = text == "~" || text.hasPrefix("~/")
        return expanded(isBelowHome ? home + text.dropFirst() : text)
    }

    /// `$NAME` and `${NAME}` by their values; those that are not set stay as they are.
    private func expanded(_ text: String) -> String {
        text.replacing(/\$(?:(\w+)|\{([^}]*)\})/.asciiOnlyWordCharacters()) { match in
            let name = match.output.1 ?? match.output.2 ?? ""
            return all[String(name)] ?? String(match.output.0)
        }
    }
}
