import Foundation
import Synchronization
import Testing

@testable import DualHub

@Suite struct CacheTests {
    private func link(_ hub: LoopbackHub, _ name: String) throws -> String {
        try FileManager.default.destinationOfSymbolicLink(
            atPath: hub.snapshot.appendingPathComponent(name).path)
    }

    private func text(_ hub: LoopbackHub, _ path: String) -> String? {
        FileManager.default.contents(atPath: hub.repositoryFolder.appendingPathComponent(path).path)
            .map { String(decoding: $0, as: UTF8.self) }
    }

    @Test("A repository lies in the cache as huggingface_hub lays it out")
    func layout() throws {
        let files = modelFiles()
        let hub = try LoopbackHub(files)
        var events: [HubEvent] = []
        let place = try hub.resolver().locate("org/name") { events.append($0) }
        #expect(place.url.path == hub.snapshot.path)
        #expect(place.reference == (try RepositoryReference("org/name")))
        #expect(
            hub.names == [
                "config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json",
            ])
        let weights = try #require(files["model.safetensors"])
        #expect(try link(hub, "model.safetensors") == "../../blobs/\(LoopbackHub.sha256(weights))")
        let configuration = try #require(files["config.json"])
        #expect(try link(hub, "config.json") == "../../blobs/\(LoopbackHub.gitHash(configuration))")
        #expect(text(hub, "refs/main") == LoopbackHub.commit)
        #expect(text(hub, ".no_exist/\(LoopbackHub.commit)/vocab.txt") == "")
        #expect(text(hub, ".no_exist/\(LoopbackHub.commit)/tokenizer.json") == nil)
        let bytes = files.filter { hub.names.contains($0.key) }.reduce(0) { $0 + $1.value.count }
        #expect(events.first == .started(repository: "org/name", files: 4, bytes: bytes))
        #expect(events.last == .finished(repository: "org/name", bytes: bytes))
        let progress = events.compactMap {
            if case .progress(_, let bytes) = $0 { bytes } else { nil }
        }
        #expect(progress == progress.sorted() && progress.last == bytes)
    }

    @Test("A file that is put in its place once more is there all the while")
    func placedAgain() async throws {
        let hub = try LoopbackHub(modelFiles())
        _ = try hub.resolver().locate("org/name")
        let etag = try link(hub, "config.json").split(separator: "/").last.map(String.init) ?? ""
        let settings = try HubSettings(environment: ["HF_HUB_CACHE": hub.cache.path])
        let snapshot = CachedRepository("org/name", in: settings).snapshot(LoopbackHub.commit)
        let reader = Task.detached {
            (0..<50_000).count { _ in !snapshot.has("config.json") }
        }
        for _ in 0..<5_000 { try snapshot.place("config.json", etag, isNew: false) }
        #expect(await reader.value == 0)
        #expect(hub.names.count == 4)
    }

    @Test("What is in the cache is found without a request, also when nobody answers")
    func found() throws {
        let hub = try LoopbackHub(modelFiles())
        _ = try hub.resolver().locate("org/name")
        hub.hub.stop()
        hub.hub.forget()
        for variables in [[:], ["HF_HUB_OFFLINE": "1"]] {
            for kind in [RepositoryKind.model, .tokenizer] {
                let place = try hub.resolver(variables).locate("org/name", for: kind)
                #expect(place.url.path == hub.snapshot.path)
            }
        }
        let place = try hub.resolver().locate("org/name@\(LoopbackHub.commit)")
        #expect(place.url.path == hub.snapshot.path)
        #expect(hub.hub.requests.isEmpty)
    }

    @Test("Only what a kind needs is fetched")
    func kinds() throws {
        let adapter: [String: Data] = [
            "adapter_config.json": Data("{}".utf8),
            "adapter_model.safetensors": noise(300, seed: 4),
            "adapter_model.bin": Data([1]), "README.md": Data([1]), "optimizer.pt": Data([1]),
            "chat_template.jinja": Data("{}".utf8),
        ]
        for (files, kind, names) in [
            (
                modelFiles(), RepositoryKind.tokenizer,
                ["config.json", "tokenizer.json", "tokenizer_config.json"]
            ),
            (
                adapter, .adapter,
                ["adapter_config.json", "adapter_model.safetensors", "chat_template.jinja"]
            ),
            (
                modelFiles(["generation_config.json": Data("{}".utf8)]), .model,
                [
                    "config.json", "generation_config.json", "model.safetensors", "tokenizer.json",
                    "tokenizer_config.json",
                ]
            ),
        ] {
            let hub = try LoopbackHub(files)
            _ = try hub.resolver().locate("org/name", for: kind)
            #expect(hub.names == names)
        }
    }

    @Test("Configuration and tokenizer need no weights, neither from the hub nor in the cache")
    func configuration() throws {
        let generation = ["generation_config.json": Data("{}".utf8)]
        let names = [
            "config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json",
        ]
        let hub = try LoopbackHub(modelFiles(generation))
        // The tokenizer alone is not all that there is to get.
        _ = try hub.resolver().locate("org/name", for: .tokenizer)
        #expect(hub.names == names.filter { $0 != "generation_config.json" })
        _ = try hub.resolver().locate("org/name", for: .configuration)
        #expect(hub.names == names)
        hub.hub.stop()
        hub.hub.forget()
        for variables in [[:], ["HF_HUB_OFFLINE": "1"]] {
            let place = try hub.resolver(variables).locate("org/name", for: .configuration)
            #expect(place.url.path == hub.snapshot.path)
        }
        #expect(hub.hub.requests.isEmpty)
        #expect(
            message {
                _ = try hub.resolver(["HF_HUB_OFFLINE": "1"]).locate("org/name", for: .model)
            }.contains("model.safetensors"))
    }

    @Test("A tokenizer that is there already is not fetched again with the model")
    func kindsAfterAnother() throws {
        let hub = try LoopbackHub(modelFiles())
        _ = try hub.resolver().locate("org/name", for: .tokenizer)
        hub.hub.forget()
        _ = try hub.resolver().locate("org/name", for: .model)
        #expect(hub.hub.count("GET", "tokenizer.json") == 0)
        #expect(hub.cached("model.safetensors") != nil)
    }

    private static let index = Data(
        #"{"weight_map": {"a": "model-1-of-2.safetensors", "b": "model-2-of-2.safetensors"}}"#.utf8)

    private static func sharded(_ index: Data) -> [String: Data] {
        modelFiles([
            "model.safetensors": nil, "model.safetensors.index.json": index,
            "model-1-of-2.safetensors": noise(900, seed: 6),
            "model-2-of-2.safetensors": noise(800, seed: 7),
            "other.safetensors": noise(10, seed: 8),
        ])
    }

    @Test("Of shards those come that the index names")
    func shards() throws {
        let hub = try LoopbackHub(Self.sharded(Self.index))
        _ = try hub.resolver().locate("org/name")
        #expect(
            hub.names == [
                "config.json", "model-1-of-2.safetensors", "model-2-of-2.safetensors",
                "model.safetensors.index.json", "tokenizer.json", "tokenizer_config.json",
            ])
        hub.hub.forget()
        _ = try hub.resolver().locate("org/name")
        #expect(hub.hub.requests.isEmpty)
        try FileManager.default.removeItem(
            at: hub.snapshot.appendingPathComponent("model-2-of-2.safetensors"))
        #expect(
            message { _ = try hub.resolver(["HF_HUB_OFFLINE": "1"]).locate("org/name") }
                == "org/name: there is no such folder, and model-2-of-2.safetensors of it is not in "
                + "\(hub.cache.path); HF_HUB_OFFLINE forbids to download it")
        _ = try hub.resolver().locate("org/name")
        #expect(hub.storage.count("GET", "model-2-of-2.safetensors") == 1, "the content was there")
        #expect(hub.cached("model-2-of-2.safetensors") == noise(800, seed: 7))
    }

    @Test(
        "An index that leads elsewhere is refused",
        arguments: [
            "../../../evil.safetensors", "/evil.safetensors", "a/b.safetensors", "evil.bin", "",
            "evil\u{0}.safetensors",
        ])
    func hostileIndex(_ name: String) throws {
        let index = try JSONSerialization.data(withJSONObject: ["weight_map": ["a": name]])
        let hub = try LoopbackHub(Self.sharded(index).merging([name: Data([1])]) { $1 })
        let found = message { _ = try hub.resolver().locate("org/name") }
        #expect(
            found
                == "org/name: model.safetensors.index.json names '\(name.printable)', which is no "
                + "safetensors file of the same folder")
        #expect(hub.storage.requests.isEmpty)
    }

    @Test("Names of the hub that lead elsewhere are never followed")
    func hostileNames() throws {
        let hub = try LoopbackHub(
            modelFiles(["../config.json": Data([1]), "/etc/x": Data([1]), "..": Data([1])]))
        _ = try hub.resolver().locate("org/name")
        #expect(
            hub.names == [
                "config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json",
            ])
    }

    @Test("A repository of another kind, or of pickles, is refused with what would be right")
    func otherKinds() throws {
        let pickled = try LoopbackHub(modelFiles(["model.safetensors": nil]))
        #expect(
            message { _ = try pickled.resolver().locate("org/name") }
                == "org/name has only pytorch_model.bin, which is a pickle and is never read; it needs "
                + "safetensors")
        let adapter = try LoopbackHub([
            "adapter_config.json": Data("{}".utf8), "adapter_model.bin": Data([1]),
        ])
        #expect(
            message { _ = try adapter.resolver().locate("org/name") }
                == "org/name has no config.json; it is an adapter: name it with `adapter`, and its base "
                + "with `model`")
        #expect(
            message { _ = try adapter.resolver().locate("org/name", for: .adapter) }
                == "org/name has only adapter_model.bin, which is a pickle and is never read; it needs "
                + "safetensors")
        let model = try LoopbackHub(modelFiles())
        #expect(
            message { _ = try model.resolver().locate("org/name", for: .adapter) }
                == "org/name has no adapter_config.json; it is a model: name it with `model`")
        #expect(pickled.names.isEmpty && adapter.names.isEmpty && model.names.isEmpty)
    }

    @Test("A model without a tokenizer is asked for once")
    func noTokenizer() throws {
        let hub = try LoopbackHub(modelFiles(["tokenizer.json": nil]))
        _ = try hub.resolver().locate("org/name")
        hub.hub.forget()
        _ = try hub.resolver().locate("org/name")
        #expect(hub.hub.requests.isEmpty)
        #expect(
            message { _ = try hub.resolver().locate("org/name", for: .tokenizer) }
                .hasPrefix("org/name has no tokenizer; it needs one of tokenizer.json, "))
    }

    @Test("Offline, what is not in the cache is refused without a request")
    func offline() throws {
        let hub = try LoopbackHub(modelFiles())
        #expect(
            message { _ = try hub.resolver(["HF_HUB_OFFLINE": "1"]).locate("org/name") }
                == "org/name: there is no such folder, and it is not in \(hub.cache.path); "
                + "HF_HUB_OFFLINE forbids to download it")
        #expect(hub.hub.requests.isEmpty)
        #expect(!FileManager.default.fileExists(atPath: hub.cache.path))
    }

    @Test("The name of a revision points to its commit when all of it is there, not before")
    func referenceComesLast() throws {
        let hub = try LoopbackHub(
            modelFiles(), fault: Fault("dies") { _, _, _ in .init(status: 404) }.answer)
        #expect(throws: HubError.self) { try hub.resolver().locate("org/name@v1") }
        #expect(text(hub, "refs/v1") == nil)
        hub.heal()
        _ = try hub.resolver().locate("org/name@v1")
        #expect(text(hub, "refs/v1") == LoopbackHub.commit)
        _ = try hub.resolver().locate("org/name", revision: "refs/pr/1")
        #expect(text(hub, "refs/refs/pr/1") == LoopbackHub.commit)
        #expect(hub.hub.requests.contains { $0.path.hasSuffix("/revision/refs%2Fpr%2F1") })
    }

    @Test("The access token goes to the hub, and to no other host that it redirects to")
    func token() throws {
        let hub = try LoopbackHub(modelFiles())
        _ = try hub.resolver(["HF_TOKEN": "secret"]).locate("org/name")
        #expect(hub.hub.requests.allSatisfy { $0.headers["authorization"] == "Bearer secret" })
        #expect(!hub.storage.requests.isEmpty)
        #expect(hub.storage.requests.allSatisfy { $0.headers["authorization"] == nil })
        let place = hub.hub.address
        let renamed = try LoopbackServer { request in
            LoopbackServer.Answer(status: 307, headers: ["Location": place + request.path])
        }
        hub.hub.forget()
        let other = try HubSettings(environment: [
            "HF_ENDPOINT": renamed.address, "HF_TOKEN": "secret", "HF_HUB_CACHE": hub.cache.path,
        ])
        _ = try HubClient("org/name", other).listing(of: "main")
        #expect(renamed.requests.map { $0.headers["authorization"] } == ["Bearer secret"])
        #expect(hub.hub.requests.map { $0.headers["authorization"] } == [nil])
        renamed.stop()
    }

    @Test("A cache that cannot be written is named, with how to have another")
    func unwritable() throws {
        let hub = try LoopbackHub(modelFiles())
        let file = hub.folder.file("file")
        try Data().write(to: file)
        let cache = file.appendingPathComponent("cache").path
        let text = message { _ = try hub.resolver(["HF_HUB_CACHE": cache]).locate("org/name") }
        #expect(text.hasSuffix("HF_HUB_CACHE names another folder for the cache"))
        #expect(text.hasPrefix(file.path) && text.contains("cannot be written: Not a directory"))
    }

    @Test("A file that no disk holds is refused before it is begun")
    func noSpace() throws {
        let hub = try LoopbackHub(
            modelFiles(),
            fault: { request, _, right in
                var answer = right
                if right.status == 302 { answer.headers["X-Linked-Size"] = "9000000000000000000" }
                return answer
            })
        let text = message { _ = try hub.resolver().locate("org/name") }
        #expect(text.hasPrefix("\(hub.cache.path): 9000000.0 TB are needed, but "))
        #expect(hub.storage.requests.isEmpty)
    }

    @Test("Whoever comes second waits for the first, and downloads nothing")
    func twoAtOnce() throws {
        let hub = try LoopbackHub(
            modelFiles(),
            fault: { request, _, right in
                if request.path.hasPrefix("/signed/") { usleep(300_000) }
                return right
            })
        let notes = Mutex<[HubEvent]>([])
        let texts = Mutex<[String]>([])
        DispatchQueue.concurrentPerform(iterations: 3) { _ in
            let text = message {
                _ = try hub.resolver().locate("org/name") { event in
                    if case .note = event { notes.withLock { $0.append(event) } }
                }
            }
            texts.withLock { $0.append(text) }
        }
        #expect(texts.withLock { $0 } == Array(repeating: "no error", count: 3))
        #expect(hub.storage.requests.count == 1)
        #expect(
            notes.withLock { $0 }.contains(
                .note("model.safetensors: waiting for another process that downloads it")))
        #expect(hub.cached("model.safetensors") == modelFiles()["model.safetensors"])
    }

    @Test("Without links a snapshot has the files themselves")
    func withoutLinks() throws {
        let hub = try LoopbackHub(modelFiles())
        let resolver = hub.resolver(["HF_HUB_DISABLE_SYMLINKS": "1"])
        _ = try resolver.locate("org/name")
        #expect(throws: CocoaError.self) { try link(hub, "model.safetensors") }
        #expect(hub.cached("model.safetensors") == modelFiles()["model.safetensors"])
        hub.hub.forget()
        _ = try resolver.locate("org/name")
        #expect(hub.hub.requests.isEmpty)
    }

    @Test("A list of files that huggingface_hub has kept tells what is missing")
    func keptListing() throws {
        let hub = try LoopbackHub(modelFiles())
        _ = try hub.resolver().locate("org/name")
        let trees = hub.repositoryFolder.appendingPathComponent("trees")
        try FileManager.default.createDirectory(at: trees, withIntermediateDirectories: true)
        let listing = #"{"format_version": 1, "files": {"config.json": {}, "merges.txt": {}}}"#
        try Data(listing.utf8).write(
            to: trees.appendingPathComponent("\(LoopbackHub.commit).json"))
        hub.hub.forget()
        _ = try hub.resolver().locate("org/name")
        #expect(hub.hub.count("GET", "main") == 1)
        hub.hub.stop()
        #expect(
            try hub.resolver().locate("org/name").url.path == hub.snapshot.path,
            "it can be used without merges.txt")
    }
}
