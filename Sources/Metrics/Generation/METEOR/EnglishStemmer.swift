/// Porter's second stemmer for English, as METEOR 1.5 carries it: "serving" and "served" become
/// "serv".
///
/// Porter 2001, "Snowball: a language for stemming algorithms", snowballstem.org/algorithms/english.
/// The version is the one of the Snowball compiler's Java library of 2010; later ones know more
/// exceptions.
struct EnglishStemmer {
    private var letters: [Unicode.Scalar]
    /// Where the parts begin that a suffix must lie in: behind the first vowel and consonant, and
    /// behind the next such pair.
    private var (firstPart, secondPart) = (0, 0)

    static func stem(_ word: String) -> String {
        if let stem = exceptions[word] { return stem }
        let letters = Array(word.unicodeScalars)
        guard word.utf16.count >= 3 else { return word }
        var stemmer = EnglishStemmer(letters: letters)
        stemmer.stem()
        return String(String.UnicodeScalarView(stemmer.letters.map { $0 == "Y" ? "y" : $0 }))
    }

    private init(letters: [Unicode.Scalar]) { self.letters = letters }

    private static let exceptions: [String: String] = [
        "skis": "ski", "skies": "sky", "dying": "die", "lying": "lie", "tying": "tie",
        "idly": "idl", "gently": "gentl", "ugly": "ugli", "early": "earli", "only": "onli",
        "singly": "singl", "sky": "sky", "news": "news", "howe": "howe", "atlas": "atlas",
        "cosmos": "cosmos", "bias": "bias", "andes": "andes",
    ]

    /// Words that are stems once their plural is taken off.
    private static let wholeStems: Set<String> = [
        "inning", "outing", "canning", "herring", "earring", "proceed", "exceed", "succeed",
    ]

    private mutating func stem() {
        markConsonantalY()
        findParts()
        removePlural()
        guard !Self.wholeStems.contains(String(String.UnicodeScalarView(letters))) else { return }
        removeParticiple()
        replaceFinalY()
        replaceLongSuffix()
        replaceMiddleSuffix()
        removeSuffix()
        removeFinalEOrL()
    }
}

extension EnglishStemmer {
    private static func isVowel(_ letter: Unicode.Scalar) -> Bool {
        switch letter {
        case "a", "e", "i", "o", "u", "y": true
        default: false
        }
    }

    /// Writes a y that is a consonant as "Y".
    private mutating func markConsonantalY() {
        if letters.first == "'" { letters.removeFirst() }
        if letters.first == "y" { letters[0] = "Y" }
        for index in letters.indices.dropFirst()
        where letters[index] == "y" && Self.isVowel(letters[index - 1]) {
            letters[index] = "Y"
        }
    }

    private mutating func findParts() {
        let prefixes = ["gener", "commun", "arsen"]
        let prefix = prefixes.first { letters.starts(with: $0.unicodeScalars) }
        firstPart = prefix?.unicodeScalars.count ?? behindVowelAndConsonant(from: 0)
        secondPart = behindVowelAndConsonant(from: firstPart)
    }

    private func behindVowelAndConsonant(from start: Int) -> Int {
        guard let vowel = letters[start...].firstIndex(where: Self.isVowel),
            let consonant = letters[vowel...].firstIndex(where: { !Self.isVowel($0) })
        else { return letters.count }
        return consonant + 1
    }

    /// The longest of some suffixes that the word ends in.
    private func suffix(among suffixes: [String]) -> String? {
        suffixes.filter { suffix in
            let scalars = suffix.unicodeScalars
            return letters.count >= scalars.count
                && letters[(letters.count - scalars.count)...].elementsEqual(scalars)
        }.max { $0.unicodeScalars.count < $1.unicodeScalars.count }
    }

    private mutating func replace(_ suffix: String, with replacement: String) {
        letters.removeLast(suffix.unicodeScalars.count)
        letters += Array(replacement.unicodeScalars)
    }

    private func start(of suffix: String) -> Int { letters.count - suffix.unicodeScalars.count }

    private func hasVowel(before end: Int) -> Bool {
        end > 0 && letters[..<end].contains(where: Self.isVowel)
    }

    /// Whether the letters before `end` close with a short syllable, as in "rap" and "ow".
    private func endsInShortSyllable(before end: Int) -> Bool {
        guard end >= 2, Self.isVowel(letters[end - 2]), !Self.isVowel(letters[end - 1]) else {
            return false
        }
        if end == 2 { return true }
        let last = letters[end - 1]
        return !Self.isVowel(letters[end - 3]) && last != "w" && last != "x" && last != "Y"
    }
}

