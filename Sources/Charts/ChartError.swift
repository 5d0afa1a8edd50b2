/// A picture that cannot be drawn.
public enum ChartError: Error, Equatable, CustomStringConvertible {
    case size(width: Int, height: Int)
    case noPanels

    public var description: String {
        switch self {
        case .size(let width, let height):
            "a chart of \(width) x \(height) pixels cannot be drawn; "
                + "each panel needs at least 240 x 180, and no side may exceed 8192."
        case .noPanels:
            "a picture of no charts cannot be drawn; give it at least one."
        }
    }

    static func check(width: Int, height: Int, panels: Int = 1) throws(ChartError) {
        let sides = 1...8192
        guard sides.contains(width), sides.contains(height), width / panels >= 240, height >= 180
        else { throw .size(width: width, height: height) }
    }
}
