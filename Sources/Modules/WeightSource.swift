import DualTorch

/// The source of a model's weights: a checkpoint, or random numbers where there is none.
///
/// It keeps a list of the weights that it hands out, so that the model knows its parameters, and the
/// tensors of the checkpoint that it does not use.
public final class WeightSource {
    let checkpoint: (any StoredTensors)?
    /// Names in the checkpoint that a parameter may have, in order of preference.
    let spellings: (String) -> [String]
    let generator: Generator
    let dtype: DType?
    /// Whether matrices that are stored in fewer bits than `dtype` has stay as they are.
    private let keepsNarrow: Bool
    /// What frozen linear weights are quantised to; nil for what they are.
    public let quantization: BlockFormat?
    let device: Device
    private let drawing: Drawing
    public private(set) var parameters: [Parameter] = []
    private var used: Set<String> = []
    private var misfits: [WeightError] = []
    /// Names of weights that were to be quantised and whose rows are no whole blocks.
    public private(set) var unquantized: [String] = []

    /// - Parameters:
    ///   - checkpoint: nil to draw every weight at random.
    ///   - dtype: what weights are converted to; nil, or the type they have, takes them as they are.
    ///   - keepsNarrow: whether matrices of fewer bits than `dtype` has are taken as they are, over the mapped
    ///     file: products widen a block of them at a time.
    ///   - quantization: what the weights of frozen linear layers but heads are quantised to while they are
    ///     read; nil for what they are.
    ///   - drawing: the values of weights that are not loaded.
    ///   - spellings: for checkpoints that name a parameter otherwise than the reference does.
    public init(
        _ checkpoint: (any StoredTensors)?, dtype: DType?, keepsNarrow: Bool = false,
        quantization: BlockFormat? = nil, device: Device = .cpu, generator: Generator,
        drawing: Drawing = .toTrain, spellings: @escaping (String) -> [String] = { [$0] }
    ) {
        self.checkpoint = checkpoint
        self.spellings = spellings
        self.generator = generator
        self.dtype = dtype
        self.keepsNarrow = keepsNarrow
        self.quantization = quantization
        self.device = device
        self.drawing = drawing
    }

    public var root: WeightScope { WeightScope(source: self, path: "") }

    /// Tensors of the checkpoint that no module asked for.
    public var unused: [String] { (checkpoint?.names ?? []).filter { !used.contains($0) } }

    /// Reports the parameters that the checkpoint lacks or has in another shape, all of them at once; to
    /// be called when the model is built.
    /// - Throws: ``WeightError``.
    public func check() throws {
        guard let first = misfits.first else { return }
        // One file that is not listed explains all that is missing.
        if case .unlisted = first { throw first }
        throw misfits.count == 1 ? first : WeightError.several(misfits)
    }

    /// Whether the checkpoint has this parameter, in this shape if one is given.
    public func contains(_ name: String, shape: [Int]? = nil) -> Bool {
        guard let checkpoint, let key = key(for: name) else { return false }
        return shape == nil || checkpoint.shape(of: key) == shape
    }

    /// Whether the checkpoint has both parameters, and other numbers in the one than in the other.
    /// - Throws: ``SafetensorsError``, ``TorchError``.
    public func differ(_ one: String, _ other: String) throws -> Bool {
        guard let checkpoint, let first = key(for: one), let second = key(for: other),
            first != second
        else { return false }
        guard checkpoint.shape(of: first) == checkpoint.shape(of: second) else { return true }
        let (a, b) = (
            try checkpoint.stored(first).weight.dense(),
            try checkpoint.stored(second).weight.dense()
        )
        if a.dtype == b.dtype { return try !a.hasSameElements(as: b) }
        return try !a.to(.float32).hasSameElements(as: b.to(.float32))
    }

