import FineTuning

/// What `inspect` shows of a GGUF file with an adapter in it.
struct AdapterInspection {
    private let adapter: GGUFAdapter
    private let kinds: [TensorKind]

    init(_ adapter: GGUFAdapter) {
        self.adapter = adapter
        kinds = TensorKind.grouped(
            adapter.file.tensors.map {
                TensorKind($0.name, shape: $0.shape, type: $0.type.name, bytes: $0.byteCount)
            })
    }

    func show(asJSON: Bool) throws {
        guard !asJSON else {
            return try printJSON([
                "adapter_type": adapter.type, "architecture": adapter.architecture,
                "alpha": jsonNumber(adapter.alpha), "ranks": adapter.ranks,
                "parameters": kinds.numbers, "bytes": kinds.bytes, "kinds": kinds.map(\.fields),
            ])
        }
        print(textTable(["tensor"] + TensorKind.columns, kinds.map(\.row)))
        let ranks = adapter.ranks.map(String.init).joined(separator: ", ")
        let alpha = adapter.alpha.map { ", alpha \(String(format: "%g", $0))" } ?? ""
        print(
            "\nno model, but a \(adapter.type) adapter of \(adapter.architecture) for llama.cpp: "
                + "rank \(ranks)\(alpha); \(kinds.numbers.formatted) parameters, "
                + "\(kinds.bytes.formatted) bytes")
    }
}
