import ArgumentParser
import FineTuning
import Foundation

// What a shell offers behind a flag, where the parser's own kinds do not say it.
extension CompletionKind {
    /// The built-in templates, and files.
    static let chatTemplate = CompletionKind.custom { _, _, prefix in
        BuiltInTemplate.allCases.map(\.rawValue) + files(beginning: prefix)
    }

    /// The options of the method that the line names, of all methods where it names none.
    static let methodOption = CompletionKind.custom { words, _, _ in
        let named = words.firstIndex(of: "--method").map(words.index(after:))
            .flatMap { words.indices.contains($0) ? words[$0] : nil }
        let method = named.flatMap { try? MethodRegistry.method(named: $0) }
        let names = method?.options.map(\.name) ?? MethodRegistry.optionNames
        return names.map { "\($0)=" }
    }

    /// Files and folders whose paths begin so.
    private static func files(beginning prefix: String) -> [String] {
        let folder = prefix.lastIndex(of: "/").map { String(prefix[...$0]) } ?? ""
        let names =
            (try? FileManager.default.contentsOfDirectory(atPath: folder.isEmpty ? "." : folder))
            ?? []
        return names.map { folder + $0 }.filter { $0.hasPrefix(prefix) }.sorted()
    }
}
