extension Renderer {
    func compare(
        _ left: Value, _ operation: Comparison, _ right: Value
    ) throws(Fault) -> Bool {
        switch operation {
        case .equal: try areEqual(left, right)
        case .unequal: !(try areEqual(left, right))
        case .within: try contains(right, left)
        case .notWithin: !(try contains(right, left))
        case .less, .lessOrEqual, .greater, .greaterOrEqual:
            try isOrdered(left, operation, right)
        }
    }

    func areEqual(_ left: Value, _ right: Value) throws(Fault) -> Bool {
        try budget.spend()
        switch (left, right) {
        case (.none, .none), (.undefined, .undefined): return true
        case (.string(let first), .string(let second)), (.string(let first), .markup(let second)),
            (.markup(let first), .string(let second)), (.markup(let first), .markup(let second)):
            try budget.spend(bytes: min(first.utf8.count, second.utf8.count))
            return first.utf8.elementsEqual(second.utf8)
        case (.list(let first), .list(let second)), (.tuple(let first), .tuple(let second)):
            return try areEqual(first.values, second.values)
        case (.mapping(let first), .mapping(let second)):
            guard first.count == second.count else { return false }
            for (key, value) in zip(first.keys, first.values) {
                guard let other = second[try hashed(key)], try areEqual(value, other) else {
                    return false
                }
            }
            return true
        case (.range(let first), .range(let second)):
            return first.identity == second.identity
        case (.namespace(let first), .namespace(let second)): return first === second
        case (.macro(let first), .macro(let second)): return first === second
        case (.loop(let first), .loop(let second)): return first === second
        case (.iterator(let first), .iterator(let second)): return first === second
        case (.function(let first), .function(let second)): return first == second
        case (.view, .view), (.method, .method):
            throw .unsupported("comparisons of '\(left.typeName)'")
        default:
            if let first = left.integer, let second = right.integer { return first == second }
            guard let first = left.double, let second = right.double else { return false }
            return first == second
        }
    }

    private func areEqual(_ left: [Value], _ right: [Value]) throws(Fault) -> Bool {
        guard left.count == right.count else { return false }
        for (first, second) in zip(left, right) {
            guard try areEqual(first, second) else { return false }
        }
        return true
    }

    /// `item in container`.
    func contains(_ container: Value, _ item: Value) throws(Fault) -> Bool {
        switch container {
        case .string(let text), .markup(let text):
            let pattern: String
            switch item {
            case .string(let text), .markup(let text): pattern = text
            default:
                throw .failed(
                    "'in <string>' requires string as left operand, not \(item.typeName)")
            }
            try budget.spend(bytes: text.utf8.count + pattern.utf8.count)
            return PythonText.find(Array(pattern.utf8), in: Array(text.utf8)) != nil
        case .mapping(let mapping): return mapping[try hashed(item)] != nil
        case .list, .tuple, .range, .view, .iterator, .undefined:
            let next = try puller(container)
            while let value = try next() {
                if try areEqual(value, item) { return true }
            }
            return false
        default: throw .failed("argument of type '\(container.typeName)' is not iterable")
        }
    }

    private func isOrdered(
        _ left: Value, _ operation: Comparison, _ right: Value
    ) throws(Fault) -> Bool {
        try budget.spend()
        func holds<Ordered: Comparable>(_ first: Ordered, _ second: Ordered) -> Bool {
            switch operation {
            case .less: first < second
            case .lessOrEqual: first <= second
            case .greater: first > second
            default: first >= second
            }
        }
        switch (left, right) {
        case (.undefined(let missing), _), (_, .undefined(let missing)):
            throw missing.fault
        case (.string(let first), .string(let second)):
            try budget.spend(bytes: min(first.utf8.count, second.utf8.count))
            let order = PythonText.order(first, second)
            return holds(order, 0)
        case (.list(let first), .list(let second)), (.tuple(let first), .tuple(let second)):
            for (one, other) in zip(first.values, second.values) {
                if try areEqual(one, other) { continue }
                return try isOrdered(one, operation, other)
            }
            return holds(first.values.count, second.values.count)
        default: break
        }
        if let first = left.integer, let second = right.integer { return holds(first, second) }
        guard let first = left.double, let second = right.double else {
            throw .failed(
                "'\(operation.rawValue)' not supported between instances of "
                    + "'\(left.typeName)' and '\(right.typeName)'")
        }
        return holds(first, second)
    }
}
