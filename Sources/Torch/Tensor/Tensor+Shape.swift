extension Tensor {
    /// The same elements in another shape; -1 stands for what is left (`torch.reshape`).
    public func reshaped(_ shape: Int...) throws -> Tensor { try reshaped(shape) }

    /// The same elements in another shape; -1 stands for what is left (`torch.reshape`).
    public func reshaped(_ shape: [Int]) throws -> Tensor {
        try call("aten::reshape", [.tensor(self), .ints(shape)])
    }

    /// A view in which dimensions of size 1 are repeated to the given sizes (`Tensor.expand`).
    public func expanded(_ shape: [Int]) throws -> Tensor {
        try call("aten::expand", [.tensor(self), .ints(shape)])
    }

    /// A view with two dimensions exchanged (`torch.transpose`).
    public func transposed(_ first: Int = -2, _ second: Int = -1) throws -> Tensor {
        try call("aten::transpose.int", [.tensor(self), .int(first), .int(second)])
    }

    /// A view with one more dimension, of size 1 (`torch.unsqueeze`).
    public func expandedDimension(at dimension: Int) throws -> Tensor {
        try call("aten::unsqueeze", [.tensor(self), .int(dimension)])
    }

    /// A view without a dimension of size 1 (`torch.squeeze`).
    public func squeezed(_ dimension: Int) throws -> Tensor {
        try call("aten::squeeze.dim", [.tensor(self), .int(dimension)])
    }

    /// A view of one index along a dimension, which goes (`torch.select`).
    public func selecting(_ index: Int, along dimension: Int = 0) throws -> Tensor {
        try call("aten::select.int", [.tensor(self), .int(dimension), .int(index)])
    }

    /// A view of each index along a dimension, which goes (`torch.unbind`).
    public func unbound(along dimension: Int) throws -> [Tensor] {
        let results = try callOperator("aten::unbind.int", [.tensor(self), .int(dimension)])
        guard case .tensors(let views)? = results.first else {
            throw Tensor.missingResult(of: "aten::unbind.int")
        }
        return views.compactMap(\.self)
    }

    /// A view of a range along a dimension (`torch.narrow`).
    public func slice(_ range: Range<Int>, along dimension: Int = 0) throws -> Tensor {
        try call(
            "aten::slice.Tensor",
            [.tensor(self), .int(dimension), .int(range.lowerBound), .int(range.upperBound), 1])
    }

    /// A copy of rows (or other slices) by number (`torch.index_select`).
    public func gathered(rows indices: Tensor, along dimension: Int = 0) throws -> Tensor {
        try call("aten::index_select", [.tensor(self), .int(dimension), .tensor(indices)])
    }

    /// Puts rows in the place of those with these numbers (`Tensor.index_copy_`).
    @discardableResult
    public func copy(_ rows: Tensor, toRows indices: Tensor) throws -> Tensor {
        try call("aten::index_copy_", [.tensor(self), 0, .tensor(indices), .tensor(rows)])
    }

    /// Where a vector of bool is true, of int64 (`torch.nonzero`).
    public func indicesOfTrue() throws -> Tensor {
        try call("aten::nonzero", [.tensor(self)]).squeezed(1)
    }

    /// Tensors that differ in one dimension alone, one behind the other in it (`torch.cat`).
    public static func joined(_ tensors: [Tensor], along dimension: Int) throws -> Tensor {
        try call("aten::cat", [.tensors(tensors), .int(dimension)])
    }

    /// The elements moved up by `count` along a dimension; those that leave it come in again at its start
    /// (`torch.roll`).
    public func rolled(by count: Int, along dimension: Int) throws -> Tensor {
        try call("aten::roll", [.tensor(self), .ints([count]), .ints([dimension])])
    }

    /// The elements above the diagonal of the last two dimensions, zero elsewhere (`torch.triu`).
    public func aboveDiagonal() throws -> Tensor { try call("aten::triu", [.tensor(self), 1]) }

    /// The elements in row-major order without gaps; `self` when they lie so (`Tensor.contiguous`).
    public func contiguous() throws -> Tensor {
        isContiguous ? self : try call("aten::contiguous", [.tensor(self)])
    }

    /// The elements with neighbours in the last dimension side by side; `self` when they lie so.
    func withContiguousRows() throws -> Tensor { hasContiguousRows ? self : try contiguous() }

    /// A copy in memory of its own (`torch.clone`).
    public func cloned() throws -> Tensor { try call("aten::clone", [.tensor(self)]) }

    /// The elements as another type; `self` when they are of that type (`Tensor.to`).
    public func to(_ dtype: DType) throws -> Tensor {
        if dtype == self.dtype { return self }
        return try call("aten::to.dtype", [.tensor(self), .dtype(dtype)])
    }

    /// The elements on another device; `self` when they are there (`Tensor.to`).
    public func to(device: Device) throws -> Tensor {
        if device.kind == self.device.kind && (device.index < 0 || device == self.device) {
            return self
        }
        return try call(
            "aten::to.dtype_layout", [.tensor(self)],
            ["dtype": .dtype(dtype), "device": .device(device)])
    }
}
