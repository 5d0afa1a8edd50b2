import DualTorch
import Foundation
import TestSupport
import Testing

@Suite struct CheckpointTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func write(_ tensors: [String: Tensor], to name: String) throws {
        try SafetensorsWriter.write(tensors, to: folder.file(name))
    }

    private func writeIndex(_ map: [String: String]) throws {
        let index = try JSONSerialization.data(withJSONObject: ["weight_map": map, "metadata": [:]])
        try folder.write(index, to: "model.safetensors.index.json")
    }

    @Test("One file and its shards give the same tensors")
    func shards() throws {
        let (a, b) = (try Tensor.seeded([3], seed: 1), try Tensor.seeded([2, 2], seed: 2))
        try write(["a": a], to: "model-1.safetensors")
        try write(["b": b], to: "model-2.safetensors")
        try writeIndex(["a": "model-1.safetensors", "b": "model-2.safetensors"])
        let checkpoint = try Checkpoint(folder: folder.url)
        #expect(checkpoint.names == ["a", "b"])
        #expect(checkpoint.shape(of: "b") == [2, 2])
        #expect(checkpoint.dtype(of: "a") == .float32)
        #expect(checkpoint.path(of: "b").hasSuffix("model-2.safetensors"))
        #expect(try checkpoint.tensor("b").isIdentical(to: b))
        #expect(!checkpoint.contains("c"))
        #expect(message { _ = try checkpoint.tensor("c") }.hasSuffix("has no tensor 'c'"))

        try write(["a": a, "b": b], to: "model.safetensors")
        let single = try Checkpoint(folder: folder.url)
        #expect(try single.tensor("a").isIdentical(to: a))
        #expect(single.path(of: "a").hasSuffix("model.safetensors"))
    }

    @Test("A missing shard is named")
    func missingShard() throws {
        try writeIndex(["a": "model-1.safetensors"])
        let text = message { _ = try Checkpoint(folder: folder.url) }
        #expect(text.contains("model-1.safetensors cannot be read"))
    }

    @Test("An index is blamed for a tensor that no shard has")
    func missingTensor() throws {
        try write(["a": Tensor([1.0])], to: "model-1.safetensors")
        try writeIndex(["a": "model-1.safetensors", "b": "model-1.safetensors"])
        let text = message { _ = try Checkpoint(folder: folder.url) }
        #expect(
            text.hasSuffix(
                "model.safetensors.index.json: it lists the tensor 'b' in model-1.safetensors, but "
                    + "no shard has it"))
    }

    @Test("A shard says which tensors it has, whatever a stale index says")
    func staleIndex() throws {
        let (a, b) = (try Tensor.seeded([3], seed: 1), try Tensor.seeded([2], seed: 2))
        try write(["a": a], to: "model-1.safetensors")
        try write(["b": b, "c": a], to: "model-2.safetensors")
        try writeIndex(["a": "model-2.safetensors", "b": "model-1.safetensors"])
        let checkpoint = try Checkpoint(folder: folder.url)
        #expect(checkpoint.names == ["a", "b", "c"])
        #expect(try checkpoint.tensor("a").isIdentical(to: a))
        #expect(try checkpoint.tensor("b").isIdentical(to: b))
        try writeIndex(["a": "model-1.safetensors"])
        let partial = try Checkpoint(folder: folder.url)
        #expect(partial.names == ["a"])
        #expect(partial.unlistedFile(of: "c")?.file == "model-2.safetensors")
        #expect(partial.unlistedFile(of: "d") == nil)
    }

    @Test("Two versions of one tensor in two shards are refused; the same twice is not")
    func twoVersions() throws {
        let a = try Tensor.seeded([3], seed: 1)
        try write(["a": a], to: "model-1.safetensors")
        try write(["a": a, "b": a], to: "model-2.safetensors")
        try writeIndex(["a": "model-1.safetensors", "b": "model-2.safetensors"])
        #expect(try Checkpoint(folder: folder.url).names == ["a", "b"])
        try write(["a": a + 1, "b": a], to: "model-2.safetensors")
        let text = message { _ = try Checkpoint(folder: folder.url) }
        #expect(text.contains("tensor 'a' is in model-1.safetensors too, with other numbers"))
    }

    @Test("A shard outside the folder is refused", arguments: ["../x", "/etc/passwd", "sub/x"])
    func shardElsewhere(_ shard: String) throws {
        try writeIndex(["a": shard])
        let text = message { _ = try Checkpoint(folder: folder.url) }
        #expect(text.contains("'\(shard)' is not a file of the same folder"))
    }

    @Test(
        "An index that is none is refused", arguments: ["", "[]", "{}", #"{"weight_map":{"a":1}}"#])
    func badIndex(_ text: String) throws {
        try folder.write(text, to: "model.safetensors.index.json")
        #expect(throws: SafetensorsError.self) { try Checkpoint(folder: folder.url) }
    }

    @Test("A folder without a checkpoint says so, and one with a pickle says that too")
    func noCheckpoint() throws {
        #expect(message { _ = try Checkpoint(folder: folder.url) }.contains("no model.safetensors"))
        try folder.write("", to: "pytorch_model.bin")
        let text = message { _ = try Checkpoint(folder: folder.url) }
        #expect(text.contains("only pytorch_model.bin, which is a pickle and is never read"))
    }
}

@Suite struct AtomicFileTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    @Test("A file that is not committed leaves nothing behind")
    func notCommitted() throws {
        func start() throws {
            let file = try AtomicFile(folder.file("x"))
            try file.write(Data("half".utf8))
            #expect(folder.contents.count == 1)
            #expect(!FileManager.default.fileExists(atPath: folder.file("x").path))
        }
        try start()
        #expect(folder.contents.isEmpty)
    }

    @Test("A committed file has its bytes and its name, and replaces the one before")
    func committed() throws {
        try folder.write("old", to: "x")
        try AtomicFile.write(Data("new".utf8), to: folder.file("x"))
        #expect(try folder.read("x") == Data("new".utf8))
        #expect(folder.contents == ["x"])
    }

    @Test("A write that fails leaves the file before as it was")
    func failed() throws {
        try folder.write("old", to: "x.safetensors")
        let bad = try callOperator("aten::to_sparse", [.tensor(Tensor([1.0]))])
        guard case .tensor(let sparse)? = bad.first else { return }
        #expect(throws: (any Error).self) {
            try SafetensorsWriter.write(["a": sparse], to: folder.file("x.safetensors"))
        }
        #expect(try folder.read("x.safetensors") == Data("old".utf8))
        #expect(folder.contents == ["x.safetensors"])
    }

    @Test("A folder that is not there is named")
    func missingFolder() throws {
        let text = message { _ = try AtomicFile(folder.file("none/x")) }
        #expect(text.hasSuffix("none/x cannot be written: No such file or directory"))
    }

    @Test("A name that is taken by a folder is refused, and nothing is left")
    func takenByAFolder() throws {
        try FileManager.default.createDirectory(
            at: folder.file("x/y"), withIntermediateDirectories: true)
        #expect(throws: SafetensorsError.self) {
            try AtomicFile.write(Data("new".utf8), to: folder.file("x"))
        }
        #expect(folder.contents == ["x"])
    }
}
