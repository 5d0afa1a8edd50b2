/// A weight as it is stored: a tensor of whatever type, or a matrix of quantised blocks.
///
/// What it is stored in and what products with it are computed in are two things: a product
/// (``Tensor/projected(by:bias:)-swift.method``, ``Tensor/matmul(_:)-swift.method``) reads it in the type of its
/// other operand, block by block, so that a wider copy of the whole is never there.
public enum StoredWeight {
    /// Of any rank.
    case plain(Tensor)
    /// Frozen: it has no gradient.
    case blocks(BlockMatrix)

    public var shape: [Int] {
        switch self {
        case .plain(let tensor): tensor.shape
        case .blocks(let matrix): matrix.shape
        }
    }

    /// The size of a dimension; a negative one counts from the end.
    public func size(_ dimension: Int) -> Int {
        let shape = shape
        return shape[dimension < 0 ? shape.count + dimension : dimension]
    }

    /// The number of elements.
    public var count: Int { shape.reduce(1, *) }

    /// Bytes that are stored.
    public var byteCount: Int { memory.byteCount }

    public var device: Device { memory.device }

    /// The elements, or the bytes of blocks.
    package var memory: Tensor {
        switch self {
        case .plain(let tensor): tensor
        case .blocks(let matrix): matrix.bytes
        }
    }

    public var requiresGradient: Bool { plainTensor?.requiresGradient ?? false }

    /// The tensor of a plain weight; nil for blocks.
    public var plainTensor: Tensor? {
        if case .plain(let tensor) = self { tensor } else { nil }
    }

    /// The format of quantised blocks; nil for a plain weight.
    public var blockFormat: BlockFormat? {
        if case .blocks(let matrix) = self { matrix.format } else { nil }
    }

    public var isBlocks: Bool { blockFormat != nil }

    /// What it is stored in: `bfloat16`, `q4_0`.
    public var storageName: String {
        switch self {
        case .plain(let tensor): tensor.dtype.rawValue
        case .blocks(let matrix): matrix.format.rawValue
        }
    }

    /// What tells this weight from others for as long as it is there.
    package var identity: AnyObject { memory }

    /// The type in which its numbers are whole: that of a plain weight, float32 for blocks.
    public var numberType: DType { plainTensor?.dtype ?? .float32 }

    /// All numbers, in a type; a plain weight of this type is handed out as it is.
    /// - Parameter dtype: nil for ``numberType``.
    public func dense(as dtype: DType? = nil) throws -> Tensor {
        switch self {
        case .plain(let tensor):
            dtype == nil || dtype == tensor.dtype ? tensor : try tensor.to(dtype ?? tensor.dtype)
        case .blocks(let matrix): try matrix.dequantized(as: dtype ?? .float32)
        }
    }

    /// Some of the rows, over the same memory.
    package func slice(_ rows: Range<Int>) throws -> StoredWeight {
        switch self {
        case .plain(let tensor): .plain(try tensor.slice(rows))
        case .blocks(let matrix): .blocks(try matrix.slice(rows))
        }
    }

    /// Some of the columns: of blocks, all or their numbers.
    package func slice(columns: Range<Int>) throws -> StoredWeight {
        if columns == 0..<size(1) { return self }
        return .plain(try dense().slice(columns, along: 1))
    }

    /// A tensor of ``numberType`` for as many numbers, which lies as the weight does.
    package func emptyLike() throws -> Tensor {
        try plainTensor?.detached().emptyLike() ?? .empty(shape, dtype: numberType, device: device)
    }

    /// √(Σ x² / count), of rows in float32 or wider; a copy of all of them is never there.
    package func rootMeanSquare() throws -> Double {
        guard case .blocks = self else { return try dense().rootMeanSquare() }
        var squares = 0.0
        try forEachBlock(as: .float32) { _, block in
            let norm = try block.norm().item()
            squares += norm * norm
        }
        return (squares / Double(max(1, count))).squareRoot()
    }

    /// Outside the graph.
    package func detached() throws -> StoredWeight {
        switch self {
        case .plain(let tensor): .plain(try tensor.detached())
        case .blocks: self
        }
    }

    /// The numbers of rows by their indices, an int64 vector: (indices, columns) in ``numberType``.
    package func gathered(rows: Tensor) throws -> Tensor {
        switch self {
        case .plain(let tensor): try tensor.gathered(rows: rows)
        case .blocks(let matrix): try matrix.gathered(rows: rows).dequantized()
        }
    }

    /// Whether neighbours of a row lie side by side.
    package var hasContiguousRows: Bool { plainTensor?.hasContiguousRows ?? true }

    /// What operators take of it: the memory, and the number of the blocks' format.
    var operands: (tensor: Tensor, format: OperatorValue) {
        switch self {
        case .plain(let tensor): (tensor, .none)
        case .blocks(let matrix): (matrix.bytes, .int(matrix.format.number))
        }
    }
}

extension StoredWeight? {
    var operands: (tensor: Tensor?, format: OperatorValue) {
        self.map { $0.operands } ?? (nil, .none)
    }
}
