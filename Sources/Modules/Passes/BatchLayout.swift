import DualTorch

/// How sequences lie in the rows of a batch.
public enum BatchLayout: Equatable, Sendable {
    /// One sequence a row, behind so many padding tokens; padding behind a sequence needs not be
    /// given, for no token before it sees it.
    /// - Parameters:
    ///   - lengths: of the sequences, where padding is behind them.
    ///   - prompts: the lengths of their prompts, where the answers to them stand in the same rows.
    case rows(leftPadding: [Int], lengths: [Int]? = nil, prompts: [Int]? = nil)
    /// One row of sequences of these lengths, one behind the other.
    case packed(lengths: [Int], prompts: [Int]? = nil)

    /// Each token's position in its own sequence: (T), or (B, T) where rows differ; and the greatest
    /// plus one.
    /// - Parameters:
    ///   - past: tokens that stand in a cache before these.
    ///   - count: T.
    func positions(past: Int, count: Int, device: Device) throws -> (Tensor, length: Int) {
        switch self {
        case .packed(let lengths, _):
            let positions = lengths.flatMap { Array(0..<$0) }
            return (try Tensor(positions).to(device: device), lengths.max() ?? 0)
        case .rows(let padding, _, _):
            let least = padding.min() ?? 0
            guard padding.contains(where: { $0 != least }) || least > 0 else {
                let positions = Array(past..<past + count)
                return (try Tensor(positions).to(device: device), past + count)
            }
            let positions = padding.flatMap { skipped in
                (past..<past + count).map { max(0, $0 - skipped) }
            }
            return (
                try Tensor(positions, [padding.count, count]).to(device: device),
                past + count - least
            )
        }
    }

    /// The keys that `count` new tokens see, as LibTorch's attention takes them.
    func form(
        past: Int, count: Int, window: Int?, device: Device
    ) throws -> VisibleKeys.Form {
        switch self {
        case .packed(let lengths, _):
            var start = 0
            return .packed(
                try lengths.map { length in
                    defer { start += length }
                    let mask =
                        try needsMask(length, window)
                        ? Self.mask([0], past: 0, count: length, window: window, device) : nil
                    return VisibleKeys.Segment(range: start..<start + length, mask: mask)
                })
        case .rows(let padding, _, _):
            let isPadded = padding.contains { $0 > 0 }
            if !isPadded, !needsMask(past + count, window) {
                if count == 1 { return .all }
                if past == 0 { return .causal }
            }
            return .masked(
                try Self.mask(padding, past: past, count: count, window: window, device))
        }
    }

    private func needsMask(_ length: Int, _ window: Int?) -> Bool {
        window.map { length > $0 } ?? false
    }

    /// (B, 1, T, S): key j is seen by query i if j ≤ i, if it is no padding, and if it is in the
    /// window; a query that is padding sees itself, for it must see something.
    private static func mask(
        _ padding: [Int], past: Int, count: Int, window: Int?, _ device: Device
    ) throws -> Tensor {
        let keys = try Tensor.range(past + count, device: device)  // (S)
        let queries = try Tensor(Array(past..<past + count), [count, 1]).to(device: device)
        let distance = try queries - keys  // (T, S)
        var seen = try (distance > -1)
        if let window { seen = try seen.and(distance < Double(window)) }
        let skipped = try Tensor(padding, [padding.count, 1, 1, 1]).to(device: device)
        let isToken = try (keys - skipped) > -1  // (B, 1, 1, S)
        return try seen.and(isToken).or(distance.equals(0))
    }

    /// The sequences' places in rows of these tokens.
    /// - Parameters:
    ///   - past: tokens that stand in a cache before these.
    ///   - count: T.
    package func places(past: Int, count: Int) -> TokenPlaces {
        var sequences: [(row: Int, tokens: Range<Int>)] = []
        var promptLengths: [Int]?
        switch self {
        case .rows(let padding, let lengths, let prompts):
            for (row, skipped) in padding.enumerated() where skipped < past + count {
                let end = lengths.map { min(past + count, skipped + $0[row]) } ?? past + count
                sequences.append((row, max(0, skipped - past)..<max(0, end - past)))
            }
            promptLengths = prompts.map { prompts in sequences.map { prompts[$0.row] } }
        case .packed(let lengths, let prompts):
            var start = 0
            for length in lengths {
                sequences.append((0, start..<start + length))
                start += length
            }
            promptLengths = prompts
        }
        return TokenPlaces(
            sequences: sequences, promptLengths: promptLengths, isContinuation: past > 0)
    }
}
