// Element-wise arithmetic, with PyTorch's broadcasting and type promotion.

extension Tensor {
    /// left + right (`torch.add`).
    public static func + (left: Tensor, right: Tensor) throws -> Tensor {
        try call("aten::add.Tensor", [.tensor(left), .tensor(right)])
    }

    /// left - right (`torch.sub`).
    public static func - (left: Tensor, right: Tensor) throws -> Tensor {
        try call("aten::sub.Tensor", [.tensor(left), .tensor(right)])
    }

    /// left ⊙ right (`torch.mul`).
    public static func * (left: Tensor, right: Tensor) throws -> Tensor {
        try call("aten::mul.Tensor", [.tensor(left), .tensor(right)])
    }

    /// left / right (`torch.div`).
    public static func / (left: Tensor, right: Tensor) throws -> Tensor {
        try call("aten::div.Tensor", [.tensor(left), .tensor(right)])
    }

    /// left + right (`torch.add`), in the type of `left` if that has fractions.
    public static func + (left: Tensor, right: Double) throws -> Tensor {
        try call("aten::add.Scalar", [.tensor(left), .double(right)])
    }

    /// left - right (`torch.sub`).
    public static func - (left: Tensor, right: Double) throws -> Tensor {
        try call("aten::sub.Scalar", [.tensor(left), .double(right)])
    }

    /// left · right (`torch.mul`).
    public static func * (left: Tensor, right: Double) throws -> Tensor {
        try call("aten::mul.Scalar", [.tensor(left), .double(right)])
    }

    /// left · right (`torch.mul`).
    public static func * (left: Double, right: Tensor) throws -> Tensor { try right * left }

    /// left / right (`torch.div`).
    public static func / (left: Tensor, right: Double) throws -> Tensor {
        try call("aten::div.Scalar", [.tensor(left), .double(right)])
    }

    /// -x (`torch.neg`).
    public static prefix func - (operand: Tensor) throws -> Tensor {
        try call("aten::neg", [.tensor(operand)])
    }

    /// True where the element is greater than `bound` (`torch.gt`).
    public static func > (left: Tensor, bound: Double) throws -> Tensor {
        try call("aten::gt.Scalar", [.tensor(left), .double(bound)])
    }

    /// True where the element is less than `bound` (`torch.lt`).
    public static func < (left: Tensor, bound: Double) throws -> Tensor {
        try call("aten::lt.Scalar", [.tensor(left), .double(bound)])
    }

    /// True where the element is `value` (`torch.eq`).
    public func equals(_ value: Double) throws -> Tensor {
        try call("aten::eq.Scalar", [.tensor(self), .double(value)])
    }

    /// True where both elements are (`torch.logical_and`).
    public func and(_ other: Tensor) throws -> Tensor {
        try call("aten::logical_and", [.tensor(self), .tensor(other)])
    }

    /// True where either element is (`torch.logical_or`).
    public func or(_ other: Tensor) throws -> Tensor {
        try call("aten::logical_or", [.tensor(self), .tensor(other)])
    }

    /// self + factor · other, in place (`Tensor.add_`).
    @discardableResult
    public func add(_ other: Tensor, times factor: Double = 1) throws -> Tensor {
        try call("aten::add_.Tensor", [.tensor(self), .tensor(other)], ["alpha": .double(factor)])
    }

    /// self · factor, in place (`Tensor.mul_`).
    @discardableResult
    public func multiply(by factor: Double) throws -> Tensor {
        try call("aten::mul_.Scalar", [.tensor(self), .double(factor)])
    }

    /// self · factor, in place (`Tensor.mul_`).
    @discardableResult
    public func multiply(by factor: Tensor) throws -> Tensor {
        try call("aten::mul_.Tensor", [.tensor(self), .tensor(factor)])
    }

    /// Copies the elements of `other`, converted, into this tensor's memory (`Tensor.copy_`).
    @discardableResult
    public func copy(from other: Tensor) throws -> Tensor {
        try call("aten::copy_", [.tensor(self), .tensor(other)])
    }

    /// x² of each element (`torch.square`).
    public func squared() throws -> Tensor { try self * self }
    /// √x of each element (`torch.sqrt`).
    public func squareRoot() throws -> Tensor { try call("aten::sqrt", [.tensor(self)]) }
    /// |x| of each element (`torch.abs`).
    public func magnitude() throws -> Tensor { try call("aten::abs", [.tensor(self)]) }
    /// cos x of each element (`torch.cos`).
    public func cosine() throws -> Tensor { try call("aten::cos", [.tensor(self)]) }
    /// sin x of each element (`torch.sin`).
    public func sine() throws -> Tensor { try call("aten::sin", [.tensor(self)]) }

    /// `base` to the power of each element (`torch.pow`).
    public func asExponents(of base: Double) throws -> Tensor {
        try call("aten::pow.Scalar", [.double(base), .tensor(self)])
    }

    /// Each element to a power (`torch.pow`).
    public func raised(to power: Double) throws -> Tensor {
        try call("aten::pow.Tensor_Scalar", [.tensor(self), .double(power)])
    }

    /// Each element to the power of its like, broadcast (`torch.pow`).
    public func raised(to powers: Tensor) throws -> Tensor {
        try call("aten::pow.Tensor_Tensor", [.tensor(self), .tensor(powers)])
    }

    /// eˣ of each element (`torch.exp`).
    public func exponential() throws -> Tensor { try call("aten::exp", [.tensor(self)]) }

    /// Elements held between two bounds (`torch.clamp`).
    public func clamped(from low: Double, to high: Double) throws -> Tensor {
        try call("aten::clamp", [.tensor(self), .double(low), .double(high)])
    }

    /// Elements of `self` where `condition` holds, else of `other` (`torch.where`).
    public func selected(where condition: Tensor, otherwise other: Tensor) throws -> Tensor {
        try call("aten::where.self", [.tensor(condition), .tensor(self), .tensor(other)])
    }

    /// The elements with `value` where `mask` holds (`torch.masked_fill`).
    public func filled(with value: Double, where mask: Tensor) throws -> Tensor {
        try call("aten::masked_fill.Scalar", [.tensor(self), .tensor(mask), .double(value)])
    }

    /// True where the element is not (`torch.logical_not`).
    public func logicalNot() throws -> Tensor { try call("aten::logical_not", [.tensor(self)]) }

    /// True where the element is finite (`torch.isfinite`).
    public func isFinite() throws -> Tensor { try call("aten::isfinite", [.tensor(self)]) }
}
