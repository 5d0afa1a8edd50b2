import DualTorch

/// A head whose weight is the embedding's, until an adapter brings one of them a value of its own.
///
/// As in PEFT the other then keeps the model's: `modules_to_save` wraps one module, and the weight that
/// both shared stays where it was.
public final class TiedHead {
    private let head: Linear
    public let embedding: Parameter
    /// The head's own weight, where it is apart from the embedding.
    public let own: Parameter

    /// Nil for a head with a weight of its own.
    public init?(_ head: Linear?, embedding: Parameter) {
        guard let head, head.weight === embedding else { return nil }
        self.head = head
        self.embedding = embedding
        own = Parameter(name: head.path + ".weight", stored: embedding.stored)
    }

    public var isApart: Bool { head.weight === own }

    /// ``own``, which has the embedding's value as long as the two are one.
    public var headWeight: Parameter {
        if !isApart { own.stored = embedding.stored }
        return own
    }

    /// Gives the head a weight of its own.
    package func part(headWeight: StoredWeight) {
        own.stored = headWeight
        head.take(own)
    }

    /// Makes them one again.
    package func join() { head.take(embedding) }
}
