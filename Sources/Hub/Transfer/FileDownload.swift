import Foundation

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// One file on its way into the cache.
struct FileDownload {
    let file: String
    let commit: String
    let metadata: FileMetadata
    let cached: CachedRepository
    let client: HubClient
    let endpoint: String
    let patience: Patience

    /// Bytes that are asked for at a time. The session cannot be slowed down: where the network is
    /// faster than the disk, so many may wait in memory.
    let portion: Int

    static let standardPortion = 128 << 20

    /// Gets the file, or what is missing of it, checks it and puts it in its place.
    /// - Parameter progress: gets the file's bytes that are there.
    /// - Throws: ``HubError``, ``HubCacheError``; what has come stays, and the next run goes on from it.
    func run(
        report: (HubEvent) throws -> Void, progress: (Int) throws -> Void
    ) throws {
        let lock = try FileLock(cached.lock(metadata.etag)) {
            try report(.note("\(file): waiting for another process that downloads it"))
        }
        try withExtendedLifetime(lock) {
            if isThere { return try place(isNew: false) }
            let partial = try PartialFile(cached.incomplete(metadata.etag), isHashed: isHashed)
            if partial.count > 0 {
                try report(.note("\(file): \(byteText(partial.count)) are there already"))
            }
            try fill(partial, report, progress)
            try partial.move(to: cached.blob(metadata.etag))
            try place(isNew: true)
        }
        try progress(metadata.size ?? 0)
    }

    private var digest: ContentDigest { ContentDigest(etag: metadata.etag) }

    private var isHashed: Bool {
        if case .sha256 = digest { true } else { false }
    }

    /// Whether the content is in the cache, in its size.
    private var isThere: Bool {
        let path = cached.blob(metadata.etag).resolvingSymlinksInPath().path
        guard let size = try? FileManager.default.attributesOfItem(atPath: path)[.size] as? Int
        else { return false }
        return metadata.size.map { $0 == size } ?? true
    }

    private func place(isNew: Bool) throws {
        try cached.snapshot(commit).place(file, metadata.etag, isNew: isNew)
    }

    /// Gets all of the file; once more from its start if it turns out to be another one.
    private func fill(
        _ partial: PartialFile, _ report: (HubEvent) throws -> Void,
        _ progress: (Int) throws -> Void
    ) throws {
        for attempt in 0..<2 {
            try fetch(into: partial, report, progress)
            if try digest.matches(partial, partial.digest) { return }
            try partial.clear()
            if attempt == 0 {
                try report(.note("\(file): its checksum is wrong; it is downloaded once more"))
            }
        }
        unlink(partial.url.path)
        throw HubError.wrongChecksum(client.repository, file: file)
    }

    /// Fetches what is missing, with as many requests as it takes.
    private func fetch(
        into partial: PartialFile, _ report: (HubEvent) throws -> Void,
        _ progress: (Int) throws -> Void
    ) throws {
        var patience = patience
        if let size = metadata.size, partial.count > size { try partial.clear() }
        var isOver = metadata.size == partial.count
        while !isOver {
            let before = partial.count
            do {
                try fetchRest(into: partial, progress)
                isOver = metadata.size.map { partial.count == $0 } ?? true
                if !isOver, partial.count <= before {
                    throw HTTPFailure.broken("no more came than before")
                }
            } catch {
                if partial.count > before { patience.reset() }
                try patience.wait(
                    after: error, client.repository, file, endpoint: endpoint, again: true,
                    report: report)
            }
        }
    }

    private func fetchRest(
        into partial: PartialFile, _ progress: (Int) throws -> Void
    ) throws {
        let range = range(from: partial.count)
        var isFirst = true
        let head = try client.content(
            of: file, at: commit, range: range
        ) { head, data in
            if isFirst, try !continues(head, at: partial.count) { try partial.clear() }
            isFirst = false
            try partial.append(data)
            if let size = metadata.size, partial.count > size {
                try partial.clear()
                throw HubError.badFile(
                    client.repository, file: file,
                    reason: "is longer than the \(size) bytes that the hub names")
            }
            try progress(partial.count)
        }
        // What is there is more than the file has: it is none of it.
        if head.statusCode == 416 {
            try partial.clear()
            throw HTTPFailure.broken("the range is refused")
        }
    }

    /// What to ask for; nil for the whole file.
    private func range(from start: Int) -> ByteRange? {
        let size = metadata.size ?? 0
        if start == 0, size <= portion { return nil }
        return ByteRange(start: start, end: metadata.size.map { min($0, start + portion) })
    }

    /// Whether an answer begins where the file ends; else it begins at the start.
    private func continues(_ head: HTTPURLResponse, at count: Int) throws -> Bool {
        guard head.statusCode == 206 else { return count == 0 }
        guard let range = head.header("Content-Range") else { return true }
        let words = range.split(whereSeparator: { " -/".contains($0) })
        guard words.count > 1, words[0] == "bytes", Int(words[1]) == count else {
            throw HTTPFailure.broken("another range comes than was asked for")
        }
        return true
    }
}
