import DualModels
import DualModules
import DualTorch

/// A prefix of given keys and values.
public final class TablePrefix: KeyValuePrefix {
    /// (V, 2 L, G, D)
    public let table: Tensor

    public init(_ table: Tensor) { self.table = table }

    public var parameters: [(name: String, value: Tensor)] { [("table", table)] }
    public var count: Int { table.size(0) }

    public func keysAndValues(_ mode: ForwardMode, dtype: DType) throws -> Tensor {
        try table.to(dtype)
    }
}

/// A prompt of given embeddings.
public final class TablePrompt: InputPrompt {
    /// (V, E)
    public let table: Tensor

    public init(_ table: Tensor) { self.table = table }

    public var parameters: [(name: String, value: Tensor)] { [("table", table)] }
    public var count: Int { table.size(0) }

    public func embeddings(_ mode: ForwardMode, dtype: DType) throws -> Tensor {
        try table.to(dtype)
    }
}

/// What stands before the tokens.
public enum VirtualKind: String, CaseIterable, Sendable {
    case prefix, prompt, both

    /// Puts random virtual tokens into a model's slots.
    /// - Returns: their tables.
    @discardableResult
    public func add(
        _ count: Int, to model: any TransformerModel, dtype: DType = .float32
    ) throws -> [Tensor] {
        var tables: [Tensor] = []
        if self != .prompt, let slot = model.slots.prefix {
            let shape = [count, 2 * slot.layers, slot.heads, slot.headSize]
            let part = TablePrefix(try .seeded(shape, seed: 31, dtype: dtype))
            slot.adapter = part
            tables.append(part.table)
        }
        if self != .prefix, let slot = model.slots.prompt {
            let shape = [self == .both ? 1 : count, slot.hiddenSize]
            let part = TablePrompt(try .seeded(shape, seed: 32, dtype: dtype))
            slot.adapter = part
            tables.append(part.table)
        }
        return tables
    }
}
