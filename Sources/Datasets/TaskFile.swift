import Foundation

/// The bytes of task files, and what is wrong with files that give none.
enum TaskFile {
    /// A file as it stands.
    ///
    /// What lies on a disk is mapped while it is copied: a file of half the memory can be read.
    /// - Throws: ``TaskDataError``.
    static func bytes(of file: URL) throws(TaskDataError) -> [UInt8] {
        let path = file.relativePath
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: file.path, isDirectory: &isFolder) else {
            throw .fileNotFound(path: path)
        }
        guard !isFolder.boolValue else { throw .isFolder(path: path) }
        let bytes: [UInt8]
        do {
            bytes = [UInt8](try Data(contentsOf: file, options: .mappedIfSafe))
        } catch {
            throw .unreadable(path: path, reason: reason(error))
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

    private static func reason(_ error: any Error) -> String {
        switch (error as? CocoaError)?.code {
        case .fileReadNoPermission: "no permission"
        default: "error \((error as NSError).code)"
        }
    }
}
