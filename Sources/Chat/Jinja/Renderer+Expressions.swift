extension Renderer {
    func evaluate(_ expression: Expression, _ scope: Scope) throws(Fault) -> Value {
        try budget.enter()
        try budget.spend()
        defer { budget.leave() }
        switch expression {
        case .none: return .none
        case .bool(let value): return .bool(value)
        case .integer(let value): return .integer(value)
        case .number(let value): return .number(value)
        case .string(let value): return .string(value)
        case .name(let name): return lookUp(name, scope)
        case .list, .tuple, .mapping: return try collection(expression, scope)
        case .and, .or, .not, .choice, .comparison: return try decision(expression, scope)
        case .negative, .positive, .arithmetic, .joined: return try number(expression, scope)
        default: return try access(expression, scope)
        }
    }

    private func evaluate(
        _ expressions: [Expression], _ scope: Scope
    ) throws(Fault) -> [Value] {
        try expressions.map { expression throws(Fault) in try evaluate(expression, scope) }
    }

    private func collection(_ expression: Expression, _ scope: Scope) throws(Fault) -> Value {
        switch expression {
        case .list(let items): return .list(try Items(evaluate(items, scope)))
        case .tuple(let items): return .tuple(try Items(evaluate(items, scope)))
        case .mapping(let entries):
            let mapping = Mapping()
            for (key, value) in entries {
                let key = try evaluate(key, scope)
                try mapping.set(key, evaluate(value, scope))
            }
            return .mapping(mapping)
        default: return .none
        }
    }

    /// What depends on truth values.
    private func decision(_ expression: Expression, _ scope: Scope) throws(Fault) -> Value {
        switch expression {
        case .and(let left, let right):
            let value = try evaluate(left, scope)
            return value.isTrue ? try evaluate(right, scope) : value
        case .or(let left, let right):
            let value = try evaluate(left, scope)
            return value.isTrue ? value : try evaluate(right, scope)
        case .not(let operand): return .bool(!(try evaluate(operand, scope).isTrue))
        case .choice(let test, let value, let otherwise, let line):
            if try evaluate(test, scope).isTrue { return try evaluate(value, scope) }
            if let otherwise { return try evaluate(otherwise, scope) }
            return .undefined(
                "the 'if' without 'else' on line \(line) is false, so it has no value")
        case .comparison(let first, let comparisons):
            var left = try evaluate(first, scope)
            for (operation, operand) in comparisons {
                let right = try evaluate(operand, scope)
                guard try compare(left, operation, right) else { return .bool(false) }
                left = right
            }
            return .bool(true)
        default: return .none
        }
    }

    private func number(_ expression: Expression, _ scope: Scope) throws(Fault) -> Value {
        switch expression {
        case .negative(let operand): return try signed(evaluate(operand, scope), "-")
        case .positive(let operand): return try signed(evaluate(operand, scope), "+")
        case .arithmetic(let left, let operation, let right):
            let first = try evaluate(left, scope)
            return try calculate(first, operation, evaluate(right, scope))
        case .joined(let operands):
            let values = try evaluate(operands, scope)
            var text = ""
            for value in values { text += try printed(value) }
            try budget.spend(bytes: text.utf8.count)
            return .string(text)
        default: return .none
        }
    }

    private func access(_ expression: Expression, _ scope: Scope) throws(Fault) -> Value {
        switch expression {
        case .attribute(let operand, let name):
            return try attribute(name, of: evaluate(operand, scope))
        case .item(let operand, let key):
            let value = try evaluate(operand, scope)
            return try item(evaluate(key, scope), of: value)
        case .slice(let operand, let from, let to, let step):
            let value = try evaluate(operand, scope)
            let bounds = [from, to, step].map { $0 ?? Expression.none }
            return try slice(value, evaluate(bounds, scope))
        case .filter(let operand, let filter, let arguments):
            let value = try evaluate(operand, scope)
            return try apply(filter, to: value, given(arguments, scope))
        case .test(let operand, let test, let arguments):
            let value = try evaluate(operand, scope)
            return .bool(try holds(test, of: value, given(arguments, scope)))
        case .call(let callee, let arguments):
            let called = try evaluate(callee, scope)
            return try call(called, given(arguments, scope))
        default: return .none
        }
    }

    private func given(_ arguments: Arguments, _ scope: Scope) throws(Fault) -> Given {
        let positional = try evaluate(arguments.positional, scope)
        let named = try evaluate(arguments.named.map(\.value), scope)
        return Given(
            positional: positional,
            named: zip(arguments.named, named).map { (name: $0.name, value: $1) })
    }

    private func call(_ callee: Value, _ given: Given) throws(Fault) -> Value {
        switch callee {
        case .macro(let macro): return try call(macro, given.positional, given.named)
        case .function(let function): return try call(function, given)
        case .method(let method): return try call(method, given)
        case .undefined(let missing): throw missing.fault
        default: throw .failed("'\(callee.typeName)' object is not callable")
        }
    }
}
