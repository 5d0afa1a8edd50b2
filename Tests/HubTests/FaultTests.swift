import Foundation
import Synchronization
import Testing

@testable import DualHub

/// One way in which a hub, or the network before it, fails.
struct Fault: Sendable, CustomTestStringConvertible {
    let testDescription: String
    /// What its answers are: see ``LoopbackHub/Faults``.
    let answer: LoopbackHub.Faults.Fault
    /// What is said when nothing helps; nil where the model comes all the same. NAME stands for the
    /// hub's address.
    var refusal: String?
    /// Requests for the weights' bytes, where their number says something.
    var requests: Int?

    /// - Parameter of: the last word of the path whose GET (or HEAD) fails.
    init(
        _ name: String, of file: String = "model.safetensors", method: String = "GET",
        refusal: String? = nil, requests: Int? = nil,
        _ answer:
            @escaping @Sendable (LoopbackHub.Request, Int, LoopbackHub.Answer) -> LoopbackHub.Answer
    ) {
        testDescription = name
        self.refusal = refusal
        self.requests = requests
        self.answer = { request, count, right in
            request.method == method && request.path.hasSuffix("/" + file)
                && !(right.status == 302 && method == "GET" && file == "model.safetensors")
                ? answer(request, count, right) : right
        }
    }
}

extension LoopbackHub.Answer {
    fileprivate static func refused(_ status: Int, _ code: String? = nil) -> Self {
        Self(status: status, headers: code.map { ["X-Error-Code": $0] } ?? [:])
    }

    fileprivate func cut(at length: Int, stalling: Bool = false) -> Self {
        var answer = self
        answer.cut = length
        answer.stalls = stalling
        return answer
    }

    fileprivate func with(body: Data) -> Self {
        var answer = self
        answer.body = body
        return answer
    }
}

@Suite(.serialized) struct FaultTests {
    private static let size = 50_000
    private static let failing = "org/name: model.safetensors cannot be downloaded: "
    private static let goOn = "; run again to go on from what is there"

