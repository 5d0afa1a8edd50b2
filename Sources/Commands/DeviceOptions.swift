import ArgumentParser
import FineTuning

/// Where a command computes.
struct DeviceOptions: ParsableArguments {
    @Option(help: "Compute in cpu, cuda or mps.", completion: .list(["cpu", "cuda", "mps"]))
    var device = "cpu"

    @OptionGroup var threads: ThreadOptions

    /// Sets the threads and finds the device.
    /// - Parameter savesMemory: as ``ThreadOptions/apply(savesMemory:)`` has it.
    func apply(savesMemory: Bool = false) throws -> Device {
        try threads.apply(savesMemory: savesMemory)
        return try found()
    }

    /// The device.
    func found() throws -> Device {
        let words = device.split(separator: ":", omittingEmptySubsequences: false)
        guard let kind = words.first.flatMap({ Device.Kind(rawValue: String($0)) }),
            words.count <= 2,
            let index = words.count == 2 ? Int32(words[1]) : -1
        else {
            throw CommandError("--device: '\(device)' is not cpu, cuda, cuda:N or mps")
        }
        let chosen = Device(kind, index: index)
        do {
            try chosen.check()
        } catch let error as TorchError {
            throw CommandError("--device \(device): \(error.message)")
        }
        return chosen
    }
}
