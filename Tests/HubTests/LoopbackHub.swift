import Foundation
import Synchronization

@testable import DualHub

/// A hub with one repository, `org/name`, and another host from which its large files come.
///
/// It answers as huggingface.co does: small files directly with git's hash of them as their ETag, large
/// ones (`.safetensors`) by a redirection whose head has the file's SHA-256.
final class LoopbackHub: Sendable {
    typealias Answer = LoopbackServer.Answer
    typealias Request = LoopbackServer.Request

    static let commit = "0123456789abcdef0123456789abcdef01234567"

    let hub: LoopbackServer
    /// Another port is another host, as far as the access token goes.
    let storage: LoopbackServer
    let folder: TemporaryFolder
    private let faults: Faults

    /// Answers that take the place of the right ones.
    final class Faults: Sendable {
        /// Gets a request, how often the same was made before, and the right answer.
        typealias Fault = @Sendable (Request, Int, Answer) -> Answer

        private let fault: Mutex<Fault?>
        private let counts = Mutex<[String: Int]>([:])

        init(_ fault: Fault?) { self.fault = Mutex(fault) }

        func heal() { fault.withLock { $0 = nil } }

        func answer(_ request: Request, _ right: Answer) -> Answer {
            let key = "\(request.method) \(request.path)"
            let count = counts.withLock { counts in
                defer { counts[key, default: 0] += 1 }
                return counts[key, default: 0]
            }
            return fault.withLock { $0 }?(request, count, right) ?? right
        }
    }

    init(_ files: [String: Data], fault: Faults.Fault? = nil) throws {
        folder = try TemporaryFolder()
        let faults = Faults(fault)
        self.faults = faults
        let storage = try LoopbackServer { request in
            let name = String(request.path.split(separator: "/").last ?? "")
            return faults.answer(request, Self.content(files[name], request))
        }
        self.storage = storage
        let place = storage.address
        hub = try LoopbackServer { request in
            faults.answer(request, Self.answer(request, files, place))
        }
    }

    deinit {
        hub.stop()
        storage.stop()
    }

    /// From now on everything goes well.
    func heal() { faults.heal() }

    private static func answer(
        _ request: Request, _ files: [String: Data], _ storage: String
    ) -> Answer {
        if request.path.hasPrefix("/api/models/org/name/revision/") {
            let names = files.keys.sorted().map { ["rfilename": $0] }
            let fields: [String: Any] = ["id": "org/name", "sha": commit, "siblings": names]
            let body = try? JSONSerialization.data(withJSONObject: fields)
            return Answer(body: body ?? Data())
        }
        let prefix = "/org/name/resolve/\(commit)/"
        guard request.path.hasPrefix(prefix) else {
            return Answer(status: 401, headers: ["X-Error-Code": "RepoNotFound"])
        }
        let name = String(request.path.dropFirst(prefix.count))
        guard let data = files[name] else {
            return Answer(status: 404, headers: ["X-Error-Code": "EntryNotFound"])
        }
        guard name.hasSuffix(".safetensors") else {
            var answer = content(data, request)
            answer.headers["ETag"] = "\"\(gitHash(data))\""
            return answer
        }
        return Answer(
            status: 302,
            headers: [
                "Location": "\(storage)/signed/\(name)?signature=secret", "X-Repo-Commit": commit,
                "X-Linked-Etag": "\"\(sha256(data))\"", "X-Linked-Size": "\(data.count)",
            ])
    }

    /// A file, or the range of it that is asked for.
    private static func content(_ data: Data?, _ request: Request) -> Answer {
        guard let data else { return Answer(status: 404) }
        let range = request.headers["range"]?.dropFirst("bytes=".count)
            .split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
        guard let range, let start = range[0] else { return Answer(body: data) }
        guard start < data.count else { return Answer(status: 416) }
        let end = min(data.count, (range[1] ?? data.count - 1) + 1)
        return Answer(
            status: 206, headers: ["Content-Range": "bytes \(start)-\(end - 1)/\(data.count)"],
            body: data[start..<end])
    }

    static func sha256(_ data: Data) -> String {
        var digest = SHA256()
        data.withUnsafeBytes { digest.update($0) }
        return digest.finish()
    }

    static func gitHash(_ data: Data) -> String {
        var digest = SHA1()
        (Data("blob \(data.count)\0".utf8) + data).withUnsafeBytes { digest.update($0) }
        return digest.finish()
    }

    // MARK: - What a user has

    var cache: URL { folder.file("cache") }

    /// A resolver of a user whose environment names this hub. It waits long: a machine may have other work.
    func resolver(_ variables: [String: String] = [:]) -> ModelHub {
        let environment = [
            "HOME": folder.url.path, "HF_HUB_CACHE": cache.path, "HF_ENDPOINT": hub.address,
            "HF_HUB_DOWNLOAD_TIMEOUT": "30",
        ].merging(variables) { $1 }
        var resolver = ModelHub(environment: environment)
        resolver.patience.pause = 0.01
        return resolver
    }

    /// As ``resolver(_:)``, of a user who does not wait for a server that says nothing.
    func impatientResolver() -> ModelHub { resolver(["HF_HUB_DOWNLOAD_TIMEOUT": "3"]) }

    var repositoryFolder: URL { cache.appendingPathComponent("models--org--name") }

    var snapshot: URL { repositoryFolder.appendingPathComponent("snapshots/\(Self.commit)") }

    /// What a snapshot's file holds; nil where there is none.
    func cached(_ name: String) -> Data? {
        FileManager.default.contents(atPath: snapshot.appendingPathComponent(name).path)
    }

    var names: [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: snapshot.path)) ?? []).sorted()
    }
}

/// Bytes that no other seed has.
func noise(_ count: Int, seed: UInt64) -> Data {
    var state = seed &* 0x9E37_79B9_7F4A_7C15 | 1
    return Data(
        (0..<count).map { _ in
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return UInt8(truncatingIfNeeded: state >> 32)
        })
}

/// The files of a small model.
func modelFiles(_ changes: [String: Data?] = [:]) -> [String: Data] {
    var files: [String: Data] = [
        "config.json": Data(#"{"model_type": "llama"}"#.utf8), "tokenizer.json": Data("{}".utf8),
        "tokenizer_config.json": Data(), "model.safetensors": noise(50_000, seed: 1),
        "README.md": Data("read me".utf8), "pytorch_model.bin": noise(100, seed: 2),
    ]
    for (name, data) in changes { files[name] = data }
    return files
}
