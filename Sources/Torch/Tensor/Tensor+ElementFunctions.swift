extension Tensor {
    /// f of each element, in one pass each way; `self` is kept for the backward.
    package func mapped(by function: ElementFunction) throws -> Tensor {
        guard ElementKernel.takes(self) else { return try function.plain(self) }
        guard recordsGradients(self) else { return try ElementKernel.map(self, by: function) }
        return try kernelFunction(function.rawValue, of: [self]) {
            [try ElementKernel.map(self, by: function)]
        } backward: { gradients, _ in
            [try gradients[0].map { try ElementKernel.gradient(from: $0, at: self, of: function) }]
        }[0]
    }

    /// f(self) · up, in one pass each way; both factors are kept for the backward, and nothing else.
    /// Shazeer 2020, arXiv:2002.05202.
    package func gating(_ up: Tensor, by function: ElementFunction) throws -> Tensor {
        guard ElementKernel.takes(self, up) else { return try function.plain(self) * up }
        guard recordsGradients(self, up) else {
            return try ElementKernel.gate(up, by: self, through: function)
        }
        return try kernelFunction("gated \(function.rawValue)", of: [self, up]) {
            [try ElementKernel.gate(up, by: self, through: function)]
        } backward: { gradients, _ in
            guard let gradient = gradients[0] else { return [nil, nil] }
            let factorGradients = try ElementKernel.gatedGradients(
                from: gradient, gate: self, up: up, of: function)
            return [factorGradients.gate, factorGradients.up]
        }[0]
    }
}
