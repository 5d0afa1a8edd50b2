import DualAdapters
import DualModules
import DualTorch

// The products of every method's parts, as their equations have them. T is the rows of a step, d and k the
// outputs and inputs of a layer.

// MARK: - Paths of low rank

extension LoRALayer: CountedProducts {
    package func products(of step: PartStep) -> [MatrixProduct] { step.path(rank: rank) }
}

extension DoRALayer: CountedProducts {
    /// n² takes W₀ Aᵀ, A Aᵀ and B (A Aᵀ).
    package func products(of step: PartStep) -> [MatrixProduct] {
        step.path(rank: rank) + [
            MatrixProduct(step.outputSize, step.inputSize, rank),
            MatrixProduct(rank, step.inputSize, rank), MatrixProduct(step.outputSize, rank, rank),
        ]
    }
}

extension FLoRALayer: CountedProducts {
    /// B E comes on top.
    package func products(of step: PartStep) -> [MatrixProduct] {
        step.path(rank: rank)
            + MatrixProduct.linear(rows: step.outputSize, inputs: rank, outputs: rank)
    }
}

extension CorDALayer: CountedProducts {
    /// B A, and B₀ A₀, which does not train.
    package func products(of step: PartStep) -> [MatrixProduct] {
        step.path(rank: rank) + step.path(rank: rank, trains: false)
    }
}

extension DeltaLoRALayer: CountedProducts {
    /// B A, and B_K A_K once the weight moves.
    package func products(of step: PartStep) -> [MatrixProduct] {
        step.path(rank: rank) + (isMoving ? step.path(rank: rank, trains: false) : [])
    }
}

extension VeRALayer: CountedProducts {
    /// Of A nothing is wanted but what leads back to x; of B, the sums that make the gradient at b.
    package func products(of step: PartStep) -> [MatrixProduct] {
        MatrixProduct.linear(
            rows: step.rows, inputs: step.inputSize, outputs: rank, atInput: step.atInput,
            atWeight: false)
            + MatrixProduct.linear(rows: step.rows, inputs: rank, outputs: step.outputSize)
    }
}

extension MoRALayer: CountedProducts {
    package func products(of step: PartStep) -> [MatrixProduct] {
        MatrixProduct.linear(
            rows: step.rows * passesOfToken, inputs: side, outputs: side, atInput: step.atInput)
    }
}

// MARK: - Updates that are formed

extension HiRALayer: CountedProducts {
    package func products(of step: PartStep) -> [MatrixProduct] { step.formed(ranks: [rank]) }
}

extension DualLoRALayer: CountedProducts {
    /// The update of the start is formed as often as the update, where it is taken away.
    package func products(of step: PartStep) -> [MatrixProduct] {
        guard countsFromStart else { return step.formed(ranks: ranks) }
        let forming = ranks.map { MatrixProduct(step.outputSize, $0, step.inputSize) }
        return step.formed(ranks: ranks) + forming + (step.atInput ? forming : [])
    }
}

extension RandLoRALayer: CountedProducts {
    /// The products of the way that is taken for T tokens, p = max(d, k) and q = min(d, k): of a formed
    /// update B F, Bᵀ ∂ΔW and B F again; of a path x (B F)ᵀ or x (B F), with F's gradient and none of B's.
    package func products(of step: PartStep) -> [MatrixProduct] {
        let (d, k, T) = (step.outputSize, step.inputSize, step.rows)
        let (p, q) = (max(d, k), min(d, k))
        guard !isFormed(outputSize: d, inputSize: k, tokens: T) else {
            return [
                .atWeight(rows: T, inputs: k, outputs: d),
                MatrixProduct(p, totalRank, q), MatrixProduct(totalRank, p, q),
            ] + (step.atInput ? [MatrixProduct(p, totalRank, q)] : [])
        }
        let isFirstTrained = k <= d
        return MatrixProduct.linear(
            rows: T, inputs: k, outputs: totalRank, atInput: step.atInput,
            atWeight: isFirstTrained)
            + MatrixProduct.linear(
                rows: T, inputs: totalRank, outputs: d, atInput: step.atInput || isFirstTrained,
                atWeight: !isFirstTrained)
    }
}

// MARK: - Bottlenecks and edits

extension BottleneckLayer: CountedProducts {
    package func products(of step: PartStep) -> [MatrixProduct] {
        let sizes = place.sizes(outputSize: step.outputSize, inputSize: step.inputSize)
        // A bottleneck before the layer needs the gradient at the layer's input.
        let atLayer = MatrixProduct(step.rows, step.outputSize, step.inputSize)
        return step.path(through: size, from: sizes.from, to: sizes.to)
            + (place == .serialInput && !step.atInput ? [atLayer] : [])
    }
}

extension NormedBottleneck: CountedProducts {
    package func products(of step: PartStep) -> [MatrixProduct] { step.path(rank: size) }
}

extension ReFTBlock: CountedProducts {
    /// Of the edited states W h, R h and the way back; what makes R of A is no product.
    package func products(of step: PartStep) -> [MatrixProduct] {
        edits.flatMap { _, positions, edit in
            let states = step.sequences * (positions.first + positions.last)
            let read = MatrixProduct.linear(
                rows: states, inputs: edit.hiddenSize, outputs: edit.rank, atInput: step.atInput)
            return (edit.variant.readsState ? read : [])
                + (edit.variant.replacesState ? read : [])
                + MatrixProduct.linear(rows: states, inputs: edit.rank, outputs: edit.hiddenSize)
        }
    }
}

// MARK: - Virtual tokens

extension VectorPrefix: CountedProducts {
    /// Every query meets every key, and brings every value: there and back in each layer.
    package func products(of step: PartStep) -> [MatrixProduct] {
        let queries = step.rows * (step.inputSize / headSize)
        let keys = MatrixProduct.linear(rows: queries, inputs: headSize, outputs: count)
        let values = MatrixProduct.linear(rows: queries, inputs: count, outputs: headSize)
        return encoderProducts(encoderMatrices, vectors: count)
            + (0..<layers).flatMap { _ in keys + values }
    }
}

extension VectorPrompt: CountedProducts {
    /// The virtual tokens themselves are rows of every layer, and counted there.
    package func products(of step: PartStep) -> [MatrixProduct] {
        encoderProducts(encoderMatrices, vectors: count)
    }
}

/// The products of an encoder of so many vectors.
private func encoderProducts(_ matrices: [Tensor], vectors: Int) -> [MatrixProduct] {
    matrices.flatMap {
        MatrixProduct.linear(rows: vectors, inputs: $0.size(1), outputs: $0.size(0))
    }
}
