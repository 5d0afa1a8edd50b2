extension Parser {
    static let constants: [String: Expression] = [
        "true": .bool(true), "True": .bool(true), "false": .bool(false), "False": .bool(false),
        "none": .none, "None": .none,
    ]

    var isTupleEnd: Bool {
        switch current.kind {
        case .variableEnd, .blockEnd, .symbol(")"): true
        default: false
        }
    }

    /// One expression, or a tuple of several with commas.
    mutating func tuple(
        withChoice: Bool = true, until end: String? = nil, inParentheses: Bool = false
    ) throws(Fault) -> Expression {
        var items: [Expression] = []
        var isTuple = false
        while !isTupleEnd {
            if let end, current.kind == .name(end) { break }
            items.append(try expression(withChoice: withChoice))
            guard accept(symbol: ",") else { break }
            isTuple = true
        }
        if !isTuple, let only = items.first { return only }
        guard isTuple || inParentheses else { throw unexpected("an expression") }
        return .tuple(items)
    }

    mutating func expression(withChoice: Bool = true) throws(Fault) -> Expression {
        try nested { parser throws(Fault) in
            withChoice ? try parser.choice() : try parser.disjunction()
        }
    }

    private mutating func choice() throws(Fault) -> Expression {
        var value = try disjunction()
        while current.kind == .name("if") {
            let line = current.line
            advance()
            try grow()
            let test = try disjunction()
            let otherwise = try accept(word: "else") ? expression() : nil
            value = .choice(if: test, then: value, else: otherwise, line: line)
        }
        return value
    }

    private mutating func disjunction() throws(Fault) -> Expression {
        var left = try conjunction()
        while accept(word: "or") {
            try grow()
            left = .or(left, try conjunction())
        }
        return left
    }

    private mutating func conjunction() throws(Fault) -> Expression {
        var left = try negation()
        while accept(word: "and") {
            try grow()
            left = .and(left, try negation())
        }
        return left
    }

    private mutating func negation() throws(Fault) -> Expression {
        guard accept(word: "not") else { return try comparison() }
        try grow()
        return .not(try nested { parser throws(Fault) in try parser.negation() })
    }

    private mutating func comparison() throws(Fault) -> Expression {
        let left = try sum()
        var comparisons: [(operation: Comparison, right: Expression)] = []
        while let operation = comparisonSign() {
            try grow()
            comparisons.append((operation, try sum()))
        }
        return comparisons.isEmpty ? left : .comparison(left, comparisons)
    }

    private mutating func comparisonSign() -> Comparison? {
        switch current.kind {
        case .symbol(let symbol):
            guard let operation = Comparison(rawValue: symbol) else { return nil }
            advance()
            return operation
        case .name("in"):
            advance()
            return .within
        case .name("not") where next.kind == .name("in"):
            advance()
            advance()
            return .notWithin
        default: return nil
        }
    }

    /// Operands with operators of one strength between them, from the left.
    private mutating func operations(
        _ operators: Set<Arithmetic>, _ operand: (inout Parser) throws(Fault) -> Expression
    ) throws(Fault) -> Expression {
        var left = try operand(&self)
        while case .symbol(let symbol) = current.kind, let sign = Arithmetic(rawValue: symbol),
            operators.contains(sign)
        {
            if sign == .modulo, case .string = left {
                throw .unsupported("'%' on strings", line: current.line)
            }
            advance()
            try grow()
            left = .arithmetic(left, sign, try operand(&self))
        }
        return left
    }

    private mutating func sum() throws(Fault) -> Expression {
        try operations([.add, .subtract]) { parser throws(Fault) in try parser.concatenation() }
    }

    private mutating func concatenation() throws(Fault) -> Expression {
        var operands = [try product()]
        while accept(symbol: "~") {
            try grow()
            operands.append(try product())
        }
        return operands.count == 1 ? operands[0] : .joined(operands)
    }

    private mutating func product() throws(Fault) -> Expression {
        try operations([.multiply, .divide, .floorDivide, .modulo]) { parser throws(Fault) in
            try parser.operations([.power]) { parser throws(Fault) in try parser.unary() }
        }
    }

    private mutating func unary(withFilters: Bool = true) throws(Fault) -> Expression {
        try grow()
        let sign = current.kind
        var value: Expression
        if sign == .symbol("-") || sign == .symbol("+") {
            advance()
            let operand = try nested { parser throws(Fault) in
                try parser.unary(withFilters: false)
            }
            value = sign == .symbol("-") ? .negative(operand) : .positive(operand)
        } else {
            value = try primary()
        }
        value = try postfix(value)
        return withFilters ? try filters(value) : value
    }

    /// The argument of a test that stands without parentheses.
    mutating func primaryForTest() throws(Fault) -> Expression {
        try postfix(try primary())
    }

    private mutating func primary() throws(Fault) -> Expression {
        let kind = current.kind
        let line = current.line
        switch kind {
        case .name(let name):
            advance()
            if let constant = Self.constants[name] { return constant }
            if enclosing.contains(.macro), ["varargs", "kwargs", "caller"].contains(name) {
                throw .unsupported("'\(name)' in macros", line: line)
            }
            return .name(name)
        case .string(var text):
            advance()
            while case .string(let more) = current.kind {
                text += more
                advance()
            }
            return .string(text)
        case .integer(let value):
            advance()
            return .integer(value)
        case .number(let value):
            advance()
            return .number(value)
        case .symbol("("):
            advance()
            let value = try tuple(inParentheses: true)
            try expect(symbol: ")")
            return value
        case .symbol("["): return .list(try list())
        case .symbol("{"): return .mapping(try mapping())
        default: throw unexpected("an expression")
        }
    }

    private mutating func list() throws(Fault) -> [Expression] {
        advance()
        var items: [Expression] = []
        while current.kind != .symbol("]") {
            items.append(try expression())
            if current.kind != .symbol("]") { try expect(symbol: ",") }
        }
        advance()
        return items
    }

    private mutating func mapping() throws(Fault) -> [(key: Expression, value: Expression)] {
        advance()
        var entries: [(key: Expression, value: Expression)] = []
        while current.kind != .symbol("}") {
            let key = try expression()
            try expect(symbol: ":")
            entries.append((key, try expression()))
            if current.kind != .symbol("}") { try expect(symbol: ",") }
        }
        advance()
        return entries
    }
}
