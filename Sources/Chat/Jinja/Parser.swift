/// Reads tokens as statements, as Jinja's parser does, and refuses what chat templates do not use.
struct Parser {
    private let tokens: [Token]
    private var position = 0
    /// Expressions and statements that are being read, one within the other.
    private var depth = 0
    /// Expressions of the tag that is being read.
    var size = 0
    /// Names that the template gives to values, macros among them.
    var assigned: Set<String> = []
    /// Names that are called, and where.
    var called: [(name: String, line: Int)] = []
    /// The constructs around the statement that is being read.
    var enclosing: [Enclosing] = []
    private(set) var marksGeneration = false

    enum Enclosing { case loop, macro, generation, setBlock }

    /// Beyond any use; what is deeper, or larger, is made to exhaust the reader.
    private static let maximumDepth = 100
    private static let maximumSize = 5000
    static let maximumSource = 1 << 20

    private init(_ tokens: [Token]) { self.tokens = tokens }

    static func parse(_ source: String) throws(Fault) -> Syntax {
        guard source.utf8.count <= maximumSource else {
            throw Fault(kind: .limit, text: "the template is larger than 1 MiB", line: 1)
        }
        var parser = Parser(try Lexer.tokens(of: source))
        let statements = try parser.statements(until: [])
        try parser.checkCalls()
        return Syntax(statements: statements, marksGeneration: parser.marksGeneration)
    }

    /// A function that the template does not define is one that every template has.
    private func checkCalls() throws(Fault) {
        for (name, line) in called
        where Function(rawValue: name) == nil && !assigned.contains(name) {
            throw .unsupported(
                "the function '\(name)'", line: line, supported: Function.listed)
        }
    }

    // MARK: Tokens

    var current: Token { tokens[position] }
    var next: Token { tokens[min(position + 1, tokens.count - 1)] }

    mutating func advance() {
        if position < tokens.count - 1 { position += 1 }
    }

    func unexpected(_ expected: String) -> Fault {
        .syntax("found \(current.kind.shown), expected \(expected)", line: current.line)
    }

    mutating func accept(symbol: String) -> Bool {
        guard current.kind == .symbol(symbol) else { return false }
        advance()
        return true
    }

    mutating func accept(word: String) -> Bool {
        guard current.kind == .name(word) else { return false }
        advance()
        return true
    }

    mutating func expect(symbol: String) throws(Fault) {
        if !accept(symbol: symbol) { throw unexpected("'\(symbol)'") }
    }

    mutating func expect(word: String) throws(Fault) {
        if !accept(word: word) { throw unexpected("'\(word)'") }
    }

    mutating func expectName() throws(Fault) -> String {
        guard case .name(let name) = current.kind else { throw unexpected("a name") }
        advance()
        return name
    }

    /// Reads something that may contain its like.
    mutating func nested<Result>(
        _ read: (inout Parser) throws(Fault) -> Result
    ) throws(Fault) -> Result {
        guard depth < Self.maximumDepth else {
            throw Fault(
                kind: .limit, text: "the template nests more than \(Self.maximumDepth) deep",
                line: current.line)
        }
        depth += 1
        defer { depth -= 1 }
        return try read(&self)
    }

    /// Counts an expression of the tag.
    mutating func grow() throws(Fault) {
        size += 1
        guard size <= Self.maximumSize else {
            throw Fault(
                kind: .limit, text: "the tag has more than \(Self.maximumSize) expressions",
                line: current.line)
        }
    }

    // MARK: Statements

    /// Statements up to one of the tags that end them, which is left to be read.
    mutating func statements(until ends: [String]) throws(Fault) -> [Statement] {
        var body: [Statement] = []
        while true {
            let line = current.line
            switch current.kind {
            case .data(let text): body.append(Statement(kind: .text(text), line: line))
            case .variableBegin:
                advance()
                size = 0
                let value = try tuple()
                guard current.kind == .variableEnd else { throw unexpected("'}}'") }
                body.append(Statement(kind: .output(value), line: line))
            case .blockBegin:
                advance()
                size = 0
                if case .name(let name) = current.kind, ends.contains(name) { return body }
                body.append(try nested { parser throws(Fault) in try parser.statement() })
                guard current.kind == .blockEnd else { throw unexpected("'%}'") }
            default:
                if ends.isEmpty, current.kind == .end { return body }
                throw unexpected(
                    ends.map { "'{% \($0) %}'" }.joined(separator: " or "))
            }
            advance()
        }
    }

    /// The body of a statement: from the end of its tag to one of the tags that end it.
    private mutating func body(
        _ kind: Enclosing? = nil, until ends: String...
    ) throws(Fault) -> [Statement] {
        _ = accept(symbol: ":")
        guard current.kind == .blockEnd else { throw unexpected("'%}'") }
        advance()
        if let kind { enclosing.append(kind) }
        defer { if kind != nil { enclosing.removeLast() } }
        return try statements(until: ends)
    }

