/// What goes wrong within a template; the file's name, and at run time the line, are added by those
/// who know them.
struct Fault: Error {
    enum Kind { case syntax, unsupported, undefined, raised, failed, limit }

    let kind: Kind
    let text: String
    var line: Int?
    /// What may stand in the place of what is not supported.
    var supported: String?

    static func syntax(_ text: String, line: Int) -> Fault {
        Fault(kind: .syntax, text: text, line: line)
    }

    static func unsupported(
        _ feature: String, line: Int? = nil, supported: String? = nil
    ) -> Fault {
        Fault(kind: .unsupported, text: feature, line: line, supported: supported)
    }

    static func failed(_ reason: String) -> Fault { Fault(kind: .failed, text: reason) }

    static func limit(_ reason: String) -> Fault { Fault(kind: .limit, text: reason) }

    func error(file: String, line current: Int) -> ChatTemplateError {
        let line = line ?? current
        return switch kind {
        case .syntax: .syntax(file: file, line: line, reason: text)
        case .unsupported:
            .unsupported(file: file, line: line, feature: text, supported: supported)
        case .undefined: .undefined(file: file, line: line, name: text)
        case .raised: .raised(file: file, line: line, message: text)
        case .failed: .failed(file: file, line: line, reason: text)
        case .limit: .limit(file: file, line: line, reason: text)
        }
    }
}
