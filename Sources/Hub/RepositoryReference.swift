/// A repository of the hub and its revision: `org/name`, `org/name@revision`.
public struct RepositoryReference: Equatable, Sendable {
    /// `org/name`.
    public let name: String
    /// A branch, a tag or a commit; nil stands for `main`.
    public let revision: String?

    /// nil for a text that is no repository's name: it can only be a folder.
    /// - Parameter revision: a revision that is given beside the name.
    /// - Throws: ``HubError/badRevision(_:)``, ``ReferenceError.twoRevisions(_:_:)``.
    public init?(_ text: String, revision: String? = nil) throws {
        let halves = text.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
        guard let name = halves.first.map(String.init), Self.isName(name) else { return nil }
        let named = halves.count == 2 ? String(halves[1]) : nil
        if let named, let revision, named != revision {
            throw ReferenceError.twoRevisions(named, revision)
        }
        self.name = name
        self.revision = named ?? revision
        if let revision = self.revision, !Self.isRevision(revision) {
            throw ReferenceError.badRevision(revision)
        }
    }

    /// The rules of `huggingface_hub`'s `validate_repo_id`, for names with an organization.
    private static func isName(_ text: String) -> Bool {
        let names = text.split(separator: "/", omittingEmptySubsequences: false)
        return names.count == 2 && names.allSatisfy(isPart) && !text.contains("--")
            && !text.contains("..") && !text.hasSuffix(".git")
    }

    private static func isPart(_ name: Substring) -> Bool {
        let edges: [Character] = ["-", "."]
        guard let first = name.first, let last = name.last, name.utf8.count <= 96 else {
            return false
        }
        return !edges.contains(first) && !edges.contains(last)
            && name.unicodeScalars.allSatisfy { $0.isWordOfASCII || $0 == "-" || $0 == "." }
    }

    /// Whether a text can be a file's path below `refs`: what git allows, as far as paths go.
    private static func isRevision(_ text: String) -> Bool {
        let words = text.split(separator: "/", omittingEmptySubsequences: false)
        return text.utf8.count <= 200 && !text.contains("..")
            && words.allSatisfy { !$0.isEmpty && $0 != "." }
            && text.unicodeScalars.allSatisfy { $0.value > 0x20 && $0.value != 0x7F && $0 != "\\" }
    }
}

extension Unicode.Scalar {
    /// A letter, a digit or `_`.
    var isWordOfASCII: Bool {
        isASCII && (properties.isAlphabetic || ("0"..."9").contains(self) || self == "_")
    }
}

extension String {
    /// Whether this is a whole commit's hash: 40 hexadecimal digits.
    var isCommit: Bool { utf8.count == 40 && isLowercaseHexadecimal }

    var isLowercaseHexadecimal: Bool {
        utf8.allSatisfy { (48...57).contains($0) || (97...102).contains($0) }
    }

    /// Whether this can name a file in a folder, whoever chose it.
    var isPlainFileName: Bool {
        !isEmpty && utf8.count <= 255 && self != "." && self != ".."
            && !unicodeScalars.contains { $0 == "/" || $0 == "\\" || $0.value < 0x20 }
    }
}
