import DualJSON

/// Task data that cannot be read as what it should be.
///
/// Every message is one line, begins with the path as the caller gave it (and the line, from 1),
/// says what is wrong and then what would be right.
public enum TaskDataError: Error, Equatable, CustomStringConvertible {
    case missingFolder(path: String)
    case notAFolder(path: String)
    case missingFile(folder: String, lookedFor: [String])
    case unreadable(path: String, reason: String)
    case fileNotFound(path: String)
    case isFolder(path: String)
    case empty(path: String)
    case noText(path: String)
    case notUTF8(path: String, line: Int)
    case isUTF16(path: String)
    case severalFiles(folder: String, names: [String])
    case emptyLine(path: String, line: Int)
    case columnCount(path: String, line: Int, found: Int, expected: [String])
    case wrongHeader(path: String, found: [String], expected: [String])
    case unknownLabel(path: String, line: Int, found: String, known: [String])
    case badScore(path: String, line: Int, found: String)
    case emptySentence(path: String, line: Int, column: String)
    case strayQuote(path: String, line: Int)
    case openQuote(path: String, line: Int)
    case repeatedColumn(path: String, name: String)
    case rowTooLong(path: String, line: Int)
    case missingColumn(path: String, name: String, found: [String])
    case fieldCount(
        path: String, line: Int, found: Int, expected: [String],
        separator: FieldSeparator = .comma)
    case badMeaning(path: String, line: Int, found: String)
    case oneMeaning(path: String)
    case badJSON(path: String, line: Int, reason: String)
    case notAnObject(path: String, line: Int, found: String)
    case missingKey(path: String, line: Int, key: String, found: [String])
    case wrongKind(path: String, line: Int, key: String, found: String, expected: String)
    case badValue(path: String, line: Int, key: String, found: String, expected: String)

    public var description: String {
        switch self {
        case .missingFolder(let path):
            "\(path): there is no such folder; give the folder that holds the task's files."
        case .notAFolder(let path):
            "\(path): this is a file; give the folder that holds the task's files."
        case .missingFile(let folder, let names):
            "\(folder): the folder has no \(quotedList(names)); "
                + "give the folder that holds the task's files."
        case .unreadable(let path, let reason):
            "\(path): the file cannot be read: \(reason)."
        case .fileNotFound(let path):
            "\(path): there is no such file; check how its path is spelled."
        case .isFolder(let path):
            "\(path): this is a folder; name a file in it."
        case .empty(let path):
            "\(path): the file has no examples; it should have at least one."
        case .noText(let path):
            "\(path): the file has no text but white space; there should be some to read."
        case .notUTF8(let path, let line):
            "\(path):\(line): the line is not valid UTF-8; save the file in that encoding."
        case .isUTF16(let path):
            "\(path): the file is in UTF-16, as its first two bytes say; save it in UTF-8."
        case .severalFiles(let folder, let names):
            "\(folder): the folder has \(names.map { "'\($0)'" }.joined(separator: " and ")), and it is "
                + "not clear which is meant; name the files themselves, or leave one there."
        case .emptyLine(let path, let line):
            "\(path):\(line): the line is empty; remove it or put an example there."
        case .columnCount(let path, let line, let found, let expected):
            "\(path):\(line): the line has \(columns(found)); "
                + "it should have \(expected.count), separated by tabs: "
                + "\(expected.joined(separator: ", "))."
        case .wrongHeader(let path, let found, let expected):
            "\(path):1: the header is '\(found.joined(separator: " ").excerpt())'; "
                + "it should be '\(expected.joined(separator: " "))', separated by tabs."
        case .unknownLabel(let path, let line, let found, let known):
            "\(path):\(line): label '\(found.excerpt())' is unknown; "
                + "it should be \(quotedList(known))."
        case .badScore(let path, let line, let found):
            "\(path):\(line): score '\(found.excerpt())' is not a number from 0 to 5."
        case .emptySentence(let path, let line, let column):
            "\(path):\(line): column '\(column)' is empty; it should hold a sentence."
        case .badMeaning(let path, let line, let found):
            "\(path):\(line): '\(found.excerpt())' is no meaning representation; "
                + "it should be like 'name[The Vaults], eatType[pub]'."
        case .oneMeaning(let path):
            "\(path): all texts have one meaning; there should be two at least, "
                + "one to train on and one to score on."
        case .strayQuote(let path, let line):
            "\(path):\(line): a double quote stands inside a field; "
                + "put the whole field in quotes and write each quote in it twice."
        case .openQuote(let path, let line):
            "\(path):\(line): the quoted field that begins here does not end; "
                + "close it with a double quote."
        case .rowTooLong(let path, let line):
            "\(path):\(line): the row that begins here has more than \(RowBytes.longest >> 20) MiB; "
                + "split its text into several rows, and check that its quotes and brackets are closed."
        case .repeatedColumn(let path, let name):
            "\(path):1: the header names two columns '\(name.excerpt())'; give each its own name."
        case .missingColumn(let path, let name, let found):
            "\(path):1: the header has no column '\(name)'; "
                + "it has '\(found.joined(separator: ",").excerpt())'."
        case .fieldCount(let path, let line, let found, let expected, let separator):
            "\(path):\(line): the row has \(found) \(found == 1 ? "field" : "fields"); "
                + "it should have \(expected.count), separated by \(separator.plural): "
                + "\(expected.joined(separator: ",").excerpt()); "
                + "a field with a \(separator.rawValue) in it stands in double quotes."
        case .badJSON(let path, let line, let reason):
            "\(path):\(line): \(reason)."
        case .notAnObject(let path, let line, let found):
            "\(path):\(line): the example is \(found); it should be an object with keys: {...}."
        case .missingKey(let path, let line, let key, let found):
            "\(path):\(line): the example has no '\(key)', only \(named(found)); add it."
        case .wrongKind(let path, let line, let key, let found, let expected):
            "\(path):\(line): '\(key.excerpt())' is \(found); it should be \(expected)."
        case .badValue(let path, let line, let key, let found, let expected):
            "\(path):\(line): '\(key)' is '\(found.excerpt())'; it should be \(expected)."
        }
    }

    private func columns(_ count: Int) -> String {
        count == 1 ? "1 column" : "\(count) columns"
    }

    private func named(_ keys: [String]) -> String {
        keys.isEmpty
            ? "nothing" : keys.map { "'\($0)'" }.joined(separator: ", ").excerpt()
    }

    private func quotedList(_ names: [String]) -> String {
        names.map { "'\($0)'" }.joined(separator: " or ")
    }
}

extension TaskDataError {
    /// What is wrong with JSON, with the file that it is in.
    init(_ fault: JSONFault, path: String) {
        switch fault.reason {
        case .notUTF8: self = .notUTF8(path: path, line: fault.line)
        case .malformed(let reason): self = .badJSON(path: path, line: fault.line, reason: reason)
        }
    }
}
