extension Renderer {
    /// `value is test`.
    func holds(_ test: Test, of value: Value, _ given: Given) throws(Fault) -> Bool {
        switch test {
        case .eq, .equalto, .ne, .lt, .lessthan, .le, .gt, .greaterthan, .ge, .in, .divisibleby:
            guard given.named.isEmpty, given.positional.count == 1 else {
                throw .failed("the test '\(test.rawValue)' takes one argument")
            }
            return try relates(test, value, given.positional[0])
        default: break
        }
        guard given.named.isEmpty, given.positional.isEmpty else {
            throw .failed("the test '\(test.rawValue)' takes no argument")
        }
        switch test {
        case .odd, .even:
            let remainder = try calculate(value, .modulo, .integer(2))
            return try areEqual(remainder, .integer(test == .odd ? 1 : 0))
        case .lower, .upper:
            let text = try printed(value)
            try budget.spend(bytes: text.utf8.count)
            return PythonText.isCased(text) { test == .lower ? $0.isLowercase : $0.isUppercase }
        default: return isOfKind(test, value)
        }
    }

    private func relates(_ test: Test, _ left: Value, _ right: Value) throws(Fault) -> Bool {
        switch test {
        case .eq, .equalto: try areEqual(left, right)
        case .ne: !(try areEqual(left, right))
        case .lt, .lessthan: try compare(left, .less, right)
        case .le: try compare(left, .lessOrEqual, right)
        case .gt, .greaterthan: try compare(left, .greater, right)
        case .ge: try compare(left, .greaterOrEqual, right)
        case .in: try contains(right, left)
        default: try areEqual(calculate(left, .modulo, right), .integer(0))
        }
    }

    private func isOfKind(_ test: Test, _ value: Value) -> Bool {
        switch (test, value) {
        case (.defined, _): !value.isUndefined
        case (.undefined, _): value.isUndefined
        case (.none, .none), (.boolean, .bool), (.true, .bool(true)), (.false, .bool(false)),
            (.string, .string), (.string, .markup), (.mapping, .mapping), (.integer, .integer),
            (.float, .number), (.number, .integer), (.number, .number), (.number, .bool):
            true
        case (.sequence, .string), (.sequence, .markup), (.sequence, .list), (.sequence, .tuple),
            (.sequence, .mapping), (.sequence, .range), (.sequence, .undefined):
            true
        case (.iterable, .string), (.iterable, .markup), (.iterable, .list), (.iterable, .tuple),
            (.iterable, .mapping), (.iterable, .range), (.iterable, .undefined),
            (.iterable, .view), (.iterable, .iterator), (.iterable, .loop):
            true
        default: false
        }
    }
}
