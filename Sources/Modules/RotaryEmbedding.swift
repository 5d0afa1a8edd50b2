import DualTorch
import Foundation

/// Rotary positions: pairs of a head's features, turned by an angle that grows with the position.
///
/// Reference: transformers' `modeling_rope_utils.py`; angles are computed in float32 as there, for at
/// position 10,000 the last bit of a frequency is seen in the logits.
public struct RotaryEmbedding: Equatable, Sendable {
    public let headSize: Int
    public let base: Double
    public let scaling: RotaryScaling

    public init(headSize: Int, base: Double, scaling: RotaryScaling = .none) {
        self.headSize = headSize
        self.base = base
        self.scaling = scaling
    }

    /// The turns of tokens at `positions`, (T) or (B, T) of int64.
    /// - Parameter length: the greatest position plus one.
    package func table(
        positions: Tensor, length: Int, dtype: DType
    ) throws -> RotaryTable {
        let frequencies = try Tensor(frequencies(length: length)).to(device: positions.device)
        let angles =
            try positions.to(.float32).expandedDimension(at: -1) * frequencies  // (..., T, D / 2)
        let (cosine, sine) = (try angles.cosine() * magnitude, try angles.sine() * magnitude)
        // One head's dimension before the tokens': (..., 1, T, D)
        return RotaryTable(
            cosine: try Tensor.joined([cosine, cosine], along: -1).to(dtype)
                .expandedDimension(at: -3),
            signedSine: try Tensor.joined([-sine, sine], along: -1).to(dtype)
                .expandedDimension(at: -3))
    }

    /// Angle per position of each pair, D / 2 numbers.
    func frequencies(length: Int) throws -> [Float] {
        switch scaling {
        case .none: return try plainFrequencies(base: base)
        case .linear(let factor): return try plainFrequencies(base: base).map { $0 / Float(factor) }
        case .dynamic(let factor, let limit):
            guard length > limit else { return try plainFrequencies(base: base) }
            let growth = try Tensor.scalar(Double(length)) * factor / Double(limit) - (factor - 1)
            let power = Double(headSize) / Double(headSize - 2)
            let grown = try growth.raised(to: power) * base
            return try grown.raised(to: exponents()).array(of: Float.self).map { 1 / $0 }
        case .llama3(let factor, let low, let high, let limit):
            return try plainFrequencies(base: base).map {
                Self.llama3(
                    $0, factor: Float(factor), low: Float(low), high: Float(high),
                    length: Float(limit))
            }
        case .yarn(let factor, let fast, let slow, let limit, let truncates, _):
            let ramp = yarnRamp(fast: fast, slow: slow, length: limit, truncates: truncates)
            let powers = try basePowers(base)
            return zip(powers, ramp).map { power, kept in
                1 / (Float(factor) * power) * (1 - kept) + 1 / power * kept
            }
        }
    }

    /// What cosine and sine are multiplied by.
    private var magnitude: Double {
        if case .yarn(_, _, _, _, _, let factor) = scaling { factor } else { 1 }
    }

    private func plainFrequencies(base: Double) throws -> [Float] {
        try basePowers(base).map { 1 / $0 }
    }

    /// base^(2 i / D)
    private func basePowers(_ base: Double) throws -> [Float] {
        try exponents().asExponents(of: base).array()
    }

    /// 2 i / D
    private func exponents() throws -> Tensor {
        try Tensor.range(headSize / 2).to(.float32) * 2 / Double(headSize)
    }

    private static func llama3(
        _ frequency: Float, factor: Float, low: Float, high: Float, length: Float
    ) -> Float {
        // PyTorch divides a number by a tensor as the number times the reciprocal.
        let wave = 1 / frequency * Float(2 * Double.pi)
        if wave < length / high { return frequency }
        if wave > length / low { return frequency / factor }
        let smooth = (1 / wave * length - low) / (high - low)
        return (1 - smooth) * frequency / factor + smooth * frequency
    }

    /// 1 where a frequency is kept, 0 where it is divided.
    private func yarnRamp(fast: Double, slow: Double, length: Int, truncates: Bool) -> [Float] {
        func dimension(of rotations: Double) -> Double {
            Double(headSize) * log(Double(length) / (rotations * 2 * .pi)) / (2 * log(base))
        }
        var (low, high) = (dimension(of: fast), dimension(of: slow))
        if truncates { (low, high) = (low.rounded(.down), high.rounded(.up)) }
        (low, high) = (max(low, 0), min(high, Double(headSize - 1)))
        if low == high { high += 0.001 }
        return (0..<headSize / 2).map { index in
            1 - min(max((Float(index) - Float(low)) / Float(high - low), 0), 1)
        }
    }
}
