import DualTorch

/// The keys that each query of a causal model may see, made once for all layers of a kind.
package final class VisibleKeys {
    /// The visible keys as LibTorch's attention takes them.
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
    let window: Int?
    private let device: Device
    private var madeForm: Form?

    /// The keys that each of `count` new tokens behind `past` cached ones sees.
    /// - Parameter window: how many tokens, its own counted, a token sees; nil for all before it.
    package init(_ layout: BatchLayout, past: Int, count: Int, window: Int?, device: Device) {
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
        var layout = layout
        // Padding behind a sequence counts as its own: no token before it sees it.
        if case .rows(let padding, _, _) = layout { layout = .rows(leftPadding: padding) }
        return SequenceVisibility(
            sequences: layout.places(past: 0, count: count).sequences, isCausal: true,
            window: window)
    }
}
