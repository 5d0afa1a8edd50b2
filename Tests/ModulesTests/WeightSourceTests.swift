import DualModules
import DualTorch
import Foundation
import TestSupport
import Testing

@Suite struct WeightSourceTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func source(
        _ tensors: [String: Tensor], dtype: DType? = nil,
        spellings: @escaping (String) -> [String] = { [$0] }
    ) throws -> WeightSource {
        try SafetensorsWriter.write(tensors, to: folder.file("model.safetensors"))
        return WeightSource(
            try Checkpoint(folder: folder.url), dtype: dtype, generator: try Generator(seed: 1),
            spellings: spellings)
    }

    @Test("A layer takes the tensors of its place in the tree")
    func place() throws {
        let weight = try Tensor.seeded([2, 3], seed: 1)
        let source = try source(["a.0.b.weight": weight, "rest": Tensor([1.0])])
        let layer = try Linear(source.root / "a" / 0 / "b", from: 3, to: 2, bias: false)
        #expect(layer.path == "a.0.b")
        #expect(try layer.weight.value.isIdentical(to: weight))
        #expect(!layer.weight.isCreated)
        #expect(source.parameters.map(\.name) == ["a.0.b.weight"])
        #expect(source.unused == ["rest"])
        #expect(source.contains("rest", shape: [1]))
        #expect(!source.contains("rest", shape: [2]))
    }

    @Test("Tensors that are missing, or of another shape, are named with their file, all at once")
    func misfits() throws {
        func problem(_ layers: [(name: String, from: Int)], bias: Bool = true) throws -> String {
            let source = try source(["a.weight": .seeded([2, 3], seed: 1)])
            for layer in layers {
                _ = try Linear(source.root / layer.name, from: layer.from, to: 2, bias: bias)
            }
            return message { try source.check() }
        }
        #expect(try problem([("a", 3)]).contains("no tensor 'a.bias'"))
        let shape = try problem([("a", 4)], bias: false)
        #expect(shape.contains("model.safetensors: 'a.weight' has shape [2, 3]"))
        #expect(shape.contains("asks for [2, 4]"))
        let several = try problem([("a", 4), ("b", 3)])
        #expect(several.hasPrefix("4 tensors do not fit: "))
        for name in ["a.weight", "a.bias", "b.weight", "b.bias"] {
            #expect(several.contains("'\(name)'"))
        }
        #expect(try problem((0..<9).map { ("c\($0)", 1) }).hasSuffix("; and so on"))
        #expect(try problem([("a", 3)], bias: false) == "no error")
    }

    @Test("What stands for a checkpoint is drawn in its type, and does not count as made anew")
    func drawing() throws {
        func weight(_ drawing: Drawing) throws -> Parameter {
            let source = WeightSource(
                nil, dtype: .bfloat16, generator: try Generator(seed: 1), drawing: drawing)
            return try Linear(source.root / "a", from: 300, to: 200, bias: false, deviation: 0.5)
                .weight
        }
        let (new, standing, shape) = (
            try weight(.toTrain), try weight(.asLoaded), try weight(.shapesOnly)
        )
        #expect(new.isCreated && !standing.isCreated && !shape.isCreated)
        #expect(
            [new, standing, shape].map(\.stored.numberType) == [.float32, .bfloat16, .bfloat16])
        #expect(abs(try standing.value.rootMeanSquare() - 0.5) < 0.01)
        #expect(try shape.value.shape == [200, 300] && shape.value.strides == [0, 0])
    }

    @Test("A weight may be made where the checkpoint lacks it, or always")
    func creation() throws {
        let source = try source(["a.weight": .seeded([2, 3], seed: 1)], dtype: .bfloat16)
        let scope = source.root / "a"
        let layer = try Linear(scope.creating(.whenMissing), from: 3, to: 2)
        #expect(!layer.weight.isCreated)
        #expect(layer.weight.stored.numberType == .bfloat16)
        #expect(layer.bias?.isCreated == true)
        #expect(layer.bias?.stored.numberType == .float32)
        #expect(try Linear(scope.creating(.always), from: 9, to: 2).weight.isCreated)
    }

    @Test("Another spelling stands in where the first is missing")
    func spellings() throws {
        let source = try source(["old": Tensor([Float(1), 2])]) { [$0, "old"] }
        let norm = try source.root.parameter("new", shape: [2], initial: .zeros)
        #expect(norm.name == "new")
        #expect(try norm.value.array() == [Float(1), 2])
        #expect(source.unused.isEmpty)
    }
}

