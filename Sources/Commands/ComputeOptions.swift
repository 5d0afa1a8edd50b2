import ArgumentParser
import DualJSON
import FineTuning
import Foundation

extension DType: ExpressibleByArgument {
    /// What a model can be computed in.
    public static var allValueStrings: [String] {
        [DType.bfloat16, .float32, .float64].map(\.rawValue)
    }

    public init?(argument: String) {
        guard Self.allValueStrings.contains(argument) else { return nil }
        self.init(rawValue: argument)
    }
}

/// Where and how a command computes.
struct ComputeOptions: ParsableArguments {
    @Option(help: "Compute in cpu, cuda or mps.")
    var device = "cpu"

    @Option(help: "Threads; as many as there are cores when not given.")
    var threads: Int?

    /// Sets the threads and finds the device.
    /// - Parameter savesMemory: whether memory counts for more than time; freed memory is then given
    ///   back, whatever it costs to take it again.
    func apply(savesMemory: Bool = false) throws -> Device {
        PatientThreads.adopt()
        if !savesMemory { TorchRuntime.keepFreedMemory() }
        if let threads {
            guard 1...TorchRuntime.mostThreads ~= threads else {
                throw CommandError(
                    "--threads: \(threads) is not from 1 to \(TorchRuntime.mostThreads)")
            }
            try TorchRuntime.setThreads(threads)
        }
        let words = device.split(separator: ":", omittingEmptySubsequences: false)
        guard let kind = words.first.flatMap({ Device.Kind(rawValue: String($0)) }),
            words.count <= 2,
            let index = words.count == 2 ? Int32(words[1]) : -1
        else {
            throw CommandError("--device: '\(device)' is not cpu, cuda, cuda:N or mps")
        }
        let chosen = Device(kind, index: index)
        guard chosen.isAvailable else {
            throw CommandError("--device: this LibTorch finds no \(kind.rawValue) device here")
        }
        return chosen
    }
}

/// A wrong value of an option, in one line.
struct CommandError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}

/// A folder named on the command line, as it was typed.
func folder(_ path: String) -> URL { URL(fileURLWithPath: path, isDirectory: true) }

/// The bytes of a file that is named on the command line.
func bytes(of path: String) throws -> Data {
    do throws(GivenFile.Fault) {
        return try GivenFile.data(of: URL(fileURLWithPath: path))
    } catch {
        throw CommandError("\(path) cannot be read: \(error.reason)")
    }
}

/// The numbers of an option, with spaces or commas between them.
func tokenIDs(_ text: String, _ option: String) throws -> [Int] {
    try text.split(whereSeparator: { $0 == " " || $0 == "," }).map { word in
        guard let number = Int(word), number >= 0 else {
            throw CommandError("\(option): '\(word)' is not a token id")
        }
        return number
    }
}

/// One JSON object on standard output.
func printJSON(_ fields: [String: Any]) throws {
    let data = try JSONSerialization.data(
        withJSONObject: fields, options: [.sortedKeys, .withoutEscapingSlashes])
    print(String(decoding: data, as: UTF8.self))
}

/// A number that JSON can hold.
func jsonNumber(_ value: Double?) -> Any {
    guard let value, value.isFinite else { return NSNull() }
    return value
}
