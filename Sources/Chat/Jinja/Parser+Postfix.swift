extension Parser {
    /// What follows a value: attributes, subscripts and calls.
    mutating func postfix(_ value: Expression) throws(Fault) -> Expression {
        var value = value
        while true {
            switch current.kind {
            case .symbol("."): value = try attribute(of: value)
            case .symbol("["): value = try subscripted(value)
            case .symbol("("): value = try call(value)
            default: return value
            }
            try grow()
        }
    }

    /// Filters and tests behind a value.
    mutating func filters(_ value: Expression) throws(Fault) -> Expression {
        var value = value
        while true {
            switch current.kind {
            case .symbol("|"): value = try filtered(value)
            case .name("is"): value = try tested(value)
            case .symbol("("): value = try call(value)
            default: return value
            }
            try grow()
        }
    }

    private mutating func attribute(of value: Expression) throws(Fault) -> Expression {
        let line = current.line
        advance()
        if case .integer(let index) = current.kind {
            advance()
            return .item(value, .integer(index))
        }
        let name = try expectName()
        if name.hasPrefix("__") {
            throw .unsupported("the attribute '\(name)'", line: line)
        }
        if case .name("loop") = value, LoopField(rawValue: name) == nil {
            throw .unsupported("'loop.\(name)'", line: line, supported: LoopField.listed)
        }
        return .attribute(value, name)
    }

    private mutating func subscripted(_ value: Expression) throws(Fault) -> Expression {
        advance()
        var from: Expression?
        if current.kind != .symbol(":") {
            let line = current.line
            from = try expression()
            if current.kind == .symbol(",") {
                throw .unsupported("subscripts with commas", line: line)
            }
            if accept(symbol: "]"), let from { return .item(value, from) }
        }
        try expect(symbol: ":")
        let to = try sliceBound()
        let step = accept(symbol: ":") ? try sliceBound() : nil
        try expect(symbol: "]")
        return .slice(value, from: from, to: to, step: step)
    }

    private mutating func sliceBound() throws(Fault) -> Expression? {
        switch current.kind {
        case .symbol(":"), .symbol("]"): nil
        default: try expression()
        }
    }

    private mutating func call(_ callee: Expression) throws(Fault) -> Expression {
        let line = current.line
        switch callee {
        case .name(let name): called.append((name, line))
        case .attribute(_, let name):
            guard Method(rawValue: name) != nil else {
                throw .unsupported(
                    "the method '\(name)'", line: line, supported: Method.listed)
            }
        default: throw .unsupported("a call of what is no name", line: line)
        }
        return .call(callee, try arguments())
    }

    private mutating func arguments() throws(Fault) -> Arguments {
        try expect(symbol: "(")
        var arguments = Arguments()
        while current.kind != .symbol(")") {
            let line = current.line
            if current.kind == .symbol("*") || current.kind == .symbol("**") {
                throw .unsupported("arguments with '*'", line: line)
            }
            if case .name(let name) = current.kind, next.kind == .symbol("=") {
                advance()
                advance()
                if arguments.named.contains(where: { $0.name == name }) {
                    throw .syntax("the argument '\(name)' is given twice", line: line)
                }
                arguments.named.append((name, try expression()))
            } else {
                guard arguments.named.isEmpty else {
                    throw .syntax("an argument without a name behind one with a name", line: line)
                }
                arguments.positional.append(try expression())
            }
            if current.kind != .symbol(")") { try expect(symbol: ",") }
        }
        advance()
        return arguments
    }

    /// The name of a filter or test, which Jinja lets have points in it.
    private mutating func dottedName() throws(Fault) -> String {
        var name = try expectName()
        while accept(symbol: ".") { name += "." + (try expectName()) }
        return name
    }

    private mutating func filtered(_ value: Expression) throws(Fault) -> Expression {
        advance()
        let line = current.line
        let name = try dottedName()
        guard let filter = Filter(rawValue: name) else {
            throw .unsupported("the filter '\(name)'", line: line, supported: Filter.listed)
        }
        let arguments = current.kind == .symbol("(") ? try arguments() : Arguments()
        try check(filter, arguments, line)
        return .filter(value, filter, arguments)
    }

    /// The filters and tests that some filters are told by name.
    private func check(
        _ filter: Filter, _ arguments: Arguments, _ line: Int
    ) throws(Fault) {
        switch filter {
        case .map:
            if case .string(let name)? = arguments.positional.first, Filter(rawValue: name) == nil {
                throw .unsupported("the filter '\(name)' in 'map'", line: line)
            }
        case .select, .reject, .selectattr, .rejectattr:
            let index = filter == .select || filter == .reject ? 0 : 1
            guard arguments.positional.indices.contains(index) else { return }
            if case .string(let name) = arguments.positional[index], Test(named: name) == nil {
                throw .unsupported("the test '\(name)' in '\(filter.rawValue)'", line: line)
            }
        default: break
        }
    }

    private mutating func tested(_ value: Expression) throws(Fault) -> Expression {
        advance()
        let negated = accept(word: "not")
        let line = current.line
        let name = try dottedName()
        guard let test = Test(rawValue: name) else {
            throw .unsupported("the test '\(name)'", line: line, supported: Test.listed)
        }
        let result = Expression.test(value, test, try testArguments())
        return negated ? .not(result) : result
    }

    private mutating func testArguments() throws(Fault) -> Arguments {
        switch current.kind {
        case .symbol("("): return try arguments()
        case .name("is"):
            throw .syntax("tests with 'is' cannot be chained", line: current.line)
        case .name("else"), .name("or"), .name("and"): return Arguments()
        case .name, .string, .integer, .number, .symbol("["), .symbol("{"):
            let value = try nested { parser throws(Fault) in try parser.primaryForTest() }
            return Arguments(positional: [value])
        default: return Arguments()
        }
    }
}

extension Test {
    /// By its name, or by the sign that filters such as `selectattr` may be given.
    init?(named name: String) {
        switch name {
        case "==": self = .eq
        case "!=": self = .ne
        case "<": self = .lt
        case "<=": self = .le
        case ">": self = .gt
        case ">=": self = .ge
        default: self.init(rawValue: name)
        }
    }
}
