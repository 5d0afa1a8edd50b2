import Foundation

/// Finds models, tokenizers and adapters: in folders, in the cache of `huggingface_hub`, and at the
/// hub itself, from where they come into that cache.
///
///     let folder = try ModelHub().locate("org/name@v1.0", for: .model).url
///
/// What the cache has is used as it is, and nothing is asked for then; a revision that has moved on
/// since is had by its commit or its tag.
public struct ModelHub: Sendable {
    private let environment: [String: String]
    var patience = Patience()
    /// Bytes that are asked for at a time.
    var portion = FileDownload.standardPortion

    /// - Parameter environment: the variables that ``HubSettings`` reads.
    public init(environment: [String: String] = ProcessInfo.processInfo.environment) {
        self.environment = environment
    }

    /// Where a model is: in the folder or file of that name if there is one, else in the repository's
    /// snapshot.
    ///
    /// A name that is neither is returned as a folder, for whoever opens it to refuse.
    /// - Parameters:
    ///   - name: a path, `org/name` or `org/name@revision`.
    ///   - revision: a branch, a tag or a commit; nil for `main`, or what `name` says.
    ///   - report: told of a download, on the caller's thread; throwing stops it.
    /// - Throws: ``HubError``, ``HubCacheError``, ``HubSettingError``, ``ReferenceError``.
    public func locate(
        _ name: String, revision: String? = nil, for kind: RepositoryKind = .model,
        report: (HubEvent) throws -> Void = { _ in }
    ) throws -> ModelPlace {
        var isFolder: ObjCBool = true
        let isThere = FileManager.default.fileExists(atPath: name, isDirectory: &isFolder)
        if !isThere, let reference = try RepositoryReference(name, revision: revision) {
            return ModelPlace(url: try snapshot(reference, kind, report), reference: reference)
        }
        if let revision { throw ReferenceError.revisionOfFolder(path: name, revision: revision) }
        // A file may hold a whole model.
        let url = URL(fileURLWithPath: name, isDirectory: !isThere || isFolder.boolValue)
        return ModelPlace(url: url, reference: nil)
    }

    private func snapshot(
        _ reference: RepositoryReference, _ kind: RepositoryKind,
        _ report: (HubEvent) throws -> Void
    ) throws -> URL {
        let settings = try HubSettings(environment: environment)
        let cached = CachedRepository(reference.name, in: settings)
        let revision = reference.revision ?? "main"
        let known = cached.commit(of: revision).map(cached.snapshot)
        if let known, kind.isComplete(in: known) { return known.folder }
        let lack = known.map(kind.lack)
        // What is missing can be done without where there is nobody to ask for it.
        let usable = lack == .some(nil) ? known : nil
        if settings.isOffline {
            if let usable { return usable.folder }
            throw HubError.notCached(
                reference.name, file: lack ?? nil, cache: settings.cache.path)
        }
        let download = RepositoryDownload(
            kind: kind, cached: cached, settings: settings, patience: patience,
            portion: portion, client: HubClient(cached.name, settings))
        do {
            return try download.run(revision, report)
        } catch let error as HubError {
            guard case .unreachable = error, let usable else { throw error }
            return usable.folder
        }
    }
}
