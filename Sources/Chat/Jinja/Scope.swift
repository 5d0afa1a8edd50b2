/// Variables, and those around them.
final class Scope {
    private var variables: [String: Value] = [:]
    private let outer: Scope?

    init(within outer: Scope?) { self.outer = outer }

    func find(_ name: String) -> Value? {
        var scope: Scope? = self
        while let here = scope {
            if let value = here.variables[name] { return value }
            scope = here.outer
        }
        return nil
    }

    func set(_ name: String, _ value: Value) { variables[name] = value }
}
