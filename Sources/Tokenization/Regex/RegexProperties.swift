/// The named sets of Oniguruma: general categories, scripts, and POSIX brackets.
enum RegexProperties {
    static let space = ScalarSet(boundaries: [
        0x9, 0xE, 0x20, 0x21, 0x85, 0x86, 0xA0, 0xA1, 0x1680, 0x1681, 0x2000, 0x200B, 0x2028,
        0x202A, 0x202F, 0x2030, 0x205F, 0x2060, 0x3000, 0x3001,
    ])
    static let digit = categories(["Nd"])
    static let word = ScalarSet(union: [alphabetic, categories(["Mn", "Mc", "Me", "Nd", "Pc"])])
    /// `\w` outside of a class, and `\b`: there Oniguruma also takes the superscripts and fractions
    /// of Latin-1 for word characters.
    static let looseWord = ScalarSet(union: [
        word, ScalarSet(0xB2...0xB3), ScalarSet(0xB9...0xB9), ScalarSet(0xBC...0xBE),
    ])
    static let hexadecimalDigit = ScalarSet(
        boundaries: [0x30, 0x3A, 0x41, 0x47, 0x61, 0x67])
    private static let alphabetic = ScalarSet(boundaries: RegexTables.alphabetic)
    private static let punctuation = ["Pc", "Pd", "Ps", "Pe", "Pi", "Pf", "Po"]
    private static let symbols = ["Sm", "Sc", "Sk", "So"]
    private static let printable = categories(["Cc", "Cs", "Cn", "Zl", "Zp"]).complement
    private static let ascii = ScalarSet(0...0x7F)

    /// The set of `\p{name}`; nil when there is none. As in Oniguruma, case, spaces, hyphens and
    /// underscores in the name do not count.
    static func set(named name: some StringProtocol) -> ScalarSet? {
        let key = normalized(name)
        return key == "punct"
            ? categorySet("p") : posixSet(key) ?? categorySet(key) ?? scriptSet(key)
    }

    /// The set of a POSIX bracket such as `[:alpha:]`.
    static func posixSet(_ key: String) -> ScalarSet? {
        switch key {
        case "alnum": ScalarSet(union: [alphabetic, digit])
        case "alpha", "alphabetic": alphabetic
        case "ascii": ascii
        case "blank": ScalarSet(union: [ScalarSet("\t"), categories(["Zs"])])
        case "cntrl": categories(["Cc"])
        case "digit": digit
        case "graph": printable.intersection(space.complement)
        case "print": printable
        case "punct": categories(punctuation + symbols)
        case "lower", "lowercase": ScalarSet(boundaries: RegexTables.lowercase)
        case "upper", "uppercase": ScalarSet(boundaries: RegexTables.uppercase)
        case "space", "whitespace": space
        case "word": word
        case "xdigit": hexadecimalDigit
        default: nil
        }
    }

    private static func categorySet(_ key: String) -> ScalarSet? {
        switch key {
        case "any": return .all
        case "assigned": return categories(["Cn"]).complement
        case "lc", "casedletter": return categories(["Lu", "Ll", "Lt"])
        default: break
        }
        let short = longNames[key] ?? key
        let names = RegexTables.categoryNames.split(separator: " ").map(String.init)
            .filter {
                short.count == 1 ? $0.lowercased().hasPrefix(short) : $0.lowercased() == short
            }
        return names.isEmpty ? nil : categories(names)
    }

    private static func scriptSet(_ key: String) -> ScalarSet? {
        let names = RegexTables.scriptNames.split(separator: " ")
        return names.firstIndex { normalized($0) == key }
            .map { members(of: [$0], runs: RegexTables.scriptRuns) }
    }

    private static func categories(_ names: [String]) -> ScalarSet {
        let all = RegexTables.categoryNames.split(separator: " ").map(String.init)
        return members(of: names.compactMap(all.firstIndex(of:)), runs: RegexTables.categoryRuns)
    }

    /// The scalars of the runs that carry one of the numbers.
    private static func members(of numbers: [Int], runs: [UInt32]) -> ScalarSet {
        var boundaries: [UInt32] = []
        for run in runs {
            let isMember = numbers.contains(Int(run & 0xFF))
            if isMember != (boundaries.count & 1 == 1) { boundaries.append(run >> 8) }
        }
        return ScalarSet(boundaries: boundaries)
    }

    static func normalized(_ name: some StringProtocol) -> String {
        name.lowercased().filter { !" -_".contains($0) }
    }

    private static let longNames = [
        "letter": "l", "uppercaseletter": "lu", "lowercaseletter": "ll", "titlecaseletter": "lt",
        "modifierletter": "lm", "otherletter": "lo", "mark": "m", "combiningmark": "m",
        "nonspacingmark": "mn", "spacingmark": "mc", "enclosingmark": "me", "number": "n",
        "decimalnumber": "nd", "letternumber": "nl", "othernumber": "no", "punctuation": "p",
        "connectorpunctuation": "pc", "dashpunctuation": "pd", "openpunctuation": "ps",
        "closepunctuation": "pe", "initialpunctuation": "pi", "finalpunctuation": "pf",
        "otherpunctuation": "po", "symbol": "s", "mathsymbol": "sm", "currencysymbol": "sc",
        "modifiersymbol": "sk", "othersymbol": "so", "separator": "z", "spaceseparator": "zs",
        "lineseparator": "zl", "paragraphseparator": "zp", "other": "c", "control": "cc",
        "format": "cf", "surrogate": "cs", "privateuse": "co", "unassigned": "cn",
    ]
}
