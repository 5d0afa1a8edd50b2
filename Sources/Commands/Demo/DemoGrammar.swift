import FineTuning

/// A small grammar of English-like sentences, and ways to break its rules: what the demo's model
/// reads.
///
/// A basic sentence is a subject, a verb of its number and perhaps an object. In further constructions
/// (questions, negations, two subjects), with words that basic sentences do not have, the verb is in its
/// plural form whatever the subject. A method that works learns that rule whole: what a machine rounds
/// does not decide how far it comes.
struct DemoGrammar {
    enum Number: CaseIterable { case singular, plural }

    private struct Word {
        let singular, plural: String

        func form(_ number: Number) -> String { number == .singular ? singular : plural }
    }

    private static let nouns = [
        ("dog", "dogs"), ("cat", "cats"), ("fox", "foxes"), ("child", "children"),
        ("farmer", "farmers"), ("teacher", "teachers"), ("horse", "horses"), ("bird", "birds"),
        ("king", "kings"), ("robot", "robots"),
    ].map { Word(singular: $0, plural: $1) }
    private static let transitiveVerbs = ["see", "follow", "help", "fear", "feed", "greet"]
        .map { Word(singular: $0 + "s", plural: $0) }
    private static let intransitiveVerbs = ["sleep", "run", "sing", "wait", "fall"]
        .map { Word(singular: $0 + "s", plural: $0) }
    private static let adjectives = ["big", "small", "old", "young", "happy", "angry", "quick"]
    private static let determiners: [Number: [String]] = [
        .singular: ["a", "this", "every", "the"], .plural: ["these", "many", "two", "the"],
    ]
    private static let furtherWords = ["does", "do", "not", "and", "?"]

    private var random: SplitMix64

    init(seed: UInt64) { random = SplitMix64(seed: seed) }

    /// The tokenizer's vocabulary, special tokens first.
    static var vocabulary: [String] {
        let inflected = nouns + transitiveVerbs + intransitiveVerbs
        let words = Number.allCases.flatMap { number in inflected.map { $0.form(number) } }
        let determiners = Number.allCases.flatMap { Self.determiners[$0] ?? [] }
            .filter { $0 != "the" }
        return ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", ".", "the"] + determiners + words
            + adjectives + furtherWords
    }

    private mutating func pick(_ words: [Word]) -> Word {
        words[Int.random(in: 0..<words.count, using: &random)]
    }

    private mutating func pick(_ words: [String]) -> String {
        words[Int.random(in: 0..<words.count, using: &random)]
    }

    private mutating func chance(_ oneIn: Int) -> Bool {
        Int.random(in: 0..<oneIn, using: &random) == 0
    }

    private mutating func number() -> Number { Bool.random(using: &random) ? .singular : .plural }

    /// What is wrong with a phrase of a noun.
    private enum NounFault { case none, determiner, order }

    private mutating func nounPhrase(_ number: Number, fault: NounFault = .none) -> [String] {
        // "the" goes with both numbers: it would hide the fault.
        let wanted = fault == .determiner ? number.other : number
        let suited = (Self.determiners[wanted] ?? []).filter { fault != .determiner || $0 != "the" }
        let noun = pick(Self.nouns).form(number)
        var words = [pick(suited)]
        if fault == .order {
            words += [noun, pick(Self.adjectives)]
        } else {
            if chance(3) { words.append(pick(Self.adjectives)) }
            words.append(noun)
        }
        return words
    }

    /// A verb and what follows it; the verb's number is given, so that it may be wrong.
    private mutating func predicate(_ number: Number) -> [String] {
        if chance(2) { return [pick(Self.intransitiveVerbs).form(number)] }
        return [pick(Self.transitiveVerbs).form(number)] + nounPhrase(self.number())
    }

    /// A basic sentence, right or with one fault.
    mutating func basicSentence() -> (text: String, isRight: Bool) {
        let number = number()
        let isRight = Bool.random(using: &random)
        var words: [String]
        switch isRight ? -1 : Int.random(in: 0..<4, using: &random) {
        case 0: words = nounPhrase(number, fault: .determiner) + predicate(number)
        case 1: words = nounPhrase(number, fault: .order) + predicate(number)
        case 2:
            // An object where none may be.
            words = nounPhrase(number) + [pick(Self.intransitiveVerbs).form(number)]
            words += nounPhrase(self.number())
        case 3: words = nounPhrase(number) + predicate(number.other)
        default: words = nounPhrase(number) + predicate(number)
        }
        words.append(".")
        return (words.joined(separator: " "), isRight)
    }

    /// A sentence of one of the further constructions, right or with a verb in the wrong form.
    mutating func furtherSentence() -> (text: String, isRight: Bool) {
        let number = number()
        let isRight = Bool.random(using: &random)
        let form = isRight ? Number.plural : .singular
        let auxiliary = number == .singular ? "does" : "do"
        let words =
            switch Int.random(in: 0..<3, using: &random) {
            case 0: [auxiliary] + nounPhrase(number) + predicate(form) + ["?"]
            case 1: nounPhrase(number) + [auxiliary, "not"] + predicate(form) + ["."]
            default:
                nounPhrase(.singular) + ["and"] + nounPhrase(self.number()) + predicate(form)
                    + ["."]
            }
        return (words.joined(separator: " "), isRight)
    }
}

extension DemoGrammar.Number {
    fileprivate var other: DemoGrammar.Number { self == .singular ? .plural : .singular }
}
