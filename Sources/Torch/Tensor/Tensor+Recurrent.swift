extension Tensor {
    /// A long short-term memory over the rows (V, in), forwards and backwards, from states of zeros:
    /// (V, 2 h) (`torch.nn.LSTM`). Hochreiter and Schmidhuber 1997, doi:10.1162/neco.1997.9.8.1735.
    ///
    /// - Parameter parameters: of each direction PyTorch's `weight_ih` (4 h, in), `weight_hh` (4 h, h),
    ///   `bias_ih` (4 h), `bias_hh` (4 h).
    package func bidirectionalLSTM(_ parameters: [Tensor]) throws -> Tensor {
        let state = try Tensor.zeros([2, 1, parameters[1].size(1)], dtype: dtype, device: device)
        // With biases, one layer, no dropout, what a backward needs, both directions, the batch first.
        return try call(
            "aten::lstm.input",
            [
                .tensor(expandedDimension(at: 0)), .tensors([state, state]), .tensors(parameters),
                true, 1, 0.0, .bool(isRecordingGradients), true, true,
            ]
        ).squeezed(0)
    }
}
