import Foundation

#if canImport(FoundationXML)
    import FoundationXML
#endif

/// The elements of an SVG picture, as an XML parser reads them.
final class Picture: NSObject, XMLParserDelegate {
    struct Element: Equatable {
        var name: String
        var attributes: [String: String]
        var text = ""
        /// The classes of the elements that it stands in.
        var outerClasses: [String]

        var kind: String { attributes["class"] ?? "" }

        func number(_ attribute: String) -> Double? { attributes[attribute].flatMap(Double.init) }
    }

    private(set) var elements: [Element] = []
    private(set) var isWellFormed = false
    private var open: [Int] = []

    init(_ svg: String) {
        super.init()
        let parser = XMLParser(data: Data(svg.utf8))
        parser.delegate = self
        isWellFormed = parser.parse()
    }

    var texts: [String] { elements.filter { $0.name == "text" }.map(\.text) }

    /// The elements of a class, such as `line`, that have the colour of a series.
    func elements(_ kind: String, color: String) -> [Element] {
        elements.filter { $0.kind == kind && $0.outerClasses.contains(color) }
    }

    func parser(
        _ parser: XMLParser, didStartElement name: String, namespaceURI: String?,
        qualifiedName: String?, attributes: [String: String]
    ) {
        let outer = open.map { elements[$0].kind }
        open.append(elements.count)
        elements.append(Element(name: name, attributes: attributes, outerClasses: outer))
    }

    func parser(_ parser: XMLParser, foundCharacters text: String) {
        if let index = open.last { elements[index].text += text }
    }

    func parser(
        _ parser: XMLParser, didEndElement name: String, namespaceURI: String?,
        qualifiedName: String?
    ) {
        open.removeLast()
    }
}
