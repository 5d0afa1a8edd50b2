import Foundation

/// A repository's folder in the cache of `huggingface_hub`.
///
///     models--org--name/
///       refs/main                      the commit that the name stands for
///       blobs/<etag>                   contents
///       snapshots/<commit>/<file>      a relative link to the content
///       .no_exist/<commit>/<file>      an empty file for one that the commit does not have
///       trees/<commit>.json            the commit's list of files, where all were asked for
struct CachedRepository {
    let name: String
    let cache: URL
    let usesLinks: Bool

    init(_ name: String, in settings: HubSettings) {
        self.name = name
        cache = settings.cache
        usesLinks = settings.usesLinks
    }

    var folder: URL { cache.appendingPathComponent(folderName, isDirectory: true) }

    private var folderName: String { "models--" + name.replacing("/", with: "--") }

    func blob(_ etag: String) -> URL { folder.appendingPathComponent("blobs/\(etag)") }

    /// The content while it comes, under the name that older releases of `huggingface_hub` go on from.
    func incomplete(_ etag: String) -> URL {
        folder.appendingPathComponent("blobs/\(etag).incomplete")
    }

    func lock(_ etag: String) -> URL {
        cache.appendingPathComponent(".locks/\(folderName)/\(etag).lock")
    }

    func snapshot(_ commit: String) -> CachedSnapshot {
        CachedSnapshot(commit: commit, repository: self)
    }

    /// The commit that a revision stood for when it was last asked for.
    func commit(of revision: String) -> String? {
        let manager = FileManager.default
        if revision.isCommit {
            let there = manager.fileExists(atPath: snapshot(revision).folder.path)
            return there ? revision : nil
        }
        guard let data = manager.contents(atPath: reference(revision).path) else { return nil }
        let commit = String(decoding: data, as: UTF8.self)
            .trimmingCharacters(in: .whitespacesAndNewlines)
        return commit.isCommit ? commit : nil
    }

    private func reference(_ revision: String) -> URL {
        folder.appendingPathComponent("refs/\(revision)")
    }

    /// Keeps what commit a revision stands for.
    func record(_ revision: String, _ commit: String) throws {
        guard revision != commit, self.commit(of: revision) != commit else { return }
        try write(Data(commit.utf8), to: reference(revision))
    }

    /// Makes the folders of blobs, locks and a snapshot, and marks the cache for backups to skip.
    func prepare(_ commit: String) throws {
        for file in [blob("x"), lock("x"), snapshot(commit).file("x")] {
            try Self.makeFolder(file.deletingLastPathComponent().path)
        }
        let tag = cache.appendingPathComponent("CACHEDIR.TAG")
        if !FileManager.default.fileExists(atPath: tag.path) {
            try write(Data("Signature: 8a477f597d28d172789f06886806bc55\n".utf8), to: tag)
        }
    }

    /// Writes a small file whole or not at all.
    func write(_ data: Data, to url: URL) throws {
        try Self.makeFolder(url.deletingLastPathComponent().path)
        let aside = url.deletingLastPathComponent().appendingPathComponent(
            "\(url.lastPathComponent).\(UInt32.random(in: 0...UInt32.max)).tmp")
        do {
            let file = try PartialFile(aside, isHashed: false)
            try file.append(data)
            try file.move(to: url)
        } catch {
            unlink(aside.path)
            throw error
        }
    }

    private static func makeFolder(_ path: String) throws {
        if mkdir(path, 0o777) == 0 || errno == EEXIST { return }
        let parent = (path as NSString).deletingLastPathComponent
        guard errno == ENOENT, parent != path, !parent.isEmpty else {
            throw HubCacheError.lastError(path)
        }
        try makeFolder(parent)
        guard mkdir(path, 0o777) == 0 || errno == EEXIST else {
            throw HubCacheError.lastError(path)
        }
    }

    /// Bytes that the cache's file system has to spare; nil where that cannot be told.
    var freeBytes: Int? {
        var status = statvfs()
        guard statvfs(cache.path, &status) == 0 else { return nil }
        let (bytes, overflow) = Int(status.f_bavail).multipliedReportingOverflow(
            by: Int(status.f_frsize))
        return overflow ? nil : bytes
    }
}
