/// What a text of the E2E challenge has to say: attributes and their values, in order.
public struct MeaningRepresentation: Hashable, Sendable {
    public struct Slot: Hashable, Sendable {
        public let attribute: String
        public let value: String
    }

    public let slots: [Slot]

    /// Reads the challenge's form, such as `name[The Vaults], priceRange[£20-25]`; nil for any other.
    public init?(_ text: String) {
        var slots: [Slot] = []
        var tail = text[...]
        while true {
            tail = tail.drop(while: \.isWhitespace)
            guard let open = tail.firstIndex(of: "["), let close = tail.firstIndex(of: "]"),
                open < close
            else { return nil }
            let attribute = tail[..<open]
            guard attribute.contains(where: { !$0.isWhitespace }), !attribute.contains(",") else {
                return nil
            }
            slots.append(
                Slot(
                    attribute: String(attribute),
                    value: String(tail[tail.index(after: open)..<close])))
            tail = tail[tail.index(after: close)...].drop(while: \.isWhitespace)
            if tail.isEmpty { break }
            guard tail.first == "," else { return nil }
            tail = tail.dropFirst()
        }
        self.slots = slots
    }

    /// The names by which a model reads the challenge's attributes, where they are others.
    private static let spokenNames = [
        "eatType": "Type", "priceRange": "price", "familyFriendly": "family friendly",
    ]

    /// The meaning as a line of text: `name : The Vaults | Type : pub | price : £ 20 - 25`.
    ///
    /// Reference: the data of microsoft/LoRA (Hu et al. 2021, arXiv:2106.09685, section 5.4), which
    /// prefix tuning's (Li and Liang 2021, arXiv:2101.00190) is.
    public var linearized: String {
        slots.map { slot in
            let name = Self.spokenNames[slot.attribute] ?? slot.attribute
            return "\(name) : \(E2EText.spaced(slot.value))"
        }.joined(separator: " | ")
    }
}