    /// - Parameter shape: as the model has it, whatever the storage.
    func parameter(
        _ name: String, shape: [Int], initial: Initialization, in created: WeightScope.Creation,
        storage: Parameter.Storage, isQuantizable: Bool = false
    ) throws -> Parameter {
        let creating = checkpoint == nil || created != .never
        let storedShape = storage == .transposed ? shape.reversed() : shape
        var stored: StoredWeight
        var isCreated = false
        if created != .always, let checkpoint, let key = key(for: name) {
            stored = try load(key, of: checkpoint, shape: storedShape, storage)
        } else if creating {
            let drawn = try draw(initial, storedShape)
            stored = .plain(storage == .transposed ? try drawn.transposed() : drawn)
            isCreated = drawing == .toTrain
        } else {
            misfits.append(missing(name))
            stored = .plain(try .placeholder(shape))
        }
        if isQuantizable, !isCreated, drawing != .shapesOnly {
            stored = try quantized(stored, name)
        }
        let format = stored.blockFormat
        if device != .cpu, format != nil { stored = .plain(try widened(stored)) }
        let parameter = Parameter(
            name: name, stored: stored, isCreated: isCreated, storage: storage, initial: initial,
            widenedFrom: stored.isBlocks ? nil : format)
        parameters.append(parameter)
        return parameter
    }

    /// The weight in the blocks that are asked for, if any are and its rows are whole ones.
    private func quantized(_ stored: StoredWeight, _ name: String) throws -> StoredWeight {
        guard let quantization, let weight = stored.plainTensor, weight.rank == 2, misfits.isEmpty
        else { return stored }
        guard quantization.divides(weight.size(1)) else {
            unquantized.append(name)
            return stored
        }
        return .blocks(try BlockMatrix(quantizing: weight, to: quantization))
    }

    /// Blocks as a tensor of the device, whose products do not read blocks.
    private func widened(_ stored: StoredWeight) throws -> Tensor {
        try stored.dense(as: dtype ?? stored.numberType).to(device: device)
    }

    private func draw(_ initial: Initialization, _ shape: [Int]) throws -> Tensor {
        let dtype = drawing == .toTrain ? .float32 : dtype ?? .float32
        guard drawing != .shapesOnly else {
            return try Tensor.zeros(shape.map { _ in 1 }, dtype: dtype).expanded(shape)
        }
        return try initial.tensor(shape, dtype: dtype, using: generator).to(device: device)
    }

    /// - Returns: the weight as the model has it.
    private func load(
        _ key: String, of checkpoint: any StoredTensors, shape: [Int], _ storage: Parameter.Storage
    ) throws -> StoredWeight {
        used.insert(key)
        let found = checkpoint.shape(of: key) ?? []
        guard found == shape else {
            misfits.append(
                .wrongShape(
                    name: key, file: checkpoint.path(of: key), expected: shape, found: found))
            return .plain(try .placeholder(storage == .transposed ? shape.reversed() : shape))
        }
        let (weight, isTransposed) = try checkpoint.stored(key)
        if weight.isBlocks, isTransposed == (storage == .transposed) {
            return weight
        }
        return .plain(
            try converted(weight.dense(), isTurned: isTransposed != (storage == .transposed)))
    }

    /// A tensor in the type that it is kept in, on the device.
    private func converted(_ tensor: Tensor, isTurned: Bool) throws -> Tensor {
        let isKept = keepsNarrow && tensor.rank == 2 && tensor.dtype.isNarrow
        let type = isKept ? tensor.dtype : dtype ?? tensor.dtype
        let converted = try tensor.to(type).to(device: device)
        guard isTurned else { return converted }
        let turned = try converted.transposed()
        // Products of few rows read rows as they are stored, and what is widened is not computed with as it lies
        // in the file.
        return isKept && dtype?.isNarrow == false ? try turned.contiguous() : turned
    }

    /// What to say of a parameter that the checkpoint lacks; only the first costs a look around.
    private func missing(_ name: String) -> WeightError {
        if misfits.isEmpty, let checkpoint {
            for spelling in spellings(name) {
                if let (index, file) = checkpoint.unlistedFile(of: spelling) {
                    return .unlisted(name: spelling, index: index, file: file)
                }
            }
        }
        return .missing(name: name, folder: checkpoint?.place ?? "")
    }

    private func key(for name: String) -> String? {
        spellings(name).first { checkpoint?.contains($0) ?? false }
    }
}

extension Tensor {
    /// One element in place of a missing weight, until that is reported: of as many dimensions, for the
    /// sizes that a damaged file asks for may be beyond any memory.
    fileprivate static func placeholder(_ shape: [Int]) throws -> Tensor {
        try zeros(shape.map { _ in 1 })
    }
}
