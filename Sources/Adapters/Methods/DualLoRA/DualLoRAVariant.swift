import DualTorch

/// Which functions make the update of Dual LoRA from its two products, M = B A and Z = D C:
///
///     ΔW = ω s F(M) ⊙ T(Z)
///
/// The method of the paper is F = ReLU and T = Sign. Xu et al., appendix B.
public struct DualLoRAVariant: Equatable, Sendable {
    /// F
    public var magnitude: MagnitudeFunction
    /// T
    public var direction: DirectionFunction
    /// How the gradient passes T, where that is the sign.
    public var signGradient: SignGradient

    public init(
        magnitude: MagnitudeFunction = .relu, direction: DirectionFunction = .sign,
        signGradient: SignGradient = .clip
    ) {
        self.magnitude = magnitude
        self.direction = direction
        self.signGradient = signGradient
    }

    /// The settings of appendix B.1; nil for a number that is none.
    ///
    /// | setting | F | T | what is taken away |
    /// |---|---|---|---|
    /// | 0 | identity | identity | both functions; not in the paper |
    /// | 1 | identity | sign | ReLU |
    /// | 2 | relu | identity | Sign |
    /// | 3 | relu | fixed | what the direction learns |
    public static func setting(_ number: Int) -> DualLoRAVariant? {
        switch number {
        case 0: DualLoRAVariant(magnitude: .identity, direction: .identity)
        case 1: DualLoRAVariant(magnitude: .identity)
        case 2: DualLoRAVariant(direction: .identity)
        case 3: DualLoRAVariant(direction: .fixed)
        default: nil
        }
    }

    /// c and p of RMS(F(M) ⊙ T(Z)) = c σᵖ, with all factors drawn from N(0, σ²), σ small.
    func startingSize(magnitudeRank: Int, directionRank: Int) -> (factor: Double, power: Int) {
        let (r1, r2) = (Double(magnitudeRank), Double(directionRank))
        let size: (factor: Double, power: Int) =
            switch magnitude {
            case .relu: ((r1 / 2).squareRoot(), 2)
            case .abs, .identity: (r1.squareRoot(), 2)
            case .sigmoid: (0.5, 0)
            }
        switch (direction, signGradient) {
        case (.identity, _): return (size.factor * r2.squareRoot(), size.power + 2)
        case (.sign, .xnor), (.sign, .doReFa):
            return (size.factor * (2 / Double.pi * r2).squareRoot(), size.power + 2)
        default: return size
        }
    }
}
