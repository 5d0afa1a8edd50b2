/// Writes elements of SVG; every text and attribute is escaped.
struct SVGWriter {
    private(set) var document = ""

    mutating func element(_ name: String, _ attributes: [(name: String, value: String)]) {
        open(name, attributes)
        document += "/>\n"
    }

    /// An element with what `content` writes in it.
    mutating func element(
        _ name: String, _ attributes: [(name: String, value: String)],
        content: (inout SVGWriter) -> Void
    ) {
        open(name, attributes)
        document += ">\n"
        content(&self)
        document += "</\(name)>\n"
    }

    /// An element that holds a text alone; none for an empty text.
    mutating func text(
        _ name: String, _ text: String, _ attributes: [(name: String, value: String)] = []
    ) {
        guard !text.isEmpty else { return }
        open(name, attributes)
        document += ">\(Self.escaped(text))</\(name)>\n"
    }

    /// A coordinate, to a hundredth.
    func number(_ value: Double) -> String {
        let rounded = (value * 100).rounded() / 100
        return rounded == rounded.rounded() ? "\(Int(rounded))" : "\(rounded)"
    }

    func point(_ x: Double, _ y: Double) -> String { "\(number(x)) \(number(y))" }

    private mutating func open(_ name: String, _ attributes: [(name: String, value: String)]) {
        document += "<\(name)"
        for (name, value) in attributes { document += " \(name)=\"\(Self.escaped(value))\"" }
    }

    /// A text as XML 1.0 spells it. Characters that it cannot hold become U+FFFD.
    private static func escaped(_ text: String) -> String {
        var escaped = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "\"": escaped += "&quot;"
            case "\t", "\n", "\r": escaped.unicodeScalars.append(scalar)
            case "\0"..." ", "\u{FFFE}", "\u{FFFF}":
                escaped.unicodeScalars.append(scalar == " " ? " " : "\u{FFFD}")
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }
}
