import DualModules
import DualTorch
import TestSupport
import Testing

@testable import DualAdapters

/// What adapters form once where a text is generated.
@Suite struct FormedWeightsTests {
    @Test(
        "A layer says the same, bit for bit, whether or not what it forms is kept",
        arguments: AdapterCase.all, [DType.float32, .bfloat16])
    func sameBits(row: AdapterCase, dtype: DType) throws {
        let layer = try AdapterCase.layer(dtype: dtype)
        layer.adapter = try row.moved(for: layer)
        let x = try AdapterCase.input(dtype: dtype)
        let plain = try withoutGradient { try layer(x) }
        let formed = FormedWeights()
        for _ in 0..<2 {
            let kept = try withoutGradient {
                try formed.keeping { try layer(x) }
            }
            #expect(try kept.isIdentical(to: plain))
        }
        #expect(FormedWeights.current == nil)
    }

    @Test(
        "Dual LoRA and HiRA form a weight once while there is room, and again each time else",
        arguments: AdapterCase.dualLoRA + AdapterCase.hira)
    func once(row: AdapterCase) throws {
        let layer = try AdapterCase.layer()
        let adapter = try row.moved(for: layer)
        layer.adapter = adapter
        let x = try AdapterCase.input()
        func output(_ formed: FormedWeights) throws -> Tensor {
            try withoutGradient { try formed.keeping { try layer(x) } }
        }
        let (roomy, full) = (FormedWeights(), FormedWeights(room: 7 * 5 * 4 - 1))
        let before = try output(roomy)
        #expect(try output(full).isIdentical(to: before))
        // Whoever changes a factor meanwhile tells the two apart.
        try withoutGradient {
            for parameter in adapter.parameters { try parameter.value.multiply(by: 1.5) }
        }
        #expect(try output(roomy).isIdentical(to: before))
        let after = try withoutGradient { try layer(x) }
        #expect(try !after.isIdentical(to: before))
        #expect(try output(full).isIdentical(to: after))
        #expect(try output(FormedWeights()).isIdentical(to: after))
    }
}