    static let faults: [Fault] = [
        Fault("none", requests: 1) { _, _, right in right },
        Fault("the body ends in the middle, once", requests: 2) { _, count, right in
            count == 0 ? right.cut(at: 20_000) : right
        },
        Fault("every body ends after 7000 bytes", requests: 8) { _, _, right in
            right.cut(at: 7000)
        },
        Fault(
            "every body ends at once",
            refusal: failing + "transfer closed with 50000 bytes remaining to read" + goOn,
            requests: 5
        ) { _, _, right in right.cut(at: 0) },
        Fault("the server falls silent, once", requests: 2) { _, count, right in
            count == 0 ? right.cut(at: 20_000, stalling: true) : right
        },
        Fault("a range is answered with the whole", requests: 2) { _, count, right in
            count == 0
                ? right.cut(at: 20_000)
                : LoopbackHub.Answer(body: noise(Self.size, seed: 1))
        },
        Fault("another range comes than was asked for, once", requests: 3) { _, count, right in
            if count == 0 { return right.cut(at: 20_000) }
            guard count == 1 else { return right }
            var answer = right
            answer.headers["Content-Range"] = "bytes 7-49999/50000"
            return answer
        },
        Fault("status 503, twice", requests: 3) { _, count, right in
            count < 2 ? .refused(503) : right
        },
        Fault(
            "status 500 for good",
            refusal: failing + "the hub answers with status 500" + goOn, requests: 5
        ) { _, _, _ in .refused(500) },
        Fault("too many requests, once", requests: 2) { _, count, right in
            count == 0 ? LoopbackHub.Answer(status: 429, headers: ["Retry-After": "0"]) : right
        },
        Fault(
            "too many requests for an hour",
            refusal: failing + "the hub answers with status 429 and asks to wait for 3600 s" + goOn,
            requests: 1
        ) { _, _, _ in LoopbackHub.Answer(status: 429, headers: ["Retry-After": "3600"]) },
        Fault("other bytes, once", requests: 2) { _, count, right in
            count == 0 ? right.with(body: noise(Self.size, seed: 9)) : right
        },
        Fault(
            "other bytes for good",
            refusal: "org/name: model.safetensors came twice with another checksum than the hub "
                + "names; it is not kept", requests: 2
        ) { _, _, right in right.with(body: noise(Self.size, seed: 9)) },
        Fault(
            "more bytes than there should be",
            refusal:
                "org/name: model.safetensors is longer than the 50000 bytes that the hub names",
            requests: 1
        ) { _, _, right in right.with(body: noise(Self.size + 1, seed: 1)) },
        Fault(
            "a range is answered with the whole, which is shorter each second time",
            refusal: failing + "no more came than before" + goOn, requests: 10
        ) { _, count, _ in
            LoopbackHub.Answer(body: noise(Self.size, seed: 1).prefix(count % 2 == 0 ? 200 : 100))
        },
        Fault("the file is gone", refusal: "org/name has no file model.safetensors", requests: 1) {
            _, _, _ in .refused(404, "EntryNotFound")
        },
        Fault(
            "a redirection to itself",
            refusal: "org/name: model.safetensors is redirected without end",
            requests: 20
        ) { request, _, _ in LoopbackHub.Answer(status: 302, headers: ["Location": request.path]) },
        Fault(
            "a redirection to nowhere",
            refusal:
                "STORAGE/signed/model.safetensors does not answer as a hub does: it redirects to "
                + "'file:///etc/passwd'; check HF_ENDPOINT"
        ) { _, _, _ in LoopbackHub.Answer(status: 302, headers: ["Location": "file:///etc/passwd"])
        },
        Fault("a small file is cut, once", of: "config.json") { _, count, right in
            count == 0 ? right.cut(at: 3) : right
        },
        Fault(
            "a small file has other bytes for good", of: "config.json",
            refusal:
                "org/name: config.json came twice with another checksum than the hub names; it "
                + "is not kept"
        ) { _, _, right in right.with(body: Data(#"{"model_type": "LLAMA"}"#.utf8)) },
        Fault("the head of a file fails, once", of: "model.safetensors", method: "HEAD") {
            _, count, right in count == 0 ? .refused(502) : right
        },
        Fault(
            "a file without an ETag", of: "config.json", method: "HEAD",
            refusal:
                "HUB/org/name/resolve/\(LoopbackHub.commit)/config.json does not answer as a hub "
                + "does: there is no usable ETag in it; check HF_ENDPOINT"
        ) { _, _, _ in LoopbackHub.Answer() },
        Fault(
            "an ETag that leads out of the cache", of: "config.json", method: "HEAD",
            refusal:
                "HUB/org/name/resolve/\(LoopbackHub.commit)/config.json does not answer as a hub "
                + "does: there is no usable ETag in it; check HF_ENDPOINT"
        ) { _, _, _ in LoopbackHub.Answer(headers: ["ETag": "\"../../../x\""]) },
        Fault(
            "a gated repository", of: "config.json", method: "HEAD",
            refusal: "org/name is gated: accept its licence on HUB/org/name and set HF_TOKEN to an "
                + "access token of that account"
        ) { _, _, _ in .refused(401, "GatedRepo") },
        Fault(
            "a forbidden file", of: "config.json", method: "HEAD",
            refusal: "org/name: config.json is refused with status 403: not yours"
        ) { _, _, _ in
            LoopbackHub.Answer(status: 403, headers: ["X-Error-Message": "not yours"])
        },
        Fault("the list of files fails, once", of: "main") { _, count, right in
            count == 0 ? .refused(504) : right
        },
        Fault(
            "the list of files stalls for good", of: "main",
            refusal: "org/name: its list of files cannot be downloaded: nothing came for 3 s" + goOn
        ) { _, _, right in right.cut(at: 10, stalling: true) },
        Fault(
            "nobody answers the list of files", of: "main",
            refusal: "org/name: there is no such folder, it is not in the cache, and HUB cannot be "
                + "reached: no answer came for 3 s"
        ) { _, _, _ in LoopbackHub.Answer(isSilent: true) },
        Fault("nobody answers, once", requests: 2) { _, count, right in
            count == 0 ? LoopbackHub.Answer(isSilent: true) : right
        },
        Fault(
            "no such repository", of: "main",
            refusal: "org/name: there is no such folder, and HUB has no such repository, or it is "
                + "private: then set HF_TOKEN to an access token"
        ) { _, _, _ in .refused(401, "RepoNotFound") },
        Fault(
            "no such revision", of: "main",
            refusal: "org/name has no revision 'main'; it must be a branch, a tag or a commit of it"
        ) { _, _, _ in .refused(404, "RevisionNotFound") },
        Fault(
            "a page instead of the list of files", of: "main",
            refusal:
                "HUB/api/models/org/name/revision/main does not answer as a hub does: there is "
                + "no list of files in it; check HF_ENDPOINT"
        ) { _, _, _ in LoopbackHub.Answer(body: Data("<html>Log in</html>".utf8)) },
        Fault(
            "a commit that leads out of the cache", of: "main",
            refusal: "HUB/api/models/org/name/revision/main does not answer as a hub does: "
                + "'../../../x' is no commit; check HF_ENDPOINT"
        ) { _, _, _ in
            LoopbackHub.Answer(body: Data(#"{"sha": "../../../x", "siblings": []}"#.utf8))
        },
    ]

    @Test(
        "What fails comes all the same or is refused in a line, and never half", arguments: faults)
    func fails(_ fault: Fault) throws {
        let files = modelFiles()
        let hub = try LoopbackHub(files, fault: fault.answer)
        let text = message { _ = try hub.impatientResolver().locate("org/name") }
        let expected = (fault.refusal ?? "no error")
            .replacing("HUB", with: hub.hub.address)
            .replacing("STORAGE", with: hub.storage.address)
        #expect(text == expected)
        if let requests = fault.requests {
            #expect(hub.storage.requests.count == requests)
        }
        for name in hub.names { #expect(hub.cached(name) == files[name], "\(name) is half") }
        hub.heal()
        #expect(try hub.impatientResolver().locate("org/name").url.path == hub.snapshot.path)
        for name in ["config.json", "tokenizer.json", "tokenizer_config.json", "model.safetensors"]
        {
            #expect(hub.cached(name) == files[name])
        }
        let blobs = try FileManager.default.contentsOfDirectory(
            atPath: hub.repositoryFolder.appendingPathComponent("blobs").path)
        #expect(blobs.count == 4, "\(blobs)")
    }

    @Test("A download goes on where it ended, in this run or the next")
    func resumes() throws {
        let hub = try LoopbackHub(
            modelFiles(),
            fault: Fault("dies") { _, count, right in
                count == 0 ? right.cut(at: 30_000) : .refused(500)
            }
            .answer)
        #expect(throws: HubError.self) { try hub.impatientResolver().locate("org/name") }
        hub.heal()
        hub.storage.forget()
        _ = try hub.impatientResolver().locate("org/name")
        #expect(hub.storage.requests.map { $0.headers["range"] } == ["bytes=30000-49999"])
    }

    @Test("What another program left of a download is gone on from, and found out if it is wrong")
    func otherRemains() throws {
        let files = modelFiles()
        let data = try #require(files["model.safetensors"])
        for (remains, requests) in [
            (data.prefix(12_345), ["bytes=12345-49999"]), (data, []),
            (noise(100, seed: 5), ["bytes=100-49999", nil]), (data + Data([0]), [nil]),
        ] as [(Data, [String?])] {
            let hub = try LoopbackHub(files)
            let blobs = hub.repositoryFolder.appendingPathComponent("blobs")
            try FileManager.default.createDirectory(at: blobs, withIntermediateDirectories: true)
            let place = blobs.appendingPathComponent("\(LoopbackHub.sha256(data)).incomplete")
            try remains.write(to: place)
            _ = try hub.impatientResolver().locate("org/name")
            #expect(hub.storage.requests.map { $0.headers["range"] } == requests)
            #expect(hub.cached("model.safetensors") == data)
        }
    }

    @Test("A large file comes in portions")
    func portions() throws {
        let hub = try LoopbackHub(modelFiles())
        var resolver = hub.impatientResolver()
        resolver.portion = 15_000
        _ = try resolver.locate("org/name")
        #expect(
            hub.storage.requests.map { $0.headers["range"] }
                == [
                    "bytes=0-14999", "bytes=15000-29999", "bytes=30000-44999", "bytes=45000-49999",
                ])
        #expect(hub.cached("model.safetensors") == modelFiles()["model.safetensors"])
    }

    @Test("Messages have neither the password nor the signature of an address")
    func secrets() throws {
        let hub = try LoopbackHub(
            modelFiles(),
            fault: Fault("leads nowhere") { _, _, _ in
                LoopbackHub.Answer(status: 302, headers: ["Location": "ftp://x"])
            }.answer)
        let address = hub.hub.address.replacing("http://", with: "http://me:secret@")
        let variables = ["HF_ENDPOINT": address]
        let text = message { _ = try hub.resolver(variables).locate("org/name") }
        #expect(
            text
                == "\(hub.storage.address)/signed/model.safetensors does not answer as a hub does: "
                + "it redirects to 'ftp://x'; check HF_ENDPOINT")
        hub.hub.stop()
        #expect(
            message { _ = try hub.resolver(variables).locate("org/other") }
                == "org/other: there is no such folder, it is not in the cache, and "
                + "\(hub.hub.address) cannot be reached: nobody answers there")
    }

    @Test("A host that nobody answers at is named, with what it was asked for")
    func unreachable() throws {
        let hub = try LoopbackHub(modelFiles())
        hub.hub.stop()
        #expect(
            message { _ = try hub.impatientResolver().locate("org/name") }
                == "org/name: there is no such folder, it is not in the cache, and "
                + "\(hub.hub.address) cannot be reached: nobody answers there")
    }
}
