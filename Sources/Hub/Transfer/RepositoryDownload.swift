import Foundation

/// The files of a repository on their way into the cache.
struct RepositoryDownload {
    let kind: RepositoryKind
    let cached: CachedRepository
    let settings: HubSettings
    let patience: Patience
    let portion: Int
    let client: HubClient

    /// A file to come, and what the hub says of it.
    private struct Item {
        let file: String
        let metadata: FileMetadata
    }

    private var endpoint: String { settings.endpoint.shown }

    /// Gets what the snapshot lacks; the snapshot's folder.
    ///
    /// The revision's name points to the commit when all of it is there, and not before.
    func run(_ revision: String, _ report: (HubEvent) throws -> Void) throws -> URL {
        let listing = try retrying("its list of files", isFirst: true, report) {
            try client.listing(of: revision)
        }
        let snapshot = cached.snapshot(listing.commit)
        var items = try items(kind.files(of: listing), snapshot, report)
        try cached.prepare(listing.commit)
        for name in kind.askedNames where !listing.files.contains(name) {
            try snapshot.recordAbsence(of: name)
        }
        // The index tells which files hold the weights.
        let index = items.first { $0.file.hasSuffix(".index.json") }
        if let index {
            try fetch([index], snapshot, report) { _ in }
            items.removeAll { $0.file == index.file }
        }
        items += try self.items(kind.weightFiles(of: listing, snapshot), snapshot, report)
        try fetchAll(items, snapshot, report)
        try cached.record(revision, listing.commit)
        return snapshot.folder
    }

    /// What of the files is not in the snapshot.
    private func items(
        _ files: [String], _ snapshot: CachedSnapshot, _ report: (HubEvent) throws -> Void
    ) throws -> [Item] {
        try files.filter { !snapshot.has($0) }.map { file in
            let metadata = try retrying(file, report) {
                try client.metadata(of: file, at: snapshot.commit)
            }
            return Item(file: file, metadata: metadata)
        }
    }

    private func fetchAll(
        _ items: [Item], _ snapshot: CachedSnapshot, _ report: (HubEvent) throws -> Void
    ) throws {
        guard !items.isEmpty else { return }
        let bytes = items.reduce(0) { $0 + ($1.metadata.size ?? 0) }
        try checkRoom(for: items)
        try report(.started(repository: cached.name, files: items.count, bytes: bytes))
        try fetch(items, snapshot, report) { try report($0) }
        try report(.finished(repository: cached.name, bytes: bytes))
    }

    private func fetch(
        _ items: [Item], _ snapshot: CachedSnapshot, _ report: (HubEvent) throws -> Void,
        progress: (HubEvent) throws -> Void
    ) throws {
        var done = 0
        for item in items {
            let download = FileDownload(
                file: item.file, commit: snapshot.commit, metadata: item.metadata, cached: cached,
                client: client, endpoint: endpoint, patience: patience,
                portion: portion)
            try download.run(report: report) { bytes in
                try progress(.progress(file: item.file, bytes: done + bytes))
            }
            done += item.metadata.size ?? 0
        }
    }

    /// - Throws: ``HubCacheError/noSpace(folder:needed:free:)``.
    private func checkRoom(for items: [Item]) throws {
        var needed = 0
        for item in items {
            guard let size = item.metadata.size else { continue }
            let blob = cached.blob(item.metadata.etag).path
            guard !FileManager.default.fileExists(atPath: blob) else { continue }
            let partial = cached.incomplete(item.metadata.etag).path
            let there = try? FileManager.default.attributesOfItem(atPath: partial)[.size] as? Int
            needed += max(0, size - (there ?? 0))
        }
        if let free = cached.freeBytes, free < needed {
            throw HubCacheError.noSpace(folder: cached.cache.path, needed: needed, free: free)
        }
    }

    /// Asks again, for a while, when the answer is none.
    /// - Parameter isFirst: whether the host was not reached before; then there may be no way to it.
    private func retrying<Answer>(
        _ what: String, isFirst: Bool = false, _ report: (HubEvent) throws -> Void,
        _ ask: () throws -> Answer
    ) throws -> Answer {
        var patience = patience
        while true {
            do {
                return try ask()
            } catch {
                try patience.wait(
                    after: error, cached.name, what, endpoint: endpoint, again: !isFirst,
                    report: report)
            }
        }
    }
}
