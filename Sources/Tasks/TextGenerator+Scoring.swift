import DualGeneration
import DualTraining

extension TextGenerator {
    /// Continues prompts for a score, which may be stopped before every token.
    /// - Parameters:
    ///   - standing: how far the score has come.
    ///   - progress: is told so before every token; what it throws ends the score.
    func generate(
        ids prompts: [[Int]], _ options: GenerationOptions, at standing: ScoringProgress,
        _ progress: (ScoringProgress) throws -> Void
    ) throws -> [Generation] {
        var stop: (any Error)?
        let generations = try generate(
            ids: prompts, options,
            isCancelled: {
                do { try progress(standing) } catch { stop = error }
                return stop != nil
            })
        if let stop { throw stop }
        return generations
    }
}
