extension Tensor {
    /// A tensor without values (`torch.empty`).
    public static func empty(
        _ shape: [Int], dtype: DType = .float32, device: Device = .cpu
    ) throws -> Tensor {
        try call(
            "aten::empty.memory_format", [.ints(shape)],
            ["dtype": .dtype(dtype), "device": .device(device)])
    }

    /// Zeros (`torch.zeros`).
    public static func zeros(
        _ shape: [Int], dtype: DType = .float32, device: Device = .cpu
    ) throws -> Tensor {
        try call(
            "aten::zeros", [.ints(shape)], ["dtype": .dtype(dtype), "device": .device(device)])
    }

    /// Ones (`torch.ones`).
    public static func ones(
        _ shape: [Int], dtype: DType = .float32, device: Device = .cpu
    ) throws -> Tensor {
        try full(shape, 1, dtype: dtype, device: device)
    }

    /// One value throughout (`torch.full`).
    public static func full(
        _ shape: [Int], _ value: Double, dtype: DType = .float32, device: Device = .cpu
    ) throws -> Tensor {
        try call(
            "aten::full", [.ints(shape), .double(value)],
            ["dtype": .dtype(dtype), "device": .device(device)])
    }

    /// A scalar: a tensor of no dimension (`torch.tensor`).
    public static func scalar(_ value: Double, dtype: DType = .float32) throws -> Tensor {
        try full([], value, dtype: dtype)
    }

    /// 0, 1, ..., `count` - 1, of int64 (`torch.arange`).
    public static func range(_ count: Int, device: Device = .cpu) throws -> Tensor {
        try call(
            "aten::arange", [.int(count)], ["dtype": .dtype(.int64), "device": .device(device)])
    }

    /// A tensor without values of this one's shape, type and device, lying in memory as it does
    /// (`torch.empty_like`).
    public func emptyLike() throws -> Tensor { try call("aten::empty_like", [.tensor(self)]) }

    /// Zeros of the shape, type and device of another tensor (`torch.zeros_like`).
    public static func zeros(like other: Tensor) throws -> Tensor {
        try call("aten::zeros_like", [.tensor(other)])
    }

    /// Independent draws from N(mean, deviation²), on the CPU (`Tensor.normal_`).
    public static func normal(
        _ shape: [Int], mean: Double = 0, deviation: Double = 1, dtype: DType = .float32,
        using generator: Generator
    ) throws -> Tensor {
        let tensor = try empty(shape, dtype: dtype)
        return try call(
            "aten::normal_", [.tensor(tensor), .double(mean), .double(deviation)],
            ["generator": .generator(generator)])
    }

    /// Independent draws from the uniform distribution on [low, high), on the CPU (`Tensor.uniform_`).
    public static func uniform(
        _ shape: [Int], from low: Double = 0, to high: Double = 1, dtype: DType = .float32,
        using generator: Generator
    ) throws -> Tensor {
        let tensor = try empty(shape, dtype: dtype)
        return try call(
            "aten::uniform_", [.tensor(tensor), .double(low), .double(high)],
            ["generator": .generator(generator)])
    }

    /// 1 with `probability`, else 0; shape, dtype and device of `other` (`Tensor.bernoulli_`).
    public static func bernoulli(
        like other: Tensor, probability: Double, using generator: Generator
    ) throws -> Tensor {
        let tensor = try other.emptyLike()
        return try call(
            "aten::bernoulli_.float", [.tensor(tensor), .double(probability)],
            ["generator": .generator(generator)])
    }

    /// Tensors of one shape, stacked along a new dimension (`torch.stack`).
    public static func stacked(_ tensors: [Tensor], along dimension: Int = 0) throws -> Tensor {
        try call("aten::stack", [.tensors(tensors), .int(dimension)])
    }
}
