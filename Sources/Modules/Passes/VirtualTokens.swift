import DualTorch

/// The places of virtual tokens in the rows of a batch: before the first token of every sequence, behind
/// the padding on its left.
///
/// PEFT puts them before that padding. To keys and values, which have no place of their own, it is the
/// same but for a sliding window, which then counts the padding; the positions of a prompt's text
/// would depend on how long the other rows are, and with them what is generated. Here no row depends
/// on another.
package struct VirtualTokens {
    /// V
    package let count: Int
    /// How the sequences lie in the rows, virtual tokens counted.
    package let layout: BatchLayout
    /// T', the tokens of a row, virtual ones counted.
    package let rowLength: Int
    private let order: Order

    private enum Order {
        /// Every row begins with them.
        case first
        /// By number: the rows of V virtual tokens and all others that make up the whole (B T'), and
        /// the rows of the whole that are no virtual ones (B T).
        case mixed(whole: Tensor, own: Tensor)
    }

    /// - Parameters:
    ///   - layout: of the rows without virtual tokens.
    ///   - length: T, the tokens of a row without virtual ones.
    package init(_ count: Int, before layout: BatchLayout, length: Int, device: Device) throws {
        self.count = count
        var (whole, own) = ([Int](), [Int]())
        func add(_ tokens: Range<Int>) {
            own += whole.count..<whole.count + tokens.count
            whole += tokens.map { $0 + count }
        }
        switch layout {
        case .rows(let padding, let lengths, let prompts):
            self.layout = .rows(
                leftPadding: padding, lengths: lengths?.map { $0 + count },
                prompts: prompts?.map { $0 + count })
            rowLength = length + count
            guard padding.contains(where: { $0 > 0 }) else {
                order = .first
                return
            }
            for (row, skipped) in padding.enumerated() {
                let start = row * length
                add(start..<start + skipped)
                whole += 0..<count
                add(start + skipped..<start + length)
            }
        case .packed(let lengths, let prompts):
            self.layout = .packed(
                lengths: lengths.map { $0 + count }, prompts: prompts?.map { $0 + count })
            rowLength = length + lengths.count * count
            var start = 0
            for length in lengths {
                whole += 0..<count
                add(start..<start + length)
                start += length
            }
        }
        order = .mixed(
            whole: try Tensor(whole).to(device: device), own: try Tensor(own).to(device: device))
    }

    /// What stands at tokens (B, T, ...), with what stands at virtual ones (V, ...) before every
    /// sequence: (B, T', ...).
    package func inserting(_ virtual: Tensor, into tokens: Tensor) throws -> Tensor {
        let (B, features) = (tokens.size(0), Array(tokens.shape.dropFirst(2)))
        guard case .mixed(let whole, _) = order else {
            let repeated = try virtual.expandedDimension(at: 0).expanded([B, count] + features)
            return try .joined([repeated, tokens], along: 1)
        }
        let rows = try Tensor.joined([virtual, tokens.reshaped([-1] + features)], along: 0)
        return try rows.gathered(rows: whole).reshaped([B, rowLength] + features)
    }

    /// What stands at the tokens that are not virtual: (B, T', ...) to (B, T, ...).
    package func own(of x: Tensor) throws -> Tensor {
        guard case .mixed(_, let own) = order else {
            return try x.slice(count..<rowLength, along: 1)
        }
        let (B, features) = (x.size(0), Array(x.shape.dropFirst(2)))
        return try x.reshaped([-1] + features).gathered(rows: own).reshaped([B, -1] + features)
    }
}
