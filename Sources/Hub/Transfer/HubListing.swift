/// What a revision of a repository is, and what files it has.
struct HubListing: Equatable {
    let repository: String
    let commit: String
    let files: Set<String>
}

/// What the hub says of one file.
struct FileMetadata: Equatable {
    /// Names the content, and as a rule proves it: see ``ContentDigest``.
    let etag: String
    let size: Int?
}