@Suite struct ConfigurationFileTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    enum Color: String, CaseIterable { case red, green }

    /// How a field is read, for errors of every kind.
    struct Reading: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let json: String
        let expected: String
        let read: @Sendable (ConfigurationFile) throws -> Void

        init(
            _ claim: String, _ json: String, _ expected: String,
            _ read: @escaping @Sendable (ConfigurationFile) throws -> Void
        ) {
            testDescription = claim
            (self.json, self.expected, self.read) = (json, expected, read)
        }
    }

    static let misreadings = [
        Reading("a fraction for an integer", "1.5", "'k' is 1.5, but must be an integer") {
            _ = try $0.integer("k")
        },
        Reading("a text for an integer", #""7""#, "'k' is 7, but must be an integer") {
            _ = try $0.integer("k")
        },
        Reading("true for an integer", "true", "must be an integer") { _ = try $0.integer("k") },
        Reading("a list for a number", "[1]", "must be a number") { _ = try $0.number("k") },
        Reading("false for a number", "false", "must be a number") { _ = try $0.number("k") },
        Reading("zero for a size", "0", "'k' is 0, but must be greater than 0") {
            _ = try $0.positive("k", default: 1)
        },
        Reading("one for a probability", "1", "at least 0 and less than 1") {
            _ = try $0.probability("k", default: 0)
        },
        Reading("less than nothing for a probability", "-0.1", "at least 0 and less than 1") {
            _ = try $0.probability("k", default: 0)
        },
        Reading("a number for a text", "3", "must be a string") { _ = try $0.text("k") },
        Reading("one for a flag", "1", "'k' is 1, but must be true or false") {
            _ = try $0.flag("k")
        },
        Reading("a text for a flag", #""true""#, "must be true or false") { _ = try $0.flag("k") },
        Reading("an unknown choice", #""blue""#, "'k' is blue, but must be one of red, green") {
            _ = try $0.choice("k", default: Color.red)
        },
    ]

    private func file(_ value: String) throws -> ConfigurationFile {
        try ConfigurationFile(folder.write(#"{"k": \#(value)}"#, to: "config.json"))
    }

    @Test(
        "A field of the wrong kind is named with its file, value and what it must be",
        arguments: misreadings)
    func misreading(_ row: Reading) throws {
        let file = try file(row.json)
        let text = message { try row.read(file) }
        #expect(text.hasPrefix(folder.file("config.json").path + ": "))
        #expect(text.contains(row.expected), "in: \(text)")
    }

    @Test("Fields of the right kind are read, from a file and from Swift values alike")
    func reading() throws {
        let url = try folder.write(
            #"{"i": 7, "d": 0.5, "s": "red", "t": true, "f": false, "n": null}"#, to: "c")
        let given: [String: Any] = ["i": 7, "d": 0.5, "s": "red", "t": true, "f": false]
        for file in [try ConfigurationFile(url), ConfigurationFile(url, fields: given)] {
            #expect(try file.integer("i") == 7)
            #expect(try file.positive("i", default: 1) == 7)
            #expect(try file.number("i") == 7)
            #expect(try file.number("d") == 0.5)
            #expect(try file.probability("d", default: 0) == 0.5)
            #expect(try file.text("s") == "red")
            #expect(try file.choice("s", default: Color.green) == .red)
            #expect(try file.flag("t") == true)
            #expect(try file.flag("f") == false)
            #expect(try file.integer("n") == nil)
            #expect(try file.choice("n", default: Color.green) == .green)
            #expect(try file.positive("absent", default: 3) == 3)
            #expect(file.fields["n"] == nil)
        }
    }

    @Test(
        "A file that is missing or no JSON object says so",
        arguments: [nil, "", "[1]", "{", "\"a\""])
    func unreadable(_ text: String?) throws {
        if let text { try folder.write(text, to: "config.json") }
        let found = message { _ = try ConfigurationFile(folder.file("config.json")) }
        #expect(found.contains("config.json cannot be read: "))
        #expect(found.hasSuffix(text == nil ? "there is no such file" : "it is not a JSON object"))
    }
}
