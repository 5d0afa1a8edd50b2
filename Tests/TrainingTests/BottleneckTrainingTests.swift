import DualAdapters
import DualTorch
import Foundation
import TestSupport
import Testing
import ToyTasks

@testable import DualRuns
@testable import DualTraining

/// Runs of bottlenecks and edits: they can be stopped, computed again and repeated, and leak nothing.
@Suite struct BottleneckTrainingTests {
    static let methods = ["adapter-p", "adapter-p learned", "adapter-l", "houlsby", "loreft"]

    private static func make(_ name: String) throws -> any FineTuningMethod {
        switch name {
        case "adapter-p":
            try MethodRegistry.make("adapter-p", ["bottleneck": "3", "dropout": "0.2"])
        case "adapter-p learned":
            try MethodRegistry.make(
                "adapter-p",
                ["bottleneck": "3", "mode": "serial-output", "scaling": "learned"])
        case "houlsby":
            try MethodRegistry.make("adapter-l", ["bottleneck": "3", "placement": "houlsby"])
        case "loreft":
            try MethodRegistry.make("loreft", ["positions": "f2+l2", "dropout": "0.2"])
        default: try MethodRegistry.make(name, ["bottleneck": "3"])
        }
    }

    private func bytes(_ place: Workplace, _ name: String) throws -> [Data] {
        try ["adapter_model.safetensors", "adapter_config.json"].map {
            try place.read("\(name)/\($0)")
        }
    }

    @Test(
        "A run that was stopped and resumed ends with the bytes of one that was not",
        arguments: methods)
    func resume(_ name: String) throws {
        let (place, method) = (try Workplace(), try Self.make(name))
        _ = try place.run(method, to: "whole").run { _ in }
        for steps in [2, 5, 7] {
            let stop = StopAfter(steps)
            #expect(throws: TrainingError.self) {
                try place.run(method, to: "parts\(steps)").run(shouldStop: { stop() }) {
                    stop.hear($0)
                }
            }
            _ = try place.run(method, to: "parts\(steps)") { $0.resume = true }.run { _ in }
            #expect(try bytes(place, "parts\(steps)") == bytes(place, "whole"), "\(steps)")
        }
    }

    @Test("Activation checkpointing changes no byte", arguments: methods)
    func checkpointing(_ name: String) throws {
        let (place, method) = (try Workplace(), try Self.make(name))
        for isOn in [false, true] {
            _ = try place.run(method, to: "\(isOn)") {
                $0.options.activationCheckpointing = isOn
            }.run { _ in }
        }
        #expect(try bytes(place, "true") == bytes(place, "false"))
    }

    @Test("A training step leaks no tensor")
    func leaks() async {
        await #expect(processExitsWith: .success) {
            for name in Self.methods {
                let place = try Workplace()
                var live: [Int] = []
                _ = try place.run(Self.make(name), to: "out").run { event in
                    if case .training(.step(let record)) = event, record.step <= 5 {
                        live.append(TorchRuntime.liveTensors)
                    }
                }
                #expect(live.count == 5)
                #expect(Set(live.dropFirst()).count == 1, "\(live)")
            }
        }
    }
}
