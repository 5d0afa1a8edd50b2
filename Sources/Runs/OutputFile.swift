import DualTorch
import Foundation

/// One file that a command writes.
enum OutputFile {
    /// Lets a command write a file beside the one that is named, and moves it into its place when all of it is
    /// there: whatever fails before, nothing is there that was not.
    /// - Parameters:
    ///   - overwrites: replaces a file that is there.
    ///   - make: writes the file that it is given.
    /// - Throws: ``RunError/unwritable(path:reason:)``, and what `make` throws.
    static func making<Result>(
        _ url: URL, overwrites: Bool, _ make: (URL) throws -> Result
    ) throws -> Result {
        func unwritable(_ reason: String) -> RunError {
            .unwritable(path: url.path, reason: reason)
        }
        var isFolder: ObjCBool = false
        if FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder) {
            guard !isFolder.boolValue else { throw unwritable("it is a folder") }
            guard overwrites else {
                throw unwritable("there is one already; `overwrite` replaces it")
            }
        }
        let name = ".unfinished-" + url.lastPathComponent
        let aside = url.standardizedFileURL.deletingLastPathComponent().appendingPathComponent(name)
        UnfinishedFiles.add(aside)
        defer {
            try? FileManager.default.removeItem(at: aside)
            UnfinishedFiles.drop(aside)
        }
        let result = try make(aside)
        guard rename(aside.path, url.path) == 0 else {
            throw unwritable(String(cString: strerror(errno)))
        }
        return result
    }
}
