import DualAdapters

/// A method whose step needs the gradient at the whole weight of an adapted layer, for it makes its update
/// of that size.
package protocol WeightGradientMethod: LinearAdapterMethod {}

extension HiRA: WeightGradientMethod {}
extension RandLoRA: WeightGradientMethod {}
extension DualLoRA: WeightGradientMethod {}

extension FineTuningMethod {
    /// The products of T·d·k that a training step makes of one adapted layer, its thin ones and element-wise
    /// work not counted: output and gradient at the input, and for some the gradient at the weight.
    package static var stepProducts: Int {
        self is any WeightTrainingMethod.Type || self is any WeightGradientMethod.Type ? 3 : 2
    }
}
