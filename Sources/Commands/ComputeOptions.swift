import ArgumentParser
import DualJSON
import FineTuning

/// Where and how a command that runs a model computes.
struct ComputeOptions: ParsableArguments {
    @Option(help: ComputeTypeArgument.help)
    var dtype = ComputeTypeArgument.automatic

    @OptionGroup var place: DeviceOptions

    /// What a run here is computed in; nil where its device is not here to be asked.
    var resolvedType: DType? {
        dtype.named ?? (try? place.found()).map { ComputeTypeChoice(on: $0).dtype }
    }

    var threads: Int? { place.threads.count }

    /// As ``DeviceOptions/apply(savesMemory:)``.
    func apply(savesMemory: Bool = false) throws -> Device {
        try place.apply(savesMemory: savesMemory)
    }
}
