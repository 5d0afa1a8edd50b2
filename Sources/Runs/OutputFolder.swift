import DualTorch
import Foundation

/// A folder that a command writes into: made at the start, so that a place that cannot be written is
/// found before the work, locked against other processes, and taken away again if nothing came to be in
/// it.
package final class OutputFolder {
    /// A folder in it for what is not finished.
    static let asideName = ".unfinished"

    package let url: URL
    /// The outermost folder that did not exist before.
    private let created: URL?
    private var lock: FolderLock?

    /// Makes the folder, checks that files can be made in it, and keeps others from writing there until
    /// ``close()``.
    /// - Throws: ``RunError/unwritable(path:reason:)``, ``RunError/inUse(folder:holder:)``.
    package init(_ url: URL) throws {
        let manager = FileManager.default
        var outermost: URL?
        var folder = url.standardizedFileURL
        while !manager.fileExists(atPath: folder.path), folder.path != "/" {
            outermost = folder
            folder = folder.deletingLastPathComponent()
        }
        self.url = url
        created = outermost
        do {
            try Self.make(url.standardizedFileURL, for: url)
        } catch {
            removeIfCreated()
            throw error
        }
        let probe = url.appendingPathComponent(".probe-\(UInt64.random(in: 0...UInt64.max))")
        do {
            try Data().write(to: probe)
            try manager.removeItem(at: probe)
        } catch {
            removeIfCreated()
            throw RunError.unwritable(path: url.path, reason: Self.reason(error))
        }
        lock = try FolderLock(url)
        if let created { UnfinishedFiles.add(created) }
    }

    /// There is something of use in it now: it stays, also if the process ends at once.
    package func keep() {
        if let created { UnfinishedFiles.drop(created) }
    }

    /// Gives the folder free for others.
    package func close() {
        lock?.release()
        keep()
    }

    /// Makes a folder and those it lies in, with the system's own words when that fails.
    private static func make(_ url: URL, for output: URL) throws {
        func unwritable(_ reason: String) -> RunError {
            .unwritable(path: output.path, reason: "\(url.path): \(reason)")
        }
        var isFolder: ObjCBool = false
        if FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder) {
            guard isFolder.boolValue else {
                throw unwritable("not a folder")
            }
            return
        }
        try make(url.deletingLastPathComponent(), for: output)
        guard mkdir(url.path, 0o777) == 0 || errno == EEXIST else {
            throw unwritable(String(cString: strerror(errno)))
        }
    }

    /// Removes the folder, with what is in it, if it was not there before.
    package func removeIfCreated() {
        close()
        if let created { try? FileManager.default.removeItem(at: created) }
    }

    /// Refuses a folder in which others have files, which a command would mix its own with.
    /// - Parameter overwrites: takes any folder: its files of the command's names are replaced.
    /// - Throws: ``RunError/holdsFiles(folder:files:)``.
    package func checkIsFree(overwrites: Bool) throws {
        guard !overwrites else { return }
        let names = (try? FileManager.default.contentsOfDirectory(atPath: url.path)) ?? []
        let others = names.filter {
            $0 != FolderLock.fileName && $0 != Self.asideName && !AtomicFile.isLeftover($0)
        }
        guard others.isEmpty else {
            throw RunError.holdsFiles(folder: url.relativePath, files: others.sorted())
        }
    }

    /// Moves everything in a folder inside this one into it, each file or folder over that of its name.
    /// - Throws: ``RunError/unwritable(path:reason:)``.
    package func take(from aside: URL) throws {
        let manager = FileManager.default
        for name in try manager.contentsOfDirectory(atPath: aside.path).sorted() {
            let (from, to) = (aside.appendingPathComponent(name), url.appendingPathComponent(name))
            var isFolder: ObjCBool = false
            if manager.fileExists(atPath: from.path, isDirectory: &isFolder), isFolder.boolValue {
                try? manager.removeItem(at: to)
            }
            guard rename(from.path, to.path) == 0 else {
                throw RunError.unwritable(
                    path: to.path, reason: String(cString: strerror(errno)))
            }
        }
    }

    /// What the system said, without Foundation's words around it.
    static func reason(_ error: any Error) -> String {
        let underlying = (error as NSError).userInfo[NSUnderlyingErrorKey] as? NSError
        let posix = underlying ?? (error as NSError)
        if posix.domain == NSPOSIXErrorDomain {
            return String(cString: strerror(Int32(posix.code)))
        }
        return error.localizedDescription
    }
}

extension URL {
    /// Whether both are names of one file or folder, by whatever links.
    func isSameFile(as other: URL) -> Bool {
        var (mine, others) = (stat(), stat())
        guard stat(path, &mine) == 0, stat(other.path, &others) == 0 else { return false }
        return mine.st_ino == others.st_ino && mine.st_dev == others.st_dev
    }
}