    private mutating func statement() throws(Fault) -> Statement {
        let line = current.line
        let name = try expectName()
        let kind: Statement.Kind =
            switch name {
            case "for": try loop()
            case "if": try branches()
            case "set": try set()
            case "macro": try macro()
            case "generation": try generation(line)
            case "break", "continue": try jump(name, line)
            case "endfor", "endif", "else", "elif", "endset", "endmacro", "endgeneration":
                throw .syntax("'{% \(name) %}' has nothing to end here", line: line)
            default: throw .unsupported("the statement '{% \(name) %}'", line: line)
            }
        return Statement(kind: kind, line: line)
    }

    private mutating func jump(_ name: String, _ line: Int) throws(Fault) -> Statement.Kind {
        guard enclosing.last == .loop else {
            throw .syntax("'{% \(name) %}' is not within a loop", line: line)
        }
        return name == "break" ? .stop : .skip
    }

    private mutating func loop() throws(Fault) -> Statement.Kind {
        let target = try target(until: "in")
        try expect(word: "in")
        let sequence = try tuple(withChoice: false, until: "recursive")
        let condition = try accept(word: "if") ? expression() : nil
        if current.kind == .name("recursive") {
            throw .unsupported("'recursive' loops", line: current.line)
        }
        let body = try body(.loop, until: "endfor", "else")
        let otherwise = try accept(word: "else") ? self.body(until: "endfor") : []
        try expect(word: "endfor")
        return .loop(
            Loop(
                target: target, sequence: sequence, condition: condition, body: body,
                otherwise: otherwise))
    }

    private mutating func branches() throws(Fault) -> Statement.Kind {
        var branches: [(test: Expression, body: [Statement])] = []
        repeat {
            size = 0
            let test = try tuple(withChoice: false)
            branches.append((test, try body(until: "elif", "else", "endif")))
        } while accept(word: "elif")
        let otherwise = try accept(word: "else") ? body(until: "endif") : []
        try expect(word: "endif")
        return .branches(branches, otherwise: otherwise)
    }

    private mutating func set() throws(Fault) -> Statement.Kind {
        let target = try target(withAttributes: true)
        if accept(symbol: "=") { return .set(target, try tuple()) }
        if current.kind == .symbol("|") {
            throw .unsupported("filters of '{% set %}' blocks", line: current.line)
        }
        let body = try body(.setBlock, until: "endset")
        try expect(word: "endset")
        return .setBlock(target, body)
    }

    private mutating func generation(_ line: Int) throws(Fault) -> Statement.Kind {
        guard enclosing.allSatisfy({ $0 == .loop }) else {
            throw .unsupported("'{% generation %}' within another block", line: line)
        }
        marksGeneration = true
        let body = try body(.generation, until: "endgeneration")
        try expect(word: "endgeneration")
        return .generation(body)
    }

    private mutating func macro() throws(Fault) -> Statement.Kind {
        let name = try expectName()
        assigned.insert(name)
        try expect(symbol: "(")
        var parameters: [(name: String, fallback: Expression?)] = []
        while current.kind != .symbol(")") {
            if !parameters.isEmpty { try expect(symbol: ",") }
            let line = current.line
            let parameter = try expectName()
            let fallback = try accept(symbol: "=") ? expression() : nil
            if fallback == nil, parameters.last?.fallback != nil {
                throw .syntax("'\(parameter)' needs a default as those before it", line: line)
            }
            assigned.insert(parameter)
            parameters.append((parameter, fallback))
        }
        try expect(symbol: ")")
        let body = try body(.macro, until: "endmacro")
        try expect(word: "endmacro")
        return .macro(MacroDefinition(name: name, parameters: parameters, body: body))
    }

    // MARK: Targets

    /// One name to assign to, or several with commas.
    private mutating func target(
        withAttributes: Bool = false, until end: String? = nil
    ) throws(Fault) -> Target {
        var targets: [Target] = []
        var isTuple = false
        while true {
            if case .name(let name) = current.kind, name == end { break }
            guard !targets.isEmpty || current.kind != .symbol("=") else { break }
            if isTuple, isTupleEnd || current.kind == .symbol("=") { break }
            targets.append(try targetPart(withAttributes))
            guard accept(symbol: ",") else { break }
            isTuple = true
        }
        guard let first = targets.first else { throw unexpected("a name to assign to") }
        return isTuple ? .tuple(targets) : first
    }

    private mutating func targetPart(_ withAttributes: Bool) throws(Fault) -> Target {
        if accept(symbol: "(") {
            let inner = try nested { parser throws(Fault) in
                try parser.target(withAttributes: withAttributes)
            }
            try expect(symbol: ")")
            return inner
        }
        let line = current.line
        let name = try expectName()
        guard Self.constants[name] == nil else {
            throw .syntax("'\(name)' cannot be assigned to", line: line)
        }
        if withAttributes, accept(symbol: ".") {
            let attribute = try expectName()
            guard !attribute.hasPrefix("_") else {
                throw .unsupported("attributes that begin with '_'", line: line)
            }
            return .attribute(of: name, attribute)
        }
        guard name != "loop" else {
            throw .unsupported("a variable of their own named 'loop'", line: line)
        }
        assigned.insert(name)
        return .name(name)
    }
}
