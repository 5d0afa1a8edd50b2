/// The state after one optimizer step; the loss is the mean since the last record.
public struct StepRecord: Codable, Equatable, Sendable {
    /// Steps done, from 1.
    public var step: Int
    public var epoch: Double
    public var loss: Double
    /// Of what the method trains, at this step.
    public var learningRate: Double
    /// Of all gradients before they were limited.
    public var gradientNorm: Double
    /// Tokens seen since the run began, without padding.
    public var tokens: Int
    /// Of training since the run began.
    public var seconds: Double

    enum CodingKeys: String, CodingKey {
        case step, epoch, loss, tokens, seconds
        case learningRate = "learning_rate"
        case gradientNorm = "gradient_norm"
    }
}
