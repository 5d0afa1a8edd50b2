// Element-wise arithmetic, with LibTorch's broadcasting and type promotion.

extension Tensor {
    public static func + (left: Tensor, right: Tensor) throws -> Tensor {
        try call("aten::add.Tensor", [.tensor(left), .tensor(right)])
    }

    public static func - (left: Tensor, right: Tensor) throws -> Tensor {
        try call("aten::sub.Tensor", [.tensor(left), .tensor(right)])
    }

    public static func * (left: Tensor, right: Tensor) throws -> Tensor {
        try call("aten::mul.Tensor", [.tensor(left), .tensor(right)])
    }

    public static func / (left: Tensor, right: Tensor) throws -> Tensor {
        try call("aten::div.Tensor", [.tensor(left), .tensor(right)])
    }

    public static func + (left: Tensor, right: Double) throws -> Tensor {
        try call("aten::add.Scalar", [.tensor(left), .double(right)])
    }

    public static func - (left: Tensor, right: Double) throws -> Tensor {
        try call("aten::sub.Scalar", [.tensor(left), .double(right)])
    }

    public static func * (left: Tensor, right: Double) throws -> Tensor {
        try call("aten::mul.Scalar", [.tensor(left), .double(right)])
    }

    public static func * (left: Double, right: Tensor) throws -> Tensor { try right * left }

    public static func / (left: Tensor, right: Double) throws -> Tensor {
        try call("aten::div.Scalar", [.tensor(left), .double(right)])
    }

    public static prefix func - (operand: Tensor) throws -> Tensor {
        try call("aten::neg", [.tensor(operand)])
    }

    /// True where the element is greater than `bound`.
    public static func > (left: Tensor, bound: Double) throws -> Tensor {
        try call("aten::gt.Scalar", [.tensor(left), .double(bound)])
    }

    /// True where the element is less than `bound`.
    public static func < (left: Tensor, bound: Double) throws -> Tensor {
        try call("aten::lt.Scalar", [.tensor(left), .double(bound)])
    }

    /// True where the element is `value`.
    public func equals(_ value: Double) throws -> Tensor {
        try call("aten::eq.Scalar", [.tensor(self), .double(value)])
    }

    /// True where both are.
    public func and(_ other: Tensor) throws -> Tensor {
        try call("aten::logical_and", [.tensor(self), .tensor(other)])
    }

    /// True where either is.
    public func or(_ other: Tensor) throws -> Tensor {
        try call("aten::logical_or", [.tensor(self), .tensor(other)])
    }

    /// `self + factor * other`, in place.
    @discardableResult
    public func add(_ other: Tensor, times factor: Double = 1) throws -> Tensor {
        try call("aten::add_.Tensor", [.tensor(self), .tensor(other)], ["alpha": .double(factor)])
    }

    /// `self * factor`, in place.
    @discardableResult
    public func multiply(by factor: Double) throws -> Tensor {
        try call("aten::mul_.Scalar", [.tensor(self), .double(factor)])
    }

    /// `self * factor`, in place.
    @discardableResult
    public func multiply(by factor: Tensor) throws -> Tensor {
        try call("aten::mul_.Tensor", [.tensor(self), .tensor(factor)])
    }

    /// Copies the elements of `other`, converted, into this tensor's memory.
    @discardableResult
    public func copy(from other: Tensor) throws -> Tensor {
        try call("aten::copy_", [.tensor(self), .tensor(other)])
    }

    public func squared() throws -> Tensor { try self * self }
    public func squareRoot() throws -> Tensor { try call("aten::sqrt", [.tensor(self)]) }
    public func magnitude() throws -> Tensor { try call("aten::abs", [.tensor(self)]) }
    public func cosine() throws -> Tensor { try call("aten::cos", [.tensor(self)]) }
    public func sine() throws -> Tensor { try call("aten::sin", [.tensor(self)]) }

    /// `base` to the power of each element.
    public func asExponents(of base: Double) throws -> Tensor {
        try call("aten::pow.Scalar", [.double(base), .tensor(self)])
    }

    /// Each element to a power.
    public func raised(to power: Double) throws -> Tensor {
        try call("aten::pow.Tensor_Scalar", [.tensor(self), .double(power)])
    }

    /// Each element to the power of its like, broadcast.
    public func raised(to powers: Tensor) throws -> Tensor {
        try call("aten::pow.Tensor_Tensor", [.tensor(self), .tensor(powers)])
    }

    public func exponential() throws -> Tensor { try call("aten::exp", [.tensor(self)]) }

    /// Elements held between two bounds.
    public func clamped(from low: Double, to high: Double) throws -> Tensor {
        try call("aten::clamp", [.tensor(self), .double(low), .double(high)])
    }

    /// Elements of `self` where `condition` holds, else of `other`.
    public func selected(where condition: Tensor, otherwise other: Tensor) throws -> Tensor {
        try call("aten::where.self", [.tensor(condition), .tensor(self), .tensor(other)])
    }

    /// The elements with `value` where `mask` holds.
    public func filled(with value: Double, where mask: Tensor) throws -> Tensor {
        try call("aten::masked_fill.Scalar", [.tensor(self), .tensor(mask), .double(value)])
    }

    public func logicalNot() throws -> Tensor { try call("aten::logical_not", [.tensor(self)]) }

    /// True where every element is finite.
    public func isFinite() throws -> Tensor { try call("aten::isfinite", [.tensor(self)]) }
}
