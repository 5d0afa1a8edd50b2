import Testing

@testable import DualChat

@Suite struct WhitespaceTests {
    /// What Jinja makes of these with `trim_blocks` and `lstrip_blocks`.
    @Test(
        "White space around tags goes as Jinja's signs and settings say",
        arguments: [
            ("a\n  {% if true %}\n  b\n  {% endif %}\nc\n", "a\n  b\nc"),
            ("a  {%- if true -%}  b  {%- endif -%}  c", "abc"),
            ("  {%+ if true %}\nx{% endif +%}\ny", "  x\ny"),
            ("x {{- 1 -}} y", "x1y"), ("  {{ 1 }}\n\n", "  1\n"),
            ("a\n  {# note #}\nb", "a\nb"), ("a {#- note -#} b", "ab"),
            ("a\r\nb\rc\r\n", "a\nb\nc"), ("x  {% if true %}y{% endif %}", "x  y"),
            ("\u{A0}{% if true %}y{% endif %}", "y"), ("{% if true %}\n\n{% endif %}z", "\nz"),
        ])
    func whiteSpaceFollowsJinja(source: String, expected: String) throws {
        #expect(try rendered(source) == expected)
    }
}
