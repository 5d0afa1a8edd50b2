extension String {
    /// A text of the user's as a message shows it: on one line, what would steer a terminal spelled out,
    /// and only its beginning where it is long.
    package func excerpt(_ limit: Int = 60) -> String {
        let isLong = unicodeScalars.dropFirst(limit).first != nil
        let shown = unicodeScalars.prefix(isLong ? limit - 3 : limit)
        return shown.map(\.visible).joined() + (isLong ? "..." : "")
    }
}

extension Unicode.Scalar {
    /// The character, or how Swift spells it where it ends a line, gives a command or turns the writing
    /// around.
    fileprivate var visible: String {
        switch properties.generalCategory {
        case .control, .lineSeparator, .paragraphSeparator: escaped(asASCII: true)
        default: properties.isBidiControl ? escaped(asASCII: true) : String(self)
        }
    }
}
