import DualTorch

/// The update of Dual LoRA in every variant, ω s F(B A) ⊙ T(D C), by LibTorch's operators, a piece
/// of its rows after the other.
struct PlainDualLoRAUpdate: FactoredUpdate {
    private let layerFactors: DualLoRAFactors
    private let variant: DualLoRAVariant
    /// ω s
    private let scale: Double
    /// The mean of |D C| over the whole matrix, which DoReFa's rule needs before the first row.
    private let mean: Double

    init(_ layerFactors: DualLoRAFactors, _ variant: DualLoRAVariant, scale: Double) throws {
        self.layerFactors = layerFactors
        self.variant = variant
        self.scale = scale
        let needsMean = variant.direction == .sign && variant.signGradient == .doReFa
        guard needsMean, case .learned(let c, let d) = layerFactors.direction else {
            mean = 1
            return
        }
        let rows = 0..<d.size(0)
        mean = try withoutGradient {
            try rows.pieces(columns: c.size(1)).reduce(0.0) {
                try $0 + d.slice($1).matmul(c).magnitude().sum().item()
            } / Double(d.size(0) * c.size(1))
        }
    }

    var factors: [Tensor] { layerFactors.trained.map(\.value) }

    func form(
        rows: Range<Int>, columns: Range<Int>, onto weight: StoredWeight?, into block: Tensor
    ) throws {
        try withoutGradient {
            for piece in rows.pieces(columns: layerFactors.a.size(1)) {
                let product = try layerFactors.b.slice(piece).matmul(layerFactors.a)
                let update = try (scale * variant.magnitude.value(product) * direction(piece).value)
                    .slice(columns, along: 1)
                let blockRows = piece.shifted(by: -rows.lowerBound)
                try block.slice(blockRows).copy(
                    from: weight.map { try $0.slice(blockRows).dense() + update } ?? update)
            }
        }
    }

    /// T of some rows, and Z where it learns.
    private func direction(_ rows: Range<Int>) throws -> (value: Tensor, product: Tensor?) {
        switch layerFactors.direction {
        case .fixed(let seed):
            let fixed = try FixedDirection(seed: seed, columns: layerFactors.a.size(1))
            return (try fixed.rows(rows, like: layerFactors.a), nil)
        case .learned(let c, let d):
            let product = try d.slice(rows).matmul(c)
            guard variant.direction == .sign else { return (product, product) }
            return (try variant.signGradient.value(product, mean: mean), product)
        }
    }

    /// Q = ω s G ⊙ T ⊙ F'(M), ∂A = Bᵀ Q, ∂B = Q Aᵀ;
    /// P by the direction's rule, ∂C = Dᵀ P, ∂D = P Cᵀ.
    func addGradients(of gradient: Tensor, rows: Range<Int>, to sums: [Tensor]) throws {
        try withoutGradient {
            for piece in rows.pieces(columns: layerFactors.a.size(1)) {
                let pieceGradient = try gradient.slice(piece.shifted(by: -rows.lowerBound))
                try addGradients(of: pieceGradient.to(layerFactors.a.dtype), piece: piece, to: sums)
            }
        }
    }

    private func addGradients(of gradient: Tensor, piece: Range<Int>, to sums: [Tensor]) throws {
        let (a, b) = (layerFactors.a, try layerFactors.b.slice(piece))
        let product = try b.matmul(a)
        let direction = try direction(piece)
        var atProduct = try scale * gradient * direction.value
        if let slope = try variant.magnitude.derivative(product) {
            atProduct = try atProduct * slope
        }
        try sums[0].add(b.transposed().matmul(atProduct))
        try sums[1].slice(piece).add(atProduct.matmul(a.transposed()))
        guard case .learned(let c, let d) = layerFactors.direction, let z = direction.product else {
            return
        }
        let magnitude = try variant.magnitude.value(product)
        let atDirection =
            variant.direction == .sign
            ? try variant.signGradient.gradient(
                at: z, from: gradient, magnitude: magnitude, scale: scale)
            : try scale * gradient * magnitude
        try sums[2].add(d.slice(piece).transposed().matmul(atDirection))
        try sums[3].slice(piece).add(atDirection.matmul(c.transposed()))
    }
}
