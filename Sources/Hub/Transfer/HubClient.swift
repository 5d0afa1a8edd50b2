import Foundation

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// Asks the hub for one repository: its files' names, what each is, and their bytes.
///
/// Reference: `huggingface_hub`'s `file_download.py` and `hf_api.py`. The access token goes to the
/// endpoint and to huggingface.co alone, wherever they redirect to.
struct HubClient {
    let repository: String
    private let settings: HubSettings
    private let http: HTTPClient
    private let trusted: Set<Origin>

    private static let mostRedirections = 20
    private static let longestAnswer = 64 << 20

    init(_ repository: String, _ settings: HubSettings) {
        self.repository = repository
        self.settings = settings
        http = HTTPClient(timeout: settings.timeout)
        trusted = Origin.hubs.union([Origin(settings.endpoint)])
    }

    /// The commit that a revision stands for now, and its files.
    func listing(of revision: String) throws -> HubListing {
        struct Answer: Decodable {
            struct File: Decodable { let rfilename: String }
            let sha: String
            let siblings: [File]
        }
        let url = try address("api/models/\(repository)/revision/\(Self.quoted(revision))")
        var body = Data()
        let head = try send("GET", url, followsAnywhere: true) { _, data in
            body.append(data)
            guard body.count <= Self.longestAnswer else {
                throw HubError.badAnswer(place: url.shown, reason: "it sends too much")
            }
        }
        try check(head, "its list of files", revision: revision)
        let answer: Answer
        do {
            answer = try JSONDecoder().decode(Answer.self, from: body)
        } catch {
            throw HubError.badAnswer(
                place: url.shown, reason: "there is no list of files in it")
        }
        guard answer.sha.isCommit else {
            throw HubError.badAnswer(
                place: url.shown, reason: "'\(answer.sha.printable)' is no commit")
        }
        return HubListing(
            repository: repository, commit: answer.sha,
            files: Set(answer.siblings.map(\.rfilename)))
    }

    /// What a file is. A redirection away from the hub is not followed: it carries the answer.
    func metadata(of file: String, at commit: String) throws -> FileMetadata {
        let url = try address(of: file, at: commit)
        let head = try send("HEAD", url, followsAnywhere: false) { _, _ in }
        if head.redirection == nil { try check(head, file, revision: commit) }
        var etag = head.header("X-Linked-Etag") ?? head.header("ETag") ?? ""
        if etag.hasPrefix("W/") { etag.removeFirst(2) }
        etag = etag.trimmingCharacters(in: ["\""])
        guard etag.isPlainFileName, !etag.hasPrefix(".") else {
            throw HubError.badAnswer(
                place: url.shown, reason: "there is no usable ETag in it")
        }
        let length =
            head.header("X-Linked-Size")
            ?? (head.redirection == nil ? head.header("Content-Length") : nil)
        let size = length.flatMap { Int($0) }
        return FileMetadata(etag: etag, size: size.flatMap { $0 >= 0 ? $0 : nil })
    }

    /// Sends bytes of a file to `body`, as they come.
    /// - Parameter range: what to ask for, nil for all; the answer may be the whole file all the same.
    func content(
        of file: String, at commit: String, range: ByteRange?,
        body: (HTTPURLResponse, Data) throws -> Void
    ) throws -> HTTPURLResponse {
        var headers: [String: String] = [:]
        headers["Range"] = range?.header
        let head = try send(
            "GET", try address(of: file, at: commit), headers, followsAnywhere: true
        ) { head, data in
            if head.statusCode == 200 || head.statusCode == 206 { try body(head, data) }
        }
        if head.statusCode != 416 { try check(head, file, revision: commit) }
        return head
    }

    private func address(of file: String, at commit: String) throws -> URL {
        try address("\(repository)/resolve/\(commit)/\(Self.quoted(file))")
    }