extension EnglishStemmer {
    private mutating func removePlural() {
        if let suffix = suffix(among: ["'", "'s", "'s'"]) { replace(suffix, with: "") }
        switch suffix(among: ["sses", "ied", "ies", "s", "us", "ss"]) {
        case "sses": replace("sses", with: "ss")
        case "ied": replace("ied", with: letters.count > 4 ? "i" : "ie")
        case "ies": replace("ies", with: letters.count > 4 ? "i" : "ie")
        case "s" where hasVowel(before: letters.count - 2): replace("s", with: "")
        default: break
        }
    }

    private mutating func removeParticiple() {
        switch suffix(among: ["eed", "eedly", "ed", "edly", "ing", "ingly"]) {
        case let suffix? where suffix.hasPrefix("eed"):
            if start(of: suffix) >= firstPart { replace(suffix, with: "ee") }
        case let suffix?:
            guard hasVowel(before: start(of: suffix)) else { return }
            replace(suffix, with: "")
            repairStem()
        case nil: break
        }
    }

    /// Gives a stem back its e, or takes one of two like consonants.
    private mutating func repairStem() {
        let doubles = ["bb", "dd", "ff", "gg", "mm", "nn", "pp", "rr", "tt"]
        if suffix(among: ["at", "bl", "iz"]) != nil {
            letters.append("e")
        } else if suffix(among: doubles) != nil {
            letters.removeLast()
        } else if letters.count == firstPart, endsInShortSyllable(before: letters.count) {
            letters.append("e")
        }
    }

    private mutating func replaceFinalY() {
        guard let last = letters.last, last == "y" || last == "Y", letters.count > 2,
            !Self.isVowel(letters[letters.count - 2])
        else { return }
        letters[letters.count - 1] = "i"
    }

    private static let longSuffixes: [String: String] = [
        "tional": "tion", "enci": "ence", "anci": "ance", "abli": "able", "entli": "ent",
        "izer": "ize", "ization": "ize", "ational": "ate", "ation": "ate", "ator": "ate",
        "alism": "al", "aliti": "al", "alli": "al", "fulness": "ful", "ousli": "ous",
        "ousness": "ous", "iveness": "ive", "iviti": "ive", "biliti": "ble", "bli": "ble",
        "ogi": "og", "fulli": "ful", "lessli": "less", "li": "",
    ]

    private mutating func replaceLongSuffix() {
        guard let suffix = suffix(among: Array(Self.longSuffixes.keys)),
            let replacement = Self.longSuffixes[suffix]
        else { return }
        let start = start(of: suffix)
        guard start >= firstPart else { return }
        let before = start > 0 ? letters[start - 1] : " "
        if suffix == "ogi", before != "l" { return }
        if suffix == "li", !"cdeghkmnrt".unicodeScalars.contains(before) { return }
        replace(suffix, with: replacement)
    }

    private static let middleSuffixes: [String: String] = [
        "tional": "tion", "ational": "ate", "alize": "al", "icate": "ic", "iciti": "ic",
        "ical": "ic", "ful": "", "ness": "", "ative": "",
    ]

    private mutating func replaceMiddleSuffix() {
        guard let suffix = suffix(among: Array(Self.middleSuffixes.keys)),
            let replacement = Self.middleSuffixes[suffix],
            start(of: suffix) >= (suffix == "ative" ? max(firstPart, secondPart) : firstPart)
        else { return }
        replace(suffix, with: replacement)
    }

    private static let removedSuffixes = [
        "al", "ance", "ence", "er", "ic", "able", "ible", "ant", "ement", "ment", "ent", "ism",
        "ate", "iti", "ous", "ive", "ize", "ion",
    ]

    private mutating func removeSuffix() {
        guard let suffix = suffix(among: Self.removedSuffixes), start(of: suffix) >= secondPart
        else { return }
        let start = start(of: suffix)
        if suffix == "ion" {
            guard start > 0, letters[start - 1] == "s" || letters[start - 1] == "t" else { return }
        }
        replace(suffix, with: "")
    }

    private mutating func removeFinalEOrL() {
        let start = letters.count - 1
        switch letters.last {
        case "e":
            if start >= secondPart || (start >= firstPart && !endsInShortSyllable(before: start)) {
                letters.removeLast()
            }
        case "l":
            if start >= secondPart, start > 0, letters[start - 1] == "l" { letters.removeLast() }
        default: break
        }
    }
}
