/// Tensors of one name, but for the number of their layer, of one shape and one type.
struct TensorKind {
    let name: String
    let shape: [Int]
    /// As the file calls it.
    let type: String
    /// Of one tensor.
    let bytes: Int
    /// Whether adapters change it when nothing is said.
    var isTarget = false
    private(set) var count = 1

    /// - Parameter tensor: the name of one of them.
    init(_ tensor: String, shape: [Int], type: String, bytes: Int, isTarget: Bool = false) {
        name = tensor.split(separator: ".").map { Int($0) == nil ? $0 : "*" }
            .joined(separator: ".")
        (self.shape, self.type, self.bytes, self.isTarget) = (shape, type, bytes, isTarget)
    }

    private func isLike(_ other: TensorKind) -> Bool {
        name == other.name && shape == other.shape && type == other.type
    }

    var numbers: Int { count * shape.reduce(1, *) }

    /// Name, shape, type, how many, numbers: for a table.
    var row: [String] {
        [
            name, shape.map(String.init).joined(separator: " x "), type, "\(count)",
            numbers.formatted,
        ]
    }

    static let columns = ["shape", "type", "how many", "numbers"]

    /// For JSON.
    var fields: [String: Any] {
        ["name": name, "shape": shape, "dtype": type, "count": count]
    }

    /// Kinds of tensors, each where its first one stands.
    static func grouped(_ tensors: some Sequence<TensorKind>) -> [TensorKind] {
        var kinds: [TensorKind] = []
        for tensor in tensors {
            if let known = kinds.firstIndex(where: tensor.isLike) {
                kinds[known].count += 1
            } else {
                kinds.append(tensor)
            }
        }
        return kinds
    }
}

extension [TensorKind] {
    var numbers: Int { reduce(0) { $0 + $1.numbers } }
    var bytes: Int { reduce(0) { $0 + $1.count * $1.bytes } }

    /// How many tensors there are of each type, in the order of their first ones.
    var typeCounts: [(type: String, count: Int)] {
        var counts: [(type: String, count: Int)] = []
        for kind in self {
            if let known = counts.firstIndex(where: { $0.type == kind.type }) {
                counts[known].count += kind.count
            } else {
                counts.append((kind.type, kind.count))
            }
        }
        return counts
    }
}
