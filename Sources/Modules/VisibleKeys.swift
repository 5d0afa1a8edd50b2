import DualTorch

/// What each query of a causal model may see, made once for all layers of a kind.
public final class VisibleKeys {
    /// As LibTorch's attention takes it.
    enum Form {
        /// Every key: one new token a row, none of them padded.
        case all
        /// Those up to the query's own place.
        case causal
        /// Several sequences one behind the other in a batch of one row, each causal and apart.
        case packed([Segment])
        /// (B, 1, T, S) of bool, true where a key is seen.
        case masked(Tensor)
    }

    /// One sequence of a packed row.
    struct Segment {
        let range: Range<Int>
        /// (1, 1, t, t) where plain causality does not do.
        let mask: Tensor?
    }

    private let layout: BatchLayout
    private let past, count: Int
    private let window: Int?
    private let device: Device
    private var madeForm: Form?

    init(layout: BatchLayout, past: Int, count: Int, window: Int?, device: Device) {
        self.layout = layout
        (self.past, self.count) = (past, count)
        self.window = window
        self.device = device
    }

    /// Masks take memory: they are made when they are first asked for.
    func form() throws -> Form {
        if let madeForm { return madeForm }
        let form = try layout.form(past: past, count: count, window: window, device: device)
        madeForm = form
        return form
    }

    /// The sequences whose tokens are these; nil where a cache holds others before them.
    var sequences: SequenceVisibility? {
        guard past == 0 else { return nil }
        var found: [(row: Int, tokens: Range<Int>)] = []
        switch layout {
        case .rows(let padding, _, _):
            for (row, skipped) in padding.enumerated() where skipped < count {
                found.append((row, skipped..<count))
            }
        case .packed(let lengths, _):
            var start = 0
            for length in lengths {
                found.append((0, start..<start + length))
                start += length
            }
        }
        return SequenceVisibility(sequences: found, isCausal: true, window: window)
    }
}

/// How sequences lie in the rows of a batch.
public enum BatchLayout: Equatable, Sendable {
    /// One sequence a row, behind so many padding tokens; padding behind a sequence needs no saying,
    /// for what stands before never sees it.
    /// - Parameters:
    ///   - lengths: of the sequences, where something is behind them.
    ///   - prompts: the lengths of their prompts, where what follows those stands in the same rows.
    case rows(leftPadding: [Int], lengths: [Int]? = nil, prompts: [Int]? = nil)
    /// One row of sequences of these lengths, one behind the other.
    case packed(lengths: [Int], prompts: [Int]? = nil)

    /// Each token's place in its own sequence: (T), or (B, T) where rows differ.
    /// - Parameters:
    ///   - past: tokens that stand in a cache before these.
    ///   - count: T.
    public func positions(past: Int, count: Int, device: Device) throws -> (Tensor, length: Int) {
        switch self {
        case .packed(let lengths, _):
            let places = lengths.flatMap { Array(0..<$0) }
            return (try Tensor(places).to(device: device), lengths.max() ?? 0)
        case .rows(let padding, _, _):
            let least = padding.min() ?? 0
            guard padding.contains(where: { $0 != least }) || least > 0 else {
                let places = Array(past..<past + count)
                return (try Tensor(places).to(device: device), past + count)
            }
            let places = padding.flatMap { skipped in
                (past..<past + count).map { max(0, $0 - skipped) }
            }
            let positions = try Tensor(places, [padding.count, count]).to(device: device)
            return (positions, past + count - least)
        }
    }

    /// What is seen by `count` new tokens behind `past` cached ones.
    /// - Parameter window: how many tokens, its own counted, a token sees; nil for all before it.
    public func visibleKeys(past: Int, count: Int, window: Int?, device: Device) -> VisibleKeys {
        VisibleKeys(layout: self, past: past, count: count, window: window, device: device)
    }

    fileprivate func form(
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
}
