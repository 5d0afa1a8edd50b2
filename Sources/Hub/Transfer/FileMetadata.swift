/// What the hub says of one file.
struct FileMetadata: Equatable {
    /// Names the content, and as a rule proves it: see ``ContentDigest``.
    let etag: String
    let size: Int?
}
