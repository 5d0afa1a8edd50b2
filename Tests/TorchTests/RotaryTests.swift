import DualTorch
import Foundation
import TestSupport
import Testing

/// Turned heads: the kernel against LibTorch's operators.
@Suite struct RotaryTests {
    /// (rows, 1, T, D), or (1, T, D) where all rows share their positions.
    private func tables(_ rows: Int?, _ tokens: Int, _ size: Int) throws -> (Tensor, Tensor) {
        let shape = (rows.map { [$0] } ?? []) + [1, tokens, size / 2]
        let angles = try Tensor.seeded(shape, seed: 7, deviation: 2)
        let (cosine, sine) = (try angles.cosine(), try angles.sine())
        return (
            try Tensor.joined([cosine, cosine], along: -1).to(.bfloat16),
            try Tensor.joined([-sine, sine], along: -1).to(.bfloat16)
        )
    }

    @Test(
        "Every instruction set turns heads, and their gradients back",
        arguments: InstructionSet.allCases, [DType.float32, .bfloat16])
    func everySize(set: InstructionSet, dtype: DType) throws {
        for size in [2, 6, 14, 32, 34, 64, 66, 128] {
            for rows in [nil, 3] as [Int?] {
                let x = try Tensor.seeded([3, 5, 2, size], seed: 1, dtype: .bfloat16)
                let (cosine, sine) = try tables(rows, 5, size)
                func evaluate(_ dtype: DType) throws -> Evaluation {
                    try Evaluation([x], as: dtype) {
                        [
                            try $0[0].turnedHeads(
                                cosine: cosine.to(dtype), signedSine: sine.to(dtype))
                        ]
                    }
                }
                let found = try set.limiting { try evaluate(dtype) }
                #expect(found.outputs[0].shape == [3, 2, 5, size])
                try found.expectClose(
                    to: evaluate(.float64), tolerance(dtype), "\(size) \(rows ?? 0)")
            }
        }
    }

    @Test("In float32 each bit is that of the products and their sum")
    func bits() throws {
        let x = try Tensor.seeded([2, 7, 3, 24], seed: 1)
        let (cosine, sine) = try tables(2, 7, 24)
        let (c, s) = (try cosine.to(.float32), try sine.to(.float32))
        let heads = try x.transposed(1, 2)
        let plain = try heads * c + heads.rolled(by: 12, along: -1) * s
        #expect(try x.turnedHeads(cosine: c, signedSine: s).isIdentical(to: plain))
    }

    @Test("Heads may be a part of a wider projection, and gradients of any strides")
    func strides() throws {
        let joined = try Tensor.seeded([2, 5, 3, 4, 8], seed: 1)
        let (cosine, sine) = try tables(nil, 5, 8)
        func evaluate(_ dtype: DType, copying: Bool) throws -> Evaluation {
            try Evaluation([joined], as: dtype) {
                let part = try $0[0].selecting(1, along: 2)
                let turned = try (copying ? part.contiguous() : part).turnedHeads(
                    cosine: cosine.to(dtype), signedSine: sine.to(dtype))
                return [try turned.transposed().cloned()]
            }
        }
        let found = try evaluate(.float32, copying: false)
        try found.expectClose(to: evaluate(.float64, copying: true), tolerance(.float32), "parts")
        try found.expectClose(to: evaluate(.float32, copying: true), (0, 0), "copies")
        let odd = try Tensor.seeded([2, 8, 4, 5], seed: 2).transposed(1, 3)
        let turned = try odd.turnedHeads(
            cosine: cosine.to(.float32), signedSine: sine.to(.float32))
        let copied = try odd.contiguous().turnedHeads(
            cosine: cosine.to(.float32), signedSine: sine.to(.float32))
        #expect(try turned.isIdentical(to: copied))
    }

    @Test("The number of threads changes no bit")
    func threads() async {
        await #expect(processExitsWith: .success) {
            let x = try Tensor.seeded([2, 200, 8, 32], seed: 1)
            let (cosine, sine) = try RotaryTests().tables(nil, 200, 32)
            let runs = try [1, 5].map { threads in
                try TorchRuntime.setThreads(threads)
                return try x.turnedHeads(
                    cosine: cosine.to(.float32), signedSine: sine.to(.float32))
            }
            #expect(try runs[0].isIdentical(to: runs[1]))
        }
    }

    @Test("Tables that do not fit are refused")
    func refusals() throws {
        let (cosine, sine) = try tables(nil, 5, 8)
        let (c, s) = (try cosine.to(.float32), try sine.to(.float32))
        for shape in [[2, 4, 3, 8], [2, 5, 3, 6], [2, 5, 8]] {
            #expect(throws: TorchError.self) {
                _ = try Tensor.ones(shape).turnedHeads(cosine: c, signedSine: s)
            }
        }
        #expect(throws: TorchError.self) {
            _ = try Tensor.ones([2, 5, 3, 8]).turnedHeads(cosine: c, signedSine: s.transposed())
        }
    }
}
