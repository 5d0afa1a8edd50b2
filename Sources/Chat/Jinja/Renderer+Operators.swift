import Foundation

extension Renderer {
    func signed(_ value: Value, _ sign: String) throws(Fault) -> Value {
        if case .undefined(let missing) = value { throw missing.fault }
        if case .number(let number) = value { return .number(sign == "-" ? -number : number) }
        guard let integer = value.integer else {
            throw .failed("bad operand type for unary \(sign): '\(value.typeName)'")
        }
        if sign == "+" { return .integer(integer) }
        return .integer(try Self.exact(integer.multipliedReportingOverflow(by: -1)))
    }

    func calculate(
        _ left: Value, _ operation: Arithmetic, _ right: Value
    ) throws(Fault) -> Value {
        if operation == .modulo, left.text != nil { throw .unsupported("'%' on strings") }
        for value in [left, right] {
            if case .undefined(let missing) = value { throw missing.fault }
            if case .markup = value { throw .safe("'\(operation.rawValue)'") }
        }
        if let first = left.integer, let second = right.integer {
            return try Self.integers(first, operation, second)
        }
        if let first = left.double, let second = right.double {
            return .number(try Self.numbers(first, operation, second))
        }
        if operation == .add, let value = try sum(left, right) { return value }
        if operation == .multiply {
            if let count = right.integer, let value = try repeated(left, count) { return value }
            if let count = left.integer, let value = try repeated(right, count) { return value }
        }
        throw .failed(
            "unsupported operand type(s) for \(operation.rawValue): "
                + "'\(left.typeName)' and '\(right.typeName)'")
    }

    /// Joined texts or sequences.
    private func sum(_ left: Value, _ right: Value) throws(Fault) -> Value? {
        switch (left, right) {
        case (.string(let first), .string(let second)):
            try budget.spend(bytes: first.utf8.count + second.utf8.count)
            return .string(first + second)
        case (.list(let first), .list(let second)):
            return .list(try joined(first, second))
        case (.tuple(let first), .tuple(let second)):
            return .tuple(try joined(first, second))
        default: return nil
        }
    }

    private func joined(_ first: Items, _ second: Items) throws(Fault) -> Items {
        try budget.spend(first.values.count + second.values.count)
        return try Items(first.values + second.values)
    }

    private func repeated(_ value: Value, _ count: Int) throws(Fault) -> Value? {
        let count = max(0, count)
        switch value {
        case .string(let text):
            let (bytes, overflows) = text.utf8.count.multipliedReportingOverflow(by: count)
            try budget.spend(bytes: overflows ? .max : bytes)
            return .string(String(repeating: text, count: text.isEmpty ? 0 : count))
        case .list(let items), .tuple(let items):
            let (size, overflows) = items.values.count.multipliedReportingOverflow(by: count)
            try budget.spend(overflows ? 1 << 40 : min(size, 1 << 40))
            let copies = items.values.isEmpty ? 0 : count
            let all = Items(
                [[Value]](repeating: items.values, count: copies).flatMap { $0 }, of: items)
            if case .list = value { return .list(all) }
            return .tuple(all)
        default: return nil
        }
    }

    // MARK: Numbers

    private static func exact(
        _ result: (partialValue: Int, overflow: Bool)
    ) throws(Fault) -> Int {
        guard !result.overflow else { throw .limit("a whole number is beyond 64 bits") }
        return result.partialValue
    }

    private static func integers(
        _ left: Int, _ operation: Arithmetic, _ right: Int
    ) throws(Fault) -> Value {
        switch operation {
        case .add: return .integer(try exact(left.addingReportingOverflow(right)))
        case .subtract: return .integer(try exact(left.subtractingReportingOverflow(right)))
        case .multiply: return .integer(try exact(left.multipliedReportingOverflow(by: right)))
        case .power where right >= 0: return .integer(try power(left, right))
        case .floorDivide, .modulo:
            guard right != 0 else { throw .failed("integer division or modulo by zero") }
            let quotient = try exact(left.dividedReportingOverflow(by: right))
            let remainder = left - quotient * right
            let isBelow = remainder != 0 && (remainder < 0) != (right < 0)
            if operation == .floorDivide { return .integer(isBelow ? quotient - 1 : quotient) }
            return .integer(isBelow ? remainder + right : remainder)
        case .divide, .power:
            return .number(try numbers(Double(left), operation, Double(right)))
        }
    }

    private static func power(_ base: Int, _ exponent: Int) throws(Fault) -> Int {
        if base == 0 || base == 1 { return exponent == 0 ? 1 : base }
        if base == -1 { return exponent.isMultiple(of: 2) ? 1 : -1 }
        var result = 1
        for _ in 0..<exponent {
            result = try exact(result.multipliedReportingOverflow(by: base))
        }
        return result
    }

    private static func numbers(
        _ left: Double, _ operation: Arithmetic, _ right: Double
    ) throws(Fault) -> Double {
        switch operation {
        case .add: return left + right
        case .subtract: return left - right
        case .multiply: return left * right
        case .divide:
            guard right != 0 else { throw .failed("division by zero") }
            return left / right
        case .floorDivide, .modulo:
            guard right != 0 else { throw .failed("float floor division or modulo by zero") }
            let division = divided(left, right)
            return operation == .modulo ? division.remainder : division.quotient
        case .power:
            guard left != 0 || right >= 0 else {
                throw .failed("0.0 cannot be raised to a negative power")
            }
            let result = pow(left, right)
            guard !result.isNaN || left.isNaN || right.isNaN else {
                throw .unsupported("complex numbers")
            }
            guard result.isFinite || !left.isFinite || !right.isFinite else {
                throw .failed("the result of ** is too large")
            }
            return result
        }
    }

    /// Python's `divmod` of floating-point numbers.
    private static func divided(
        _ left: Double, _ right: Double
    ) -> (quotient: Double, remainder: Double) {
        var remainder = fmod(left, right)
        var quotient = (left - remainder) / right
        if remainder == 0 {
            remainder = right.sign == .minus ? -0.0 : 0.0
        } else if (right < 0) != (remainder < 0) {
            remainder += right
            quotient -= 1
        }
        guard quotient != 0 else { return ((left / right).sign == .minus ? -0.0 : 0.0, remainder) }
        let floored = floor(quotient)
        return (quotient - floored > 0.5 ? floored + 1 : floored, remainder)
    }
}

extension Value {
    /// A number of any kind.
    var double: Double? {
        if case .number(let number) = self { number } else { integer.map(Double.init) }
    }
}
