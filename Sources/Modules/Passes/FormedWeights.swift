import DualTorch
import Foundation

/// The weights W₀ + ΔW that adapters of full rank have formed, kept while a text is generated.
///
/// A training step forms them where it needs them and keeps nothing of their size. A text's tokens come one by
/// one, each of which would have to form every weight anew, at many times the cost of its product; here the first
/// forms it for all. It goes with the cache of keys and values.
public final class FormedWeights {
    /// Of each update, by its first factor.
    private var kept: [ObjectIdentifier: (factor: Tensor, weight: Tensor?)] = [:]
    /// What may still be kept, in bytes; once there is no more room, weights are formed again each time.
    private var room: Int

    /// - Parameter room: what may be kept in all, in bytes: half of what is free when nothing is said.
    package init(room: Int = AvailableMemory.bytes / 2) {
        self.room = room
    }

    private static let key = "DualModules.FormedWeights"

    /// Those of the pass that runs on this thread.
    package static var current: FormedWeights? {
        Thread.current.threadDictionary[key] as? FormedWeights
    }

    /// Runs a pass whose layers keep what they form here.
    package func keeping<Result>(_ body: () throws -> Result) rethrows -> Result {
        let before = Self.current
        Thread.current.threadDictionary[Self.key] = self
        defer { Thread.current.threadDictionary[Self.key] = before }
        return try body()
    }

    /// The weight of the update whose first factor this is: as it is kept, or formed now if it may be kept.
    /// - Parameters:
    ///   - bytes: what it takes.
    ///   - form: gives nil where the update cannot be formed onto its weight.
    /// - Returns: nil where there is no room for it, and where it cannot be formed.
    package func weight(
        of factor: Tensor, bytes: Int, form: () throws -> Tensor?
    ) rethrows -> Tensor? {
        let key = ObjectIdentifier(factor)
        if let known = kept[key] { return known.weight }
        guard bytes <= room else { return nil }
        let weight = try form()
        if weight != nil { room -= bytes }
        // The factor is held, so that no other can come to its address.
        kept[key] = (factor, weight)
        return weight
    }
}
