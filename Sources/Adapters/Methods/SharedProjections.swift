import DualModules

/// Where the frozen random matrices come from that all layers of an adapter share, as PEFT has it.
struct SharedProjections: Equatable, Sendable {
    /// What they are drawn from, whatever the run's seed is.
    var key = 0
    /// Whether a file has them; if not, whoever reads it draws them again.
    var areSaved = true

    static let options = [
        MethodOption(
            "projection-prng-key",
            "What the frozen matrices are drawn from, instead of the run's seed. Default 0."),
        MethodOption(
            "save-projection",
            "Whether the frozen matrices are saved, or drawn again when the adapter is read: "
                + "true or false. Default true."),
    ]

    init() {}

    init(_ given: GivenOptions) throws {
        key = try given.integer("projection-prng-key") ?? key
        areSaved = try given.flag("save-projection") ?? areSaved
    }

    var settings: MethodOptions {
        MethodOptions(chosen: ["projection-prng-key": key, "save-projection": areSaved])
    }

    init(_ file: ConfigurationFile) throws {
        key = try file.integer("projection_prng_key") ?? key
        areSaved = try file.flag("save_projection") ?? areSaved
    }

    var fields: [String: Any] { ["projection_prng_key": key, "save_projection": areSaved] }

    /// A negative key is what PyTorch takes it for.
    var seed: UInt64 { UInt64(bitPattern: Int64(key)) }
}
