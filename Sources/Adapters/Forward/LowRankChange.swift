import DualModules
import DualTorch

/// A change of a layer's weight that is made of B A, a product of low rank.
package protocol LowRankChange: WeightChange {
    /// A (r, k)
    var down: Tensor { get }
    /// B (d, r)
    var up: Tensor { get }
}

extension LowRankChange {
    /// r
    package var rank: Int { down.size(0) }

    /// A and B by PEFT's names.
    package var parameters: [(name: String, value: Tensor)] {
        [("lora_A.weight", down), ("lora_B.weight", up)]
    }
}
