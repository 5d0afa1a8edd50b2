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
