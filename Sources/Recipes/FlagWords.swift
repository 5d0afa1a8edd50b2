/// The words of a command line, told apart.
package struct FlagWords {
    /// A flag that a command cannot take as it stands.
    package enum Strange: Equatable, Sendable {
        /// There is none of this name.
        case unknown(String)
        /// It lacks its value; with the word behind it, which begins with a dash.
        case noValue(String, next: String? = nil)
        /// It takes true or false.
        case notBoolean(String)

        /// As it was written.
        package var word: String {
            switch self {
            case .unknown(let word), .noValue(let word, _), .notBoolean(let word): word
            }
        }
    }

    /// Known flags, each with all its values.
    package private(set) var flags: [(key: RecipeKey, values: [String])] = []
    /// Words that are no flags and no values of flags.
    package private(set) var others: [String] = []
    package private(set) var strange: [Strange] = []
    /// All words, with the names of known flags as the keys have them.
    package private(set) var spelled: [String] = []

    /// - Parameter words: without the name of the command.
    package init(_ words: [String], keys: RecipeKeys) {
        var tail = words[...]
        while let word = tail.popFirst() {
            guard word != "--" else {
                others += tail
                spelled += [word] + tail
                return
            }
            guard word.hasPrefix("-"), word.count > 1 else {
                others.append(word)
                spelled.append(word)
                continue
            }
            let halves = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard word.hasPrefix("--"),
                let key = keys[RecipeKey.spelling(String(halves[0].dropFirst(2)))]
            else {
                strange.append(.unknown(word))
                spelled.append(word)
                continue
            }
            let attached = halves.count == 2 ? String(halves[1]) : nil
            let behind = tail
            if let values = Self.values(of: key, attached, &tail) {
                add(key, values)
            } else {
                strange.append(
                    key.kind == .flag ? .notBoolean(word) : .noValue(word, next: tail.first))
            }
            spelled.append("--\(key.name)" + (attached.map { "=\($0)" } ?? ""))
            spelled += behind.prefix(behind.count - tail.count)
        }
    }

    /// A flag that is given again replaces its value, or adds to its list.
    private mutating func add(_ key: RecipeKey, _ values: [String]) {
        guard let index = flags.firstIndex(where: { $0.key.name == key.name }) else {
            return flags.append((key, values))
        }
        flags[index].values = key.kind == .list ? flags[index].values + values : values
    }

    /// nil where the flag has no value, or none that it can have.
    private static func values(
        of key: RecipeKey, _ attached: String?, _ tail: inout ArraySlice<String>
    ) -> [String]? {
        if key.kind == .flag {
            return ["true", "false"].contains(attached ?? "true") ? [attached ?? "true"] : nil
        }
        var values = attached.map { [$0] } ?? []
        switch key.words {
        case .any where values.isEmpty: values += tail.popFirst().map { [$0] } ?? []
        case .next where values.isEmpty:
            if let next = tail.first, !isDashed(next) { values.append(tail.removeFirst()) }
        case .upToDash:
            while let next = tail.first, !isDashed(next) { values.append(tail.removeFirst()) }
        case .any, .next: break
        }
        return values.isEmpty ? nil : values
    }

    private static func isDashed(_ word: String) -> Bool { word.hasPrefix("-") && word.count > 1 }
}
