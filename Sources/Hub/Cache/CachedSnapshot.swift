import Foundation

/// The files of one commit in the cache.
struct CachedSnapshot {
    let commit: String
    let repository: CachedRepository

    var folder: URL {
        repository.folder.appendingPathComponent("snapshots/\(commit)", isDirectory: true)
    }

    func file(_ name: String) -> URL { folder.appendingPathComponent(name) }

    /// Whether a file is there; a link whose content is gone is not.
    func has(_ name: String) -> Bool { FileManager.default.fileExists(atPath: file(name).path) }

    /// Whether the hub has said that the commit has no such file.
    func isKnownToLack(_ name: String) -> Bool {
        FileManager.default.fileExists(atPath: absence(of: name).path)
    }

    private func absence(of name: String) -> URL {
        repository.folder.appendingPathComponent(".no_exist/\(commit)/\(name)")
    }

    /// Keeps that the commit has no such file, so that nobody asks again.
    func recordAbsence(of name: String) throws {
        if !isKnownToLack(name) { try repository.write(Data(), to: absence(of: name)) }
    }

    /// The commit's list of files, where `huggingface_hub` has kept it.
    var listing: Set<String>? {
        struct Tree: Decodable {
            struct Entry: Decodable {}
            let format_version: Int
            let files: [String: Entry]
        }
        let file = repository.folder.appendingPathComponent("trees/\(commit).json")
        guard let data = FileManager.default.contents(atPath: file.path),
            let tree = try? JSONDecoder().decode(Tree.self, from: data), tree.format_version == 1
        else { return nil }
        return Set(tree.files.keys)
    }

    /// Puts a file in its place: a link to its content, or where there are no links the content.
    /// - Parameter isNew: whether nothing else refers to the content yet, which may then be moved.
    /// - Throws: ``HubCacheError``.
    func place(_ name: String, _ etag: String, isNew: Bool) throws {
        let aside = folder.appendingPathComponent(".\(UInt32.random(in: 0...UInt32.max)).tmp")
        defer { unlink(aside.path) }
        var source = aside
        if try !link(aside, to: etag) {
            source = isNew ? repository.blob(etag) : aside
            if !isNew { try copy(repository.blob(etag), to: aside) }
        }
        // The name is never without a file: another process may be reading it.
        let target = file(name)
        guard rename(source.path, target.path) == 0 else {
            throw HubCacheError.lastError(target.path)
        }
    }

    /// - Returns: false where there are no links.
    private func link(_ url: URL, to etag: String) throws -> Bool {
        guard repository.usesLinks else { return false }
        if symlink("../../blobs/\(etag)", url.path) == 0 { return true }
        guard [EPERM, ENOSYS, EOPNOTSUPP].contains(errno) else {
            throw HubCacheError.lastError(url.path)
        }
        return false
    }

    private func copy(_ blob: URL, to url: URL) throws {
        do {
            try FileManager.default.copyItem(at: blob, to: url)
        } catch let error as CocoaError {
            throw HubCacheError.unwritable(path: url.path, reason: error.localizedDescription)
        }
    }
}
