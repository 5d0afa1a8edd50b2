import DualJSON
import Foundation

/// A folder named on the command line, as it was typed.
func folder(_ path: String) -> URL { URL(fileURLWithPath: path, isDirectory: true) }

/// The bytes of a file that is named on the command line.
func bytes(of path: String) throws -> Data {
    do throws(GivenFile.Fault) {
        return try GivenFile.data(of: URL(fileURLWithPath: path))
    } catch {
        throw CommandError("\(path) cannot be read: \(error.reason)")
    }
}

/// The numbers of an option, with spaces or commas between them.
func tokenIDs(_ text: String, _ option: String) throws -> [Int] {
    try text.split(whereSeparator: { $0 == " " || $0 == "," }).map { word in
        guard let number = Int(word), number >= 0 else {
            throw CommandError("\(option): '\(word)' is not a token id")
        }
        return number
    }
}
