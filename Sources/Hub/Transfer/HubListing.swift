/// What a revision of a repository is, and what files it has.
struct HubListing: Equatable {
    let repository: String
    let commit: String
    let files: Set<String>
}
