import DualTorch
import Foundation

/// The tensors of an adapter's file, without the adapter's own name in theirs.
///
/// PEFT's `save_pretrained` leaves the name out of `lora_A.weight`; what others save of a model in memory
/// has it, as in `lora_A.default.weight`.
struct AdapterTensors {
    let file: SafetensorsFile
    /// The name in the file, by that without the adapter's.
    private let spellings: [String: String]
    /// The names, without the adapter's, sorted.
    let names: [String]

    /// - Throws: ``AdapterError/twoNames(_:_:file:)`` for tensors of two adapters.
    init(_ file: SafetensorsFile) throws {
        self.file = file
        var spellings: [String: String] = [:]
        var adapter: (name: Substring, key: String)?
        for key in file.names {
            let (bare, name) = Self.withoutAdapterName(key)
            if let name {
                if let adapter, adapter.name != name {
                    throw AdapterError.twoNames(adapter.key, key, file: file.url.path)
                }
                adapter = (name, key)
            }
            if let other = spellings.updateValue(key, forKey: bare) {
                throw AdapterError.twoNames(other, key, file: file.url.path)
            }
        }
        self.spellings = spellings
        names = spellings.keys.sorted()
    }

    /// The beginnings of what PEFT calls the tensors of its methods.
    private static let beginnings = [
        "lora_", "vera_", "hira_", "randlora_", "trainable_tokens_", "adapter_",
    ]

    /// A name without an adapter's, which stands behind the tensor's own: before `weight` or `bias`, or last.
    private static func withoutAdapterName(_ key: String) -> (bare: String, name: Substring?) {
        var words = key.split(separator: ".", omittingEmptySubsequences: false)
        let place = words.lastIndex { word in beginnings.contains(where: word.hasPrefix) }
        guard let place, words.indices.contains(place + 1), words[place] != "token_adapter" else {
            return (key, nil)
        }
        let (name, ending) = (words[place + 1], words[(place + 2)...])
        guard !["weight", "bias"].contains(name),
            ending.isEmpty || ["weight", "bias"].contains(ending.first) && ending.count == 1
        else { return (key, nil) }
        words.remove(at: place + 1)
        return (words.joined(separator: "."), name)
    }

    func contains(_ name: String) -> Bool { spellings[name] != nil }

    /// A tensor's name as the file has it.
    func spelling(of name: String) -> String { spellings[name] ?? name }

    func shape(of name: String) -> [Int]? { spellings[name].flatMap(file.shape) }

    /// - Throws: ``SafetensorsError/missingTensor(name:file:)``.
    func tensor(_ name: String) throws -> Tensor { try file.tensor(spelling(of: name)) }

    var path: String { file.url.path }
}
