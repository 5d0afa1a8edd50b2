import DualChat
import DualDatasets

/// The keys of rows that nothing is made of, and how many rows have them.
struct UnusedKeys {
    private enum Place: Hashable {
        case row(String)
        case message(String)
    }

    private var counts: [Place: Int] = [:]
    /// In the order in which they came.
    private var places: [Place] = []

    private static let shown = 8

    /// Counts the keys of a row, and those of its messages that the template never names.
    mutating func add(_ example: InstructionFiles.PlacedExample, for template: ChatTemplate) {
        for key in example.unusedKeys { add(.row(key)) }
        guard case .conversation(let turns, let variables) = example.example else { return }
        var seen: Set<String> = []
        for turn in turns {
            for field in turn.message.fields
            where !Self.readKeys.contains(field.key) && !Self.isEmpty(field.value)
                && !seen.contains(field.key) && !template.writes(field.key)
            {
                seen.insert(field.key)
                add(.message(field.key))
            }
        }
        for key in variables.keys.sorted() where !template.names(key) { add(.row(key)) }
    }

    mutating func add(_ others: UnusedKeys) {
        for place in others.places { add(place, others.counts[place] ?? 0) }
    }

    private mutating func add(_ place: Place, _ count: Int = 1) {
        if let before = counts[place] {
            counts[place] = before + count
        } else {
            counts[place] = count
            places.append(place)
        }
    }

    /// The keys, a sentence each.
    var notes: [String] {
        let notes = places.prefix(Self.shown).map { place in
            let rows = counts[place] == 1 ? "1 row" : "\(counts[place] ?? 0) rows"
            return switch place {
            case .row(let key): "the key '\(key.excerpt())' is not used, in \(rows)"
            case .message(let key):
                "the chat template does not use the key '\(key.excerpt())' of messages, in \(rows)"
            }
        }
        let more = places.count - notes.count
        return more > 0 ? notes + ["\(more) more keys are not used"] : notes
    }

    private static let readKeys = ["role", "content", "weight"]

    private static func isEmpty(_ value: TemplateValue) -> Bool {
        switch value {
        case .none, .string(""), .list([]), .mapping([]): true
        default: false
        }
    }
}
