/// A colour for each name, as the class of an SVG element.
///
/// There are seven; an eighth name has the first one's colour again.
struct Palette: Sendable {
    /// The colours of Okabe and Ito (2008), told apart by colour-blind readers, on a light ground,
    /// and brighter ones of the same hues on a dark ground.
    typealias Ground = (light: String, dark: String)

    static let colors: [Ground] = [
        ("#0072b2", "#4da6e3"), ("#d55e00", "#f58a42"), ("#009e73", "#2fc79c"),
        ("#cc79a7", "#e0a0c4"), ("#e69f00", "#f2bd4a"), ("#56b4e9", "#93d4f7"),
        ("#444444", "#bdbdbd"),
    ]

    private var slots: [String: Int] = [:]

    init(names: [String]) {
        for name in names where slots[name] == nil { slots[name] = slots.count }
    }

    /// The class that gives an element the colour of a series.
    func colorClass(of name: String) -> String {
        "c\((slots[name] ?? 0) % Self.colors.count)"
    }
}
