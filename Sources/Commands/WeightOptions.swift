import ArgumentParser
import FineTuning

/// What a model's frozen weights are kept in.
struct WeightOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Quantise the frozen weights of linear layers but the head while they are read: "
                + BlockFormat.written.map {
                    "\($0.rawValue) (\(decimal($0.bitsPerNumber, digits: 1)) bits)"
                }
                .joined(separator: ", ")
                + ". Activations, adapters and gradients stay in what is computed in.",
            valueName: "format"))
    var quantize: BlockFormat?
}

extension BlockFormat: ExpressibleByArgument {
    /// What numbers can be quantised to.
    public static var allValueStrings: [String] { written.map(\.rawValue) }

    public init?(argument: String) {
        guard let format = Self.written.first(where: { $0.rawValue == argument }) else {
            return nil
        }
        self = format
    }
}
