import Foundation

#if canImport(Glibc)
    import Glibc
#endif

/// A file that appears whole or not at all: written aside, synced, renamed.
package final class AtomicFile {
    private let target: URL
    private let aside: URL
    private var descriptor: Int32

    /// Opens a new file beside `target`.
    /// - Throws: ``SafetensorsError/unwritable(file:reason:)``.
    package init(_ target: URL) throws {
        self.target = target
        let name = ".\(target.lastPathComponent).\(UInt64.random(in: 0...UInt64.max)).partial"
        aside = target.deletingLastPathComponent().appendingPathComponent(name)
        descriptor = open(aside.path, O_WRONLY | O_CREAT | O_EXCL, 0o644)
        if descriptor < 0 { throw failure() }
        UnfinishedFiles.add(aside)
    }

    deinit {
        if descriptor >= 0 {
            close(descriptor)
            unlink(aside.path)
            UnfinishedFiles.drop(aside)
        }
    }

    package func write(_ data: Data) throws {
        try data.withUnsafeBytes { try write($0) }
    }

    package func write(_ bytes: UnsafeRawBufferPointer) throws {
        var remaining = bytes[...]
        while !remaining.isEmpty {
            let buffer = UnsafeRawBufferPointer(rebasing: remaining)
            #if canImport(Glibc)
                let written = Glibc.write(descriptor, buffer.baseAddress, buffer.count)
            #else
                let written = Darwin.write(descriptor, buffer.baseAddress, buffer.count)
            #endif
            if written < 0 {
                if errno == EINTR { continue }
                throw failure()
            }
            remaining = remaining.dropFirst(written)
        }
    }

    /// Syncs the file to the disk and gives it its name.
    package func commit() throws {
        guard fsync(descriptor) == 0 else { throw failure() }
        guard rename(aside.path, target.path) == 0 else { throw failure() }
        close(descriptor)
        descriptor = -1
        UnfinishedFiles.drop(aside)
        syncFolder()
    }

    /// Writes all of `data` to `url` at once.
    package static func write(_ data: Data, to url: URL) throws {
        let file = try AtomicFile(url)
        try file.write(data)
        try file.commit()
    }

    /// Removes what processes that were killed left of files that they were writing.
    package static func removeLeftovers(of names: [String], in folder: URL) {
        let files = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        for file in files {
            guard let target = target(ofLeftover: file), names.contains(target) else { continue }
            unlink(folder.appendingPathComponent(file).path)
        }
    }

    /// Whether a file has the name of one that a process did not end writing.
    package static func isLeftover(_ name: String) -> Bool { target(ofLeftover: name) != nil }

    private static func target(ofLeftover file: String) -> String? {
        guard file.hasPrefix("."), file.hasSuffix(".partial") else { return nil }
        let words = file.dropFirst().dropLast(".partial".count)
        guard let dot = words.lastIndex(of: "."),
            UInt64(words[words.index(after: dot)...]) != nil
        else { return nil }
        return String(words[..<dot])
    }

    private func failure() -> SafetensorsError {
        .unwritable(file: target.path, reason: String(cString: strerror(errno)))
    }

    /// Makes the rename itself durable; a file system that cannot is no error.
    private func syncFolder() {
        let folder = open(target.deletingLastPathComponent().path, O_RDONLY)
        guard folder >= 0 else { return }
        fsync(folder)
        close(folder)
    }
}
