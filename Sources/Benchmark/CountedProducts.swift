import DualModules

/// An adapter's part that tells which matrix products are its own; a part that does not is measured as if
/// it had none.
package protocol CountedProducts: AdapterPart {
    /// The matrix products that a training step cannot do without on the part's account: all but a layer's
    /// output and the gradient at its input, which its own weight costs with an adapter or without. Of a
    /// part that forms weights and keeps none, forming them for the backward counts again.
    func products(of step: PartStep) -> [MatrixProduct]
}

extension PartStep {
    /// The products that are a part's own.
    func products(of part: (any AdapterPart)?) -> [MatrixProduct] {
        (part as? any CountedProducts)?.products(of: self) ?? []
    }
}
