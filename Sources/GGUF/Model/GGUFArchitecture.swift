import DualJSON

/// The architectures of decoders whose files are read, by `general.architecture`. LLaMA's are those of
/// Mistral too.
public enum GGUFArchitecture: String, CaseIterable, Sendable {
    case llama, qwen2, qwen3, gpt2

    static let key = "general.architecture"

    init(of file: GGUFFile) throws {
        guard let name = try file.text(Self.key) else {
            throw file.bad(Self.key, "is missing from the metadata")
        }
        guard let architecture = Self(rawValue: name) else {
            let known = Self.allCases.map(\.rawValue).joined(separator: ", ")
            throw file.bad(
                Self.key, "is \(name.excerpt()), which is not supported; supported: \(known)")
        }
        self = architecture
    }
}
