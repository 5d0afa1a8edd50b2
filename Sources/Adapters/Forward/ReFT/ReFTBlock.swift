import DualModules
import DualTorch

/// The edits at the end of one block.
package final class ReFTBlock: BlockAdapter {
    package let edits: [(name: String, positions: EditedPositions, edit: ReFTEdit)]
    private let dropout: Double

    init(
        _ edits: [(name: String, positions: EditedPositions, edit: ReFTEdit)], dropout: Double
    ) {
        self.edits = edits
        self.dropout = dropout
    }

    package var parameters: [(name: String, value: Tensor)] {
        edits.flatMap { name, _, edit in
            edit.parameters.map { ("\(name).\($0.name)", $0.value) }
        }
    }

    package func savedTensors() throws -> [(name: String, value: Tensor)] {
        try withoutGradient {
            try edits.flatMap { name, _, edit in
                try edit.savedTensors().map { ("\(name).\($0.name)", $0.value) }
            }
        }
    }

    package func callAsFunction(
        _ x: Tensor, at place: TokenPlaces, mode: ForwardMode
    ) throws -> Tensor {
        // What comes behind a prompt is not edited.
        guard !place.isContinuation else { return x }
        let width = x.size(1)
        let rows = try x.reshaped(-1, x.size(2))  // (B T, E)
        var (numbers, edited) = ([Int](), [Tensor]())
        for (_, positions, edit) in edits {
            let rowNumbers = place.prompts.flatMap { row, tokens in
                positions.of(tokens).map { row * width + $0 }
            }
            guard !rowNumbers.isEmpty else { continue }
            let states = try rows.gathered(rows: Tensor(rowNumbers).to(device: x.device))
            // Few states: in the parameters' type.
            let output = try edit(states.to(edit.bias.dtype))
            edited.append(try mode.dropping(output, probability: dropout).to(x.dtype))
            numbers += rowNumbers
        }
        guard !edited.isEmpty else { return x }
        return try rows.replacing(
            rows: Tensor(numbers).to(device: x.device), with: .joined(edited, along: 0)
        ).reshaped(x.shape)
    }
}
