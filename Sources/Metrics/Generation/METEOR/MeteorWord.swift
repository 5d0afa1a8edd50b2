/// A word by its number and its stem's: equal words, and only they, have equal numbers.
struct MeteorWord: Hashable {
    let id: Int
    let stem: Int
    let isFunctionWord: Bool
}
