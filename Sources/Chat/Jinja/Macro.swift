/// A macro, with the variables where it stands.
final class Macro {
    let definition: MacroDefinition
    /// Taken away when the template is done, for the variables hold the macro.
    var scope: Scope?

    init(_ definition: MacroDefinition, _ scope: Scope) {
        self.definition = definition
        self.scope = scope
    }
}
