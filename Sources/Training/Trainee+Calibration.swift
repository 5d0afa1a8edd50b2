import DualAdapters
import DualModules

extension Trainee {
    /// Lets a method that begins at the data see the first of the training examples, each in a
    /// forward pass of its own, as the model is without an adapter.
    /// - Returns: how many it saw; 0 where the method needs none.
    @discardableResult
    public func calibrate(on examples: any TrainingSet) throws -> Int {
        try adapter?.calibrate(examples: examples.lengths.count) { index in
            _ = try examples.loss(of: model, on: [index], mode: .inference)
        } ?? 0
    }
}
