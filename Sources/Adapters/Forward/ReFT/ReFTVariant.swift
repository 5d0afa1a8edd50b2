/// What an edit is made of; the names are those of pyreft's interventions.
public enum ReFTVariant: String, CaseIterable, Sendable {
    /// h + Rᵀ (W h + b - R h)
    case loreft
    /// h + Rᵀ (W h + b)
    case direft
    /// LoReFT with a free matrix for R.
    case noreft
    /// DiReFT with a free matrix for R.
    case nodireft
    /// h + Rᵀ (b - R h)
    case consreft
    /// h + Rᵀ b
    case lobireft

    /// Whether there is a W h.
    package var readsState: Bool { self != .consreft && self != .lobireft }
    /// Whether R h is taken away.
    package var replacesState: Bool { self == .loreft || self == .noreft || self == .consreft }
    var isOrthonormal: Bool { self != .noreft && self != .nodireft }
}
