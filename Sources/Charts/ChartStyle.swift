/// The style sheet of a picture: what is drawn how, on a light ground and on a dark one.
enum ChartStyle {
    /// Colours are plain values, not variables, for renderers that know little of CSS.
    static let sheet = """

        text { font-family: system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
        .tick { font-size: 12px; }
        .label, .name { font-size: 13px; }
        .title { font-size: 17px; font-weight: 600; }
        .middle { text-anchor: middle; }
        .end { text-anchor: end; }
        path { fill: none; stroke: currentColor; stroke-linecap: round; stroke-linejoin: round; }
        .grid, .frame { stroke-width: 1; stroke-linecap: butt; }
        .line, .markedLine, .dashedLine { stroke-width: 2; }
        .dashedLine { stroke-dasharray: 4 4; }
        .faint { stroke-width: 1.1; opacity: 0.35; }
        circle { fill: currentColor; stroke-width: 1.5; }
        \(colors(\.light, paper: "#ffffff", ink: "#222222", soft: "#555555", grid: "#e4e4e4", frame: "#888888"))
        @media (prefers-color-scheme: dark) {
        \(colors(\.dark, paper: "#15181d", ink: "#eceff3", soft: "#aab1bb", grid: "#2b3038", frame: "#6f7782"))
        }

        """

    private static func colors(
        _ curve: (Palette.Ground) -> String, paper: String, ink: String, soft: String,
        grid: String, frame: String
    ) -> String {
        let curves = Palette.colors.enumerated().map { ".c\($0) { color: \(curve($1)); }" }
        return """
            .paper { fill: \(paper); }
            circle { stroke: \(paper); }
            .title, .label, .name { fill: \(ink); }
            .tick { fill: \(soft); }
            .grid { stroke: \(grid); }
            .frame { stroke: \(frame); }
            \(curves.joined(separator: "\n"))
            """
    }
}
