import Foundation

/// Runs a template's statements.
final class Renderer {
    let budget = Budget()
    let now: Date
    private let context: [String: Value]
    /// The text made so far; that of the innermost block that keeps its text to itself.
    private(set) var output = ""
    private(set) var generated: [Range<Int>] = []
    /// The line of the statement that runs.
    private(set) var line = 1
    // What can hold itself, to be let go at the end.
    private var macros: [Macro] = []
    private var namespaces: [Namespace] = []

    /// How a statement ends.
    private enum Flow { case on, stop, skip }

    init(_ context: [String: Value], now: Date) {
        self.context = context
        self.now = now
    }

    func render(_ syntax: Syntax) throws(Fault) {
        defer { letGo() }
        _ = try run(syntax.statements, Scope(within: nil))
    }

    /// Values that hold one another, or long chains of them, are taken apart one by one.
    private func letGo() {
        for macro in macros { macro.scope = nil }
        for namespace in namespaces { namespace.attributes = [:] }
    }

    func makeNamespace(_ attributes: [(String, Value)]) -> Value {
        let namespace = Namespace()
        for (name, value) in attributes { namespace.attributes[name] = value }
        namespaces.append(namespace)
        return .namespace(namespace)
    }

    func lookUp(_ name: String, _ scope: Scope) -> Value {
        if let value = scope.find(name) ?? context[name] { return value }
        if let function = Function(rawValue: name) { return .function(function) }
        return .undefined(Missing(reason: "'\(name)' is undefined", name: name))
    }

    private func run(_ statements: [Statement], _ scope: Scope) throws(Fault) -> Flow {
        try budget.enter()
        defer { budget.leave() }
        for statement in statements {
            line = statement.line
            try budget.spend()
            let flow = try run(statement, scope)
            if flow != .on { return flow }
        }
        return .on
    }

    private func run(_ statement: Statement, _ scope: Scope) throws(Fault) -> Flow {
        switch statement.kind {
        case .text(let text): try write(text)
        case .output(let expression): try write(printed(evaluate(expression, scope)))
        case .loop(let loop): try run(loop, scope)
        case .branches(let branches, let otherwise):
            for (test, body) in branches where try evaluate(test, scope).isTrue {
                return try run(body, scope)
            }
            return try run(otherwise, scope)
        case .set(let target, let expression):
            try assign(evaluate(expression, scope), to: target, scope)
        case .setBlock(let target, let body):
            let text = try captured { () throws(Fault) in
                _ = try run(body, Scope(within: scope))
            }
            try assign(.string(text), to: target, scope)
        case .macro(let definition):
            let macro = Macro(definition, scope)
            macros.append(macro)
            scope.set(definition.name, .macro(macro))
        case .generation(let body):
            let start = output.utf8.count
            _ = try run(body, Scope(within: scope))
            generated.append(start..<output.utf8.count)
        case .stop: return .stop
        case .skip: return .skip
        }
        return .on
    }

    private func write(_ text: String) throws(Fault) {
        output += text
        try budget.spend(bytes: text.utf8.count)
        guard output.utf8.count <= Budget.maximumText else {
            throw .limit("the text is longer than \(Budget.maximumText >> 20) MiB")
        }
    }

    /// The text that is written meanwhile, which does not reach the output.
    private func captured(_ body: () throws(Fault) -> Void) throws(Fault) -> String {
        let outer = output
        output = ""
        defer { output = outer }
        try body()
        return output
    }

    private func run(_ loop: Loop, _ scope: Scope) throws(Fault) {
        let source = try evaluate(loop.sequence, scope)
        let state = try loopState(loop, source, scope)
        // As in Jinja's compiled loops: only a body that runs to its end keeps 'else' from running.
        var isDone = false
        while let item = try state.next() {
            try budget.spend()
            let inner = Scope(within: scope)
            try assign(item, to: loop.target, inner)
            inner.set("loop", .loop(state))
            let flow = try run(loop.body, inner)
            if flow == .stop { break }
            if flow == .on { isDone = true }
        }
        if !isDone { _ = try run(loop.otherwise, Scope(within: scope)) }
    }

    private func loopState(
        _ loop: Loop, _ source: Value, _ scope: Scope
    ) throws(Fault) -> LoopState {
        let pull = try puller(source)
        guard let condition = loop.condition else {
            return LoopState(length: try? length(of: source), depth0: 0, pull)
        }
        return LoopState(length: nil, depth0: 0) { [self] () throws(Fault) in
            while let item = try pull() {
                let inner = Scope(within: scope)
                try assign(item, to: loop.target, inner)
                if try evaluate(condition, inner).isTrue { return item }
            }
            return nil
        }
    }

    private func assign(_ value: Value, to target: Target, _ scope: Scope) throws(Fault) {
        switch target {
        case .name(let name): scope.set(name, value)
        case .attribute(let name, let attribute):
            guard case .namespace(let namespace) = lookUp(name, scope) else {
                throw .failed("'\(name)' is no namespace, so '\(name).\(attribute)' cannot be set")
            }
            namespace.attributes[attribute] = value
        case .tuple(let targets):
            let values = try items(of: value)
            guard values.count == targets.count else {
                throw .failed(
                    "\(values.count) values cannot be assigned to \(targets.count) names")
            }
            for (target, value) in zip(targets, values) { try assign(value, to: target, scope) }
        }
    }

    /// The text that a macro makes.
    func call(
        _ macro: Macro, _ positional: [Value], _ named: [(name: String, value: Value)]
    ) throws(Fault) -> Value {
        let definition = macro.definition
        guard positional.count <= definition.parameters.count else {
            throw .failed(
                "the macro '\(definition.name)' takes at most \(definition.parameters.count) "
                    + "arguments, not \(positional.count)")
        }
        var given = Dictionary(named.map { ($0.name, $0.value) }) { first, _ in first }
        let scope = Scope(within: macro.scope)
        for (index, parameter) in definition.parameters.enumerated() {
            let value: Value
            if index < positional.count {
                value = positional[index]
            } else if let argument = given.removeValue(forKey: parameter.name) {
                value = argument
            } else if let fallback = parameter.fallback {
                value = try evaluate(fallback, scope)
            } else {
                value = .undefined("parameter '\(parameter.name)' was not provided")
            }
            scope.set(parameter.name, value)
        }
        if let stranger = named.first(where: { given[$0.name] != nil }) {
            throw .failed("the macro '\(definition.name)' has no argument '\(stranger.name)'")
        }
        let caller = line
        defer { line = caller }
        return .string(
            try captured { () throws(Fault) in _ = try run(definition.body, scope) })
    }
}
