import DualTorch
import Foundation
import Testing

/// The handles of the process are counted, so each of these runs in a process of its own, where no
/// other test makes or frees any.
@Suite struct LeakTests {
    /// How many handles `runs` of a body leave behind, after one to fill caches.
    private static func leaked(_ runs: Int = 100, _ body: () throws -> Void) throws -> Int {
        try body()
        let before = TorchRuntime.liveTensors
        for _ in 0..<runs { try body() }
        return TorchRuntime.liveTensors - before
    }

    @Test("A tensor counts as long as it lives")
    func counting() async {
        await #expect(processExitsWith: .success) {
            let before = TorchRuntime.liveTensors
            let tensors = try (0..<10).map { _ in try Tensor.zeros([2]) }
            withExtendedLifetime(tensors) { #expect(TorchRuntime.liveTensors == before + 10) }
        }
    }

    @Test("Calls that fail leak no handle")
    func failingCalls() async {
        await #expect(processExitsWith: .success) {
            let x = try Tensor([1.0, 2])
            let leaked = try Self.leaked {
                for name in ["aten::nothing", "aten::add.Tensor", "aten::matmul"] {
                    #expect(throws: TorchError.self) {
                        _ = try callOperator(name, [.tensor(x), .tensors([x, x])])
                    }
                }
                #expect(throws: TorchError.self) { _ = try x.reshaped(3) }
                #expect(throws: TorchError.self) { try x.sum().backward() }
                #expect(throws: TorchError.self) {
                    _ = try callOperator("aten::split.Tensor", [.tensor(x), 0])
                }
            }
            #expect(leaked == 0)
        }
    }

    @Test("Lists and tuples leak no handle")
    func results() async {
        await #expect(processExitsWith: .success) {
            let x = try Tensor([3.0, 1, 2])
            let leaked = try Self.leaked {
                _ = try callOperator("aten::topk", [.tensor(x), 2])
                _ = try callOperator("aten::split.Tensor", [.tensor(x), 1])
                _ = try callOperator("aten::unbind.int", [.tensor(x)])
            }
            #expect(leaked == 0)
        }
    }

    @Test("Functions of kernels keep nothing beyond their graph")
    func kernels() async {
        await #expect(processExitsWith: .success) {
            let (x, weight) = (try Tensor.ones([1, 2, 3, 4]), try Tensor.ones([4]))
            try x.requireGradient()
            let leaked = try Self.leaked {
                let (sum, normed) = try x.rmsNorm(adding: x, weight: weight, epsilon: 1)
                _ = try sum.layerNorm(adding: nil, weight: weight, bias: weight, epsilon: 1)
                let table = try Tensor.ones([1, 2, 4])
                let turned = try normed.turnedHeads(cosine: table, signedSine: table)
                try turned.gating(turned.mapped(by: .gelu), by: .silu).sum().backward()
                try x.setGradient(nil)
            }
            #expect(leaked == 0)
        }
    }

    @Test("Graphs and custom functions leak no handle, failing or not")
    func graphs() async {
        await #expect(processExitsWith: .success) {
            let x = try Tensor([1.0, 2]).requireGradient()
            let leaked = try Self.leaked {
                for fails in [false, true] {
                    let saved = try x.detached()
                    let output = try customFunction("square", of: [x]) {
                        [try saved * saved]
                    } backward: { gradients, _ in
                        if fails { throw CancellationError() }
                        return [try gradients[0].map { try $0 * saved * 2 }]
                    }[0]
                    if fails {
                        #expect(throws: TorchError.self) { try output.sum().backward() }
                    } else {
                        try output.sum().backward()
                        try x.setGradient(nil)
                    }
                }
                _ = try (x * x).sum().gradients(with: [x], creatingGraph: true)
            }
            #expect(leaked == 0)
        }
    }

    @Test("Tensors of a file, and files that are refused, leak no handle")
    func files() async {
        await #expect(processExitsWith: .success) {
            let url = FileManager.default.temporaryDirectory
                .appendingPathComponent("leak-\(UUID().uuidString).safetensors")
            defer { try? FileManager.default.removeItem(at: url) }
            try SafetensorsWriter.write(["a": Tensor([1.0]), "b": Tensor([true])], to: url)
            let leaked = try Self.leaked {
                let file = try SafetensorsFile(url)
                _ = try file.tensor("a")
                _ = try file.tensor("b")
                #expect(throws: SafetensorsError.self) { _ = try file.tensor("c") }
            }
            #expect(leaked == 0)
        }
    }
}
