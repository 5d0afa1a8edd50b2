/// How the angles of rotary positions are stretched beyond the length of pretraining.
public enum RotaryScaling: Equatable, Sendable {
    /// Su et al. 2021, arXiv:2104.09864, as it stands.
    case none
    /// Positions divided by a factor. Chen et al. 2023, arXiv:2306.15595.
    case linear(factor: Double)
    /// A base that grows with the sequence beyond `length` tokens ("dynamic NTK").
    case dynamic(factor: Double, length: Int)
    /// LLaMA 3.1's: long waves divided, short ones kept, a ramp between.
    case llama3(factor: Double, lowFrequency: Double, highFrequency: Double, length: Int)
    /// A ramp between kept and divided frequencies, and a temperature. Peng et al. 2023,
    /// arXiv:2309.00071.
    case yarn(
        factor: Double, fast: Double, slow: Double, length: Int, truncates: Bool,
        attentionFactor: Double)
}
