import DualModules

/// Where the frozen random matrices come from that all layers of an adapter share, as PEFT has it.
struct SharedProjections: Equatable, Sendable {
    /// What they are drawn from, whatever the run's seed is.
    var key = 0
    /// Whether a file has them; if not, whoever reads it draws them again.
    var areSaved = true

    /// A negative key is what PyTorch takes it for.
    var seed: UInt64 { UInt64(bitPattern: Int64(key)) }
}

/// A method whose layers share frozen random matrices.
protocol SharedProjectionMethod: AdapterMethod {
    var projections: SharedProjections { get set }
}

extension Hyperparameter where Method: SharedProjectionMethod {
    static var projections: [Hyperparameter] {
        [
            Hyperparameter(
                "projection-prng-key", \.projections.key, .integer(),
                "What the frozen matrices are drawn from, instead of the run's seed.",
                key: "projection_prng_key"),
            Hyperparameter(
                "save-projection", \.projections.areSaved, .flag,
                "Whether the frozen matrices are saved, or drawn again when the adapter is read: "
                    + "true or false.", key: "save_projection"),
        ]
    }
}
