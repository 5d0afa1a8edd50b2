import DualTorch
import Foundation
import TestSupport
import Testing

/// Quantised blocks against what `gguf.quants` and bitsandbytes make of the same bytes and numbers
/// (`Tests/Parity/make_block_goldens.py`).
@Suite struct BlockMatrixTests {
    private static func goldens() throws -> SafetensorsFile {
        try SafetensorsFile(
            #require(
                Bundle.module.url(
                    forResource: "blocks", withExtension: "safetensors", subdirectory: "Goldens")))
    }

    private static func matrix(_ format: BlockFormat) throws -> BlockMatrix {
        try BlockMatrix(
            goldens().tensor("\(format.rawValue).bytes"), format: format, columns: 512)
    }

    @Test(
        "Every instruction set reads each format's blocks bit for bit as the reference",
        arguments: InstructionSet.allCases, BlockFormat.allCases)
    func reading(set: InstructionSet, format: BlockFormat) throws {
        let expected = try Self.goldens().tensor("\(format.rawValue).numbers")
        let matrix = try Self.matrix(format)
        try set.limiting {
            #expect(try matrix.dequantized().isIdentical(to: expected))
            #expect(try matrix.slice(1..<3).dequantized().isIdentical(to: expected.slice(1..<3)))
            let rows = try Tensor([2, 0, 2])
            #expect(
                try matrix.gathered(rows: rows).dequantized()
                    .isIdentical(to: expected.gathered(rows: rows)))
        }
    }

    @Test("Numbers in bfloat16 are those in float32, rounded", arguments: BlockFormat.allCases)
    func narrow(format: BlockFormat) throws {
        let matrix = try Self.matrix(format)
        let rounded = try matrix.dequantized().to(.bfloat16)
        // Subnormal numbers may become 0.
        #expect(
            try matrix.dequantized(as: .bfloat16).to(.float64)
                .isClose(to: rounded.to(.float64), absolute: 1e-37))
    }

    @Test(
        "Numbers become the blocks that the reference makes of them",
        arguments: BlockFormat.written)
    func writing(format: BlockFormat) throws {
        let goldens = try Self.goldens()
        let made = try BlockMatrix(quantizing: goldens.tensor("x"), to: format)
        #expect(
            try made.bytes.isIdentical(to: goldens.tensor("\(format.rawValue).written")))
        let turned = try goldens.tensor("x").transposed().contiguous().transposed()
        #expect(try BlockMatrix(quantizing: turned, to: format).bytes.isIdentical(to: made.bytes))
    }

    @Test("A quantised number is off by no more than half a step of its block")
    func error() throws {
        let x = try Tensor.seeded([64, 1024], seed: 4)
        for (format, bound) in [(BlockFormat.q8_0, 0.006), (.q4_0, 0.1), (.nf4, 0.1)] {
            let found = try BlockMatrix(quantizing: x, to: format).dequantized()
            let error = try (found - x).norm().item() / x.norm().item()
            #expect(error > 0 && error < bound, "\(format)")
        }
    }

    @Test("Bytes that are not rows of so many numbers are refused")
    func misfits() throws {
        let bytes = try Tensor.zeros([2, 36], dtype: .uint8)
        #expect(throws: Never.self) { try BlockMatrix(bytes, format: .q4_0, columns: 64) }
        #expect(throws: TorchError.self) { try BlockMatrix(bytes, format: .q4_0, columns: 32) }
        #expect(throws: TorchError.self) { try BlockMatrix(bytes, format: .q4_0, columns: 50) }
        #expect(throws: TorchError.self) {
            try BlockMatrix(.zeros([2, 36]), format: .q4_0, columns: 64)
        }
        #expect(throws: TorchError.self) {
            try BlockMatrix(quantizing: .zeros([2, 48]), to: .q4_0)
        }
        #expect(throws: TorchError.self) {
            try BlockMatrix(quantizing: .zeros([2, 256]), to: .q4_K)
        }
    }
}
