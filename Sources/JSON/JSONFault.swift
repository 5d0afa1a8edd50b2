/// What is wrong with a text that should be JSON.
package struct JSONFault: Error, Equatable {
    package enum Reason: Equatable, Sendable {
        case notUTF8
        /// In words that another sentence can hold.
        case malformed(String)
    }

    /// Counted from 1.
    package let line: Int
    package let reason: Reason

    /// What is wrong, without the place.
    package var message: String {
        switch reason {
        case .notUTF8: "a text is not valid UTF-8"
        case .malformed(let words): words
        }
    }
}
