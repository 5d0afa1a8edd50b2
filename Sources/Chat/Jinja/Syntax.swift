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
