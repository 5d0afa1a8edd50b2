/// The time that reading prompts and making tokens takes.
public final class GenerationClock {
    /// The tokens of all prompts.
    public private(set) var promptTokens = 0
    /// The seconds in which prompts were read.
    public private(set) var promptSeconds = 0.0
    /// The new tokens of all continuations that are returned.
    public private(set) var newTokens = 0
    /// The seconds in which new tokens were made.
    public private(set) var newSeconds = 0.0

    /// A clock that stands at zero.
    public init() {}

    func reading<Result>(_ prompts: [[Int]], _ body: () throws -> Result) rethrows -> Result {
        defer { promptTokens += prompts.reduce(0) { $0 + $1.count } }
        return try measured(&promptSeconds, body)
    }

    func decoding(_ body: () throws -> [Generation]) rethrows -> [Generation] {
        let generations = try measured(&newSeconds, body)
        newTokens += generations.reduce(0) { $0 + $1.tokens }
        return generations
    }

    func step(_ body: () throws -> Void) rethrows {
        try measured(&newSeconds, body)
        newTokens += 1
    }

    private func measured<Result>(
        _ seconds: inout Double, _ body: () throws -> Result
    ) rethrows -> Result {
        let clock = ContinuousClock()
        let start = clock.now
        let result = try body()
        seconds += (clock.now - start) / .seconds(1)
        return result
    }
}
