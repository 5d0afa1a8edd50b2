import FineTuning
import Foundation

/// What `inspect` shows of a GGUF file: the parameters that its metadata asks for, as they are stored.
struct GGUFInspection {
    private let type: String
    private let kinds: [Kind]
    private let typeCounts: [(type: GGUFType, count: Int)]
    private let unused: [String]
    /// What `config.json` would say.
    private let configuration: [String: Any]

    /// Parameters of one name, but for the number of their layer, of one shape and one type.
    private struct Kind {
        let name: String
        let shape: [Int]
        let type: GGUFType
        let isTarget: Bool
        var count = 1

        var numbers: Int { count * shape.reduce(1, *) }
        var bytes: Int { numbers / type.blockSize * type.blockBytes }

        func isLike(_ other: Kind) -> Bool {
            name == other.name && shape == other.shape && type == other.type
        }
    }

    /// - Throws: ``CommandError`` for a parameter that the file lacks or has in another shape.
    init(_ folder: ModelFolder, _ checkpoint: GGUFCheckpoint) throws {
        type = try folder.configuration.text("model_type") ?? ""
        typeCounts = checkpoint.typeCounts
        configuration = folder.configuration.fields
        var options = ModelFolder.LoadOptions()
        options.drawing = .shapesOnly
        let model = try ModelFolder.make(folder.configuration, options).model
        var kinds: [Kind] = []
        var used: Set<String> = []
        for parameter in model.parameters {
            let name = parameter.name
            let shape = try parameter.inCheckpointLayout().shape
            guard let found = checkpoint.shape(of: name), let type = checkpoint.type(of: name)
            else {
                throw CommandError("\(folder.url.path) has no tensor for \(name)")
            }
            guard found == shape else {
                throw CommandError(
                    "\(folder.url.path): \(name) has the shape \(found), but the metadata asks for "
                        + "\(shape)")
            }
            used.insert(name)
            let words = name.split(separator: ".").map { Int($0) == nil ? $0 : "*" }
            let kind = Kind(
                name: words.joined(separator: "."), shape: parameter.stored.shape, type: type,
                isTarget: model.defaultTargets.contains { name.hasSuffix(".\($0).weight") })
            if let known = kinds.firstIndex(where: kind.isLike) {
                kinds[known].count += 1
            } else {
                kinds.append(kind)
            }
        }
        self.kinds = kinds
        unused = checkpoint.names.filter { !used.contains($0) }
    }

    func show(asJSON: Bool) throws {
        let numbers = kinds.reduce(0) { $0 + $1.numbers }
        let bytes = kinds.reduce(0) { $0 + $1.bytes }
        guard !asJSON else {
            return try printJSON(fields(numbers: numbers, bytes: bytes))
        }
        print(
            textTable(
                ["parameter", "shape", "type", "how many", "numbers", "adapted by default"],
                kinds.map { kind in
                    [
                        kind.name, kind.shape.map(String.init).joined(separator: " x "),
                        kind.type.name, "\(kind.count)", kind.numbers.formatted,
                        kind.isTarget ? "yes" : "-",
                    ]
                }))
        print("\n\(type): \(numbers.formatted) parameters, \(bytes.formatted) bytes")
        let types = typeCounts.map { "\($0.count) \($0.type.name)" }.joined(separator: ", ")
        print("stored types of tensors: \(types)")
        if !unused.isEmpty {
            note("note: not used of the file: \(unused.joined(separator: ", "))")
        }
    }

    private func fields(numbers: Int, bytes: Int) -> [String: Any] {
        [
            "model_type": type, "parameters": numbers, "bytes": bytes, "unused": unused,
            "created": [String](), "configuration": configuration,
            "storage": Dictionary(
                uniqueKeysWithValues: typeCounts.map { ($0.type.name, $0.count) }),
            "kinds": kinds.map {
                [
                    "name": $0.name, "shape": $0.shape, "dtype": $0.type.name, "count": $0.count,
                ] as [String: Any]
            },
        ]
    }
}
