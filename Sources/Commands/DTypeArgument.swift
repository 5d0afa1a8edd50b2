import ArgumentParser
import FineTuning

extension DType: ExpressibleByArgument {
    /// What a model can be computed in.
    public static var allValueStrings: [String] {
        [DType.bfloat16, .float32, .float64].map(\.rawValue)
    }

    /// Other words for types: those of PyTorch and of transformers' flags.
    private static let spellings: [String: DType] = [
        "bf16": .bfloat16, "fp32": .float32, "float": .float32, "f32": .float32,
        "fp64": .float64, "double": .float64, "f64": .float64,
        "fp16": .float16, "half": .float16, "f16": .float16,
    ]

    /// A type by any of its names.
    static func named(_ text: String) -> DType? {
        let name = text.hasPrefix("torch.") ? String(text.dropFirst("torch.".count)) : text
        return DType(rawValue: name) ?? spellings[name]
    }

    public init?(argument: String) {
        guard let type = DType.named(argument), Self.allValueStrings.contains(type.rawValue)
        else { return nil }
        self = type
    }
}