    private func address(_ path: String) throws -> URL {
        let text = "\(settings.endpoint.absoluteString)/\(path)"
        guard let url = URL(string: text) else {
            throw HubError.badAnswer(place: text, reason: "it is no address")
        }
        return url
    }

    private static func quoted(_ text: String) -> String {
        let plain = CharacterSet(
            charactersIn:
                "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
        return text.addingPercentEncoding(withAllowedCharacters: plain) ?? text
    }

    /// Sends a request and follows where it is sent.
    /// - Parameter followsAnywhere: also away from the hub, without the token.
    private func send(
        _ method: String, _ url: URL, _ headers: [String: String] = [:], followsAnywhere: Bool,
        body: (HTTPURLResponse, Data) throws -> Void
    ) throws -> HTTPURLResponse {
        var url = url
        for _ in 0...Self.mostRedirections {
            let head = try http.send(request(method, url, headers)) { head, data in
                if head.redirection == nil { try body(head, data) }
            }
            guard let location = head.redirection else { return head }
            guard let target = URL(string: location, relativeTo: url)?.absoluteURL,
                ["http", "https"].contains(target.scheme?.lowercased()), target.host != nil
            else {
                throw HubError.badAnswer(
                    place: url.shown, reason: "it redirects to '\(location.printable)'")
            }
            if !followsAnywhere, !trusted.contains(Origin(target)) { return head }
            url = target
        }
        throw HubError.redirects(repository, what: url.lastPathComponent)
    }

    private func request(_ method: String, _ url: URL, _ headers: [String: String]) -> URLRequest {
        var request = URLRequest(url: url)
        request.httpMethod = method
        for (name, value) in headers { request.setValue(value, forHTTPHeaderField: name) }
        // Compressed, a body would have neither the file's size nor its ranges.
        request.setValue("identity", forHTTPHeaderField: "Accept-Encoding")
        request.setValue("duallora", forHTTPHeaderField: "User-Agent")
        if let token = settings.token, trusted.contains(Origin(url)) {
            request.setValue("Bearer \(token)", forHTTPHeaderField: "Authorization")
        }
        return request
    }

    /// Turns an answer that is none into what is wrong.
    /// - Throws: ``HubError``; ``HubBusy`` for what may go by.
    private func check(_ head: HTTPURLResponse, _ what: String, revision: String) throws {
        let status = head.statusCode
        if (200..<300).contains(status) { return }
        if [408, 429].contains(status) || (500...504).contains(status) {
            throw HubBusy(
                reason: "the hub answers with status \(status)",
                pause: head.header("Retry-After").flatMap { UInt32($0) }.map(TimeInterval.init))
        }
        let endpoint = settings.endpoint.shown
        let hasToken = settings.token != nil
        let reason = (head.header("X-Error-Message") ?? "").printable
        let isOfRepository = what == "its list of files"
        switch (status, head.header("X-Error-Code")) {
        case (_, "GatedRepo"):
            throw HubError.gated(repository, endpoint: endpoint, hasToken: hasToken)
        case (_, "RevisionNotFound"):
            throw HubError.noSuchRevision(repository, revision: revision)
        case (_, "EntryNotFound"): throw HubError.noSuchFile(repository, file: what)
        case (401, _) where hasToken && reason.contains("credentials"):
            throw HubError.badToken(endpoint: endpoint)
        case (404, nil) where !isOfRepository:
            throw HubError.noSuchFile(repository, file: what)
        case (_, "RepoNotFound"), (401, _), (404, _):
            throw HubError.noSuchRepository(repository, endpoint: endpoint, hasToken: hasToken)
        default:
            throw HubError.refused(repository, what: what, status: status, reason: reason)
        }
    }
}

/// Bytes of a file, as a request asks for them.
struct ByteRange: Equatable {
    let start: Int
    /// The first byte that is not asked for; nil for none.
    let end: Int?

    var header: String { "bytes=\(start)-" + (end.map { String($0 - 1) } ?? "") }
}
