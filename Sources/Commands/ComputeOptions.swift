import ArgumentParser
import DualJSON
import FineTuning

/// Where and how a command that runs a model computes.
struct ComputeOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Compute in \(DType.allValueStrings.joined(separator: ", ")).", valueName: "type"))
    var dtype = DType.bfloat16

    @OptionGroup var place: DeviceOptions

    var threads: Int? { place.threads.count }

    /// As ``DeviceOptions/apply(savesMemory:)``.
    func apply(savesMemory: Bool = false) throws -> Device {
        try place.apply(savesMemory: savesMemory)
    }
}
