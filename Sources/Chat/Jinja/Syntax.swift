/// An expression of a template.
indirect enum Expression: Sendable {
    case none
    case bool(Bool)
    case integer(Int)
    case number(Double)
    case string(String)
    case name(String)
    case attribute(Expression, String)
    case item(Expression, Expression)
    case slice(Expression, from: Expression?, to: Expression?, step: Expression?)
    case list([Expression])
    case tuple([Expression])
    case mapping([(key: Expression, value: Expression)])
    case negative(Expression)
    case positive(Expression)
    case arithmetic(Expression, Arithmetic, Expression)
    case joined([Expression])
    case comparison(Expression, [(operation: Comparison, right: Expression)])
    case and(Expression, Expression)
    case or(Expression, Expression)
    case not(Expression)
    case choice(if: Expression, then: Expression, else: Expression?, line: Int)
    case filter(Expression, Filter, Arguments)
    case test(Expression, Test, Arguments)
    case call(Expression, Arguments)
}

enum Arithmetic: String, Sendable {
    case add = "+"
    case subtract = "-"
    case multiply = "*"
    case divide = "/"
    case floorDivide = "//"
    case modulo = "%"
    case power = "**"
}

enum Comparison: String, Sendable {
    case equal = "=="
    case unequal = "!="
    case less = "<"
    case lessOrEqual = "<="
    case greater = ">"
    case greaterOrEqual = ">="
    case within = "in"
    case notWithin = "not in"
}

/// What stands in the parentheses of a call.
struct Arguments: Sendable {
    var positional: [Expression] = []
    var named: [(name: String, value: Expression)] = []
}

/// What a value is assigned to.
indirect enum Target: Sendable {
    case name(String)
    case attribute(of: String, String)
    case tuple([Target])
}

/// A statement of a template, or text between statements.
struct Statement: Sendable {
    indirect enum Kind: Sendable {
        case text(String)
        case output(Expression)
        case loop(Loop)
        case branches([(test: Expression, body: [Statement])], otherwise: [Statement])
        case set(Target, Expression)
        case setBlock(Target, [Statement])
        case macro(MacroDefinition)
        case generation([Statement])
        case stop
        case skip
    }

    let kind: Kind
    let line: Int
}

struct Loop: Sendable {
    let target: Target
    let sequence: Expression
    let condition: Expression?
    let body: [Statement]
    let otherwise: [Statement]
}

struct MacroDefinition: Sendable {
    let name: String
    let parameters: [(name: String, fallback: Expression?)]
    let body: [Statement]
}

/// A template, parsed and checked.
struct Syntax: Sendable {
    let statements: [Statement]
    /// Whether it says what the assistant generates.
    let marksGeneration: Bool
}
