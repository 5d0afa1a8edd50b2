/// An argument or a result of an operator: see ``callOperator(_:_:_:)``.
public enum OperatorValue {
    case none
    case tensor(Tensor)
    case int(Int)
    case double(Double)
    case bool(Bool)
    case string(String)
    case ints([Int])
    case doubles([Double])
    case bools([Bool])
    case tensors([Tensor?])
    case dtype(DType)
    case device(Device)
    case generator(Generator)

    /// A tensor, or ``none`` for nil.
    public static func optional(_ tensor: Tensor?) -> OperatorValue {
        tensor.map(OperatorValue.tensor) ?? .none
    }
}

extension OperatorValue: ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral,
    ExpressibleByBooleanLiteral
{
    public init(integerLiteral value: Int) { self = .int(value) }
    public init(floatLiteral value: Double) { self = .double(value) }
    public init(booleanLiteral value: Bool) { self = .bool(value) }
}
