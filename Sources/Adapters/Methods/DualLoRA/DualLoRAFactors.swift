import DualTorch

/// What the update of one layer's Dual LoRA is made of.
struct DualLoRAFactors {
    enum Direction {
        /// C (r₂, k) and D (d, r₂)
        case learned(c: Tensor, d: Tensor)
        /// The seed of ``FixedDirection``.
        case fixed(seed: Tensor)
    }

    /// A (r₁, k) and B (d, r₁)
    let a, b: Tensor
    let direction: Direction

    init(a: Tensor, b: Tensor, _ direction: Direction) {
        (self.a, self.b) = (a, b)
        self.direction = direction
    }

    /// The factors that train, by the paper's letters.
    var trained: [(letter: String, value: Tensor)] {
        switch direction {
        case .learned(let c, let d): [("A", a), ("B", b), ("C", c), ("D", d)]
        case .fixed: [("A", a), ("B", b)]
        }
    }

    /// The same numbers in memory of their own, outside the graph.
    func copied() throws -> DualLoRAFactors {
        func copy(_ factor: Tensor) throws -> Tensor { try factor.detached().cloned() }
        let direction: Direction =
            switch direction {
            case .learned(let c, let d): try .learned(c: copy(c), d: copy(d))
            case .fixed(let seed): .fixed(seed: seed)
            }
        return DualLoRAFactors(a: try copy(a), b: try copy(b), direction)
    }
}
