extension ModelFolder {
    /// What the outputs of a saved head mean, for `config.json`.
    public enum HeadMeaning: Equatable, Sendable {
        /// One number.
        case regression
        /// The classes' names, one an output.
        case classes([String])

        /// Sets the fields by which transformers knows the labels.
        func describe(in fields: inout [String: Any]) {
            fields["num_labels"] = nil
            let names: [String]
            switch self {
            case .regression:
                names = ["LABEL_0"]
                fields["problem_type"] = "regression"
            case .classes(let classes):
                names = classes
                fields["problem_type"] = "single_label_classification"
            }
            let pairs = names.enumerated().map { (String($0.offset), $0.element) }
            fields["id2label"] = Dictionary(uniqueKeysWithValues: pairs)
            fields["label2id"] = Dictionary(
                names.enumerated().map { ($0.element, $0.offset) },
                uniquingKeysWith: { first, _ in first })
        }
    }
}
