import DualJSON
import Foundation

/// The bytes of task files, and what is wrong with files that give none.
enum TaskFile {
    /// A file as it stands.
    ///
    /// What lies on a disk is mapped while it is copied: a file of half the memory can be read.
    /// - Throws: ``TaskDataError``.
    static func bytes(of file: URL) throws(TaskDataError) -> [UInt8] {
        let path = file.relativePath
        guard file.exists else { throw .fileNotFound(path: path) }
        guard !file.isFolder else { throw .isFolder(path: path) }
        let bytes: [UInt8]
        do throws(GivenFile.Fault) {
            bytes = [UInt8](try GivenFile.data(of: file, options: .mappedIfSafe))
        } catch {
            throw .unreadable(path: path, reason: error.reason)
        }
        // The byte order mark of UTF-16, whose two bytes begin no text in UTF-8.
        guard !bytes.starts(with: [0xFF, 0xFE]), !bytes.starts(with: [0xFE, 0xFF]) else {
            throw .isUTF16(path: path)
        }
        return bytes
    }

    /// A file's bytes behind the byte order mark that it may begin with.
    static func body(of bytes: [UInt8]) -> ArraySlice<UInt8> {
        bytes.dropFirst(bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0)
    }

    /// The text of bytes.
    /// - Parameter first: the number of their first line.
    /// - Throws: ``TaskDataError/notUTF8(path:line:)``.
    static func text(
        of bytes: ArraySlice<UInt8>, path: String, startingOn first: Int = 1
    ) throws(TaskDataError) -> String {
        if let text = String(validating: bytes, as: UTF8.self) { return text }
        let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        let bad = lines.firstIndex { String(validating: $0, as: UTF8.self) == nil } ?? 0
        throw .notUTF8(path: path, line: first + bad)
    }

    /// The first of several names that a folder has.
    /// - Throws: ``TaskDataError``, also where there is no such folder.
    static func first(of names: [String], in folder: URL) throws(TaskDataError) -> URL {
        try requireFolder(folder)
        let files = names.map { folder.appendingPathComponent($0, isDirectory: false) }
        guard let file = files.first(where: \.exists) else {
            throw .missingFile(folder: folder.relativePath, lookedFor: names)
        }
        return file
    }

    static func requireFolder(_ folder: URL) throws(TaskDataError) {
        guard folder.exists else { throw .missingFolder(path: folder.relativePath) }
        guard folder.isFolder else { throw .notAFolder(path: folder.relativePath) }
    }
}

extension URL {
    var exists: Bool { FileManager.default.fileExists(atPath: path) }

    /// Whether there is a folder here.
    var isFolder: Bool {
        var isFolder: ObjCBool = false
        return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
            && isFolder.boolValue
    }
}
