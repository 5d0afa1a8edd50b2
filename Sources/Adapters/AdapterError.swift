import DualModules
import DualNames

/// An adapter that cannot be made, read or applied.
public enum AdapterError: Error, Equatable, CustomStringConvertible {
    case unknownMethod(name: String, known: [String])
    case methodTaken(name: String)
    case peftTypeTaken(name: String, method: String)
    case badOption(method: String, option: String, reason: String)
    case noSuchTarget(name: String, known: [String])
    case embeddingTarget(name: String, method: String)
    case headTarget(name: String)
    case noTargets
    case noSuchBlock(_ index: Int, count: Int)
    case badPattern(_ pattern: String)
    case slowPattern(_ pattern: String, path: String)
    case noSuchModule(name: String)
    case noPlace(method: String)
    case doesNotMerge(method: String)
    case noSuchAdapter(name: String, known: [String])
    case nameTaken(_ name: String)
    case savedTwice(name: String)
    case noAdapter(folder: String)
    case pickled(file: String)
    case unsupported(file: String, key: String, found: String, reason: String)
    case noSuchLayer(name: String, file: String)
    case wrongShape(name: String, file: String, expected: [Int], found: [Int])
    case missingTensor(name: String, file: String)
    case extraTensors(names: [String], file: String)
    case tokensTwice(path: String)
    case twoNames(_ first: String, _ second: String, file: String)
    case differentTwins(_ first: String, _ second: String, file: String)
    case notFinite(place: String)
    case noGradient(tensor: String, steps: Int)
    case notCalibrated(layer: String, reason: String)

    public var description: String {
        switch self {
        case .unknownMethod(let name, let known):
            "there is no method '\(name)'; there are \(known.joined(separator: ", "))"
                + (NearestName.of(name, among: known).map { "; did you mean '\($0)'?" } ?? "")
        case .methodTaken(let name): "there is a method '\(name)' already"
        case .peftTypeTaken(let name, let method):
            "adapters of the peft_type '\(name)' are read by the method '\(method)' already"
        case .badOption(let method, let option, let reason): "`\(option)` for \(method): \(reason)"
        case .noSuchTarget(let name, let known):
            "target '\(name)' matches no layer; the layers are \(known.joined(separator: ", "))"
        case .embeddingTarget(let name, let method):
            "target '\(name)' is an embedding, which \(method) has no form for; "
                + "lora, lora-plus and dora have one"
        case .headTarget(let name):
            "target '\(name)' is the head of the task, which trains whole beside every adapter"
        case .noTargets: "no target layers are named"
        case .noSuchBlock(let index, let count):
            "there is no block \(index): the model's are 0 to \(count - 1)"
        case .badPattern(let pattern): "'\(pattern)' is not a regular expression of Python's"
        case .slowPattern(let pattern, let path):
            "the pattern '\(pattern)' is given up: it goes back and forth over '\(path)' for too "
                + "long; write it without a repetition inside a repetition"
        case .noSuchModule(let name): "the model has no module '\(name)' to save"
        case .noSuchAdapter(let name, let known):
            "there is no adapter '\(name)'; there are \(known.joined(separator: ", "))"
        case .nameTaken(let name): "there is an adapter '\(name)' already"
        case .savedTwice(let name):
            "more than one of the adapters brings its own '\(name)': they cannot act together"
        case .noPlace(let method): "the model has no place for \(method)"
        case .doesNotMerge(let method):
            "\(method) cannot be merged: its change is none of the weights"
        case .noAdapter(let folder): "\(folder) has no adapter_config.json"
        case .pickled(let file):
            "\(file) is a pickle, which could run any code and is never read; save the adapter with "
                + "safetensors"
        case .unsupported(let file, let key, let found, let reason):
            "\(file): '\(key)' is \(found), \(reason)"
        case .noSuchLayer(let name, let file):
            "\(file): '\(name)' belongs to no layer of this model; is it for another model?"
        case .wrongShape(let name, let file, let expected, let found):
            "\(file): '\(name)' has shape \(found), but this model needs \(expected)"
        case .missingTensor(let name, let file): "\(file) has no tensor '\(name)'"
        case .extraTensors(let names, let file):
            "\(file) has tensors that its configuration does not speak of: "
                + names.prefix(5).joined(separator: ", ") + (names.count > 5 ? ", ..." : "")
        case .tokensTwice(let path):
            "rows of single tokens train in '\(path)', which the adapter changes as a whole too: name it "
                + "in one place"
        case .twoNames(let first, let second, let file):
            "\(file): '\(first)' and '\(second)' are of two adapters; a file has one"
        case .differentTwins(let first, let second, let file):
            "\(file): '\(first)' and '\(second)' differ, but must be one tensor"
        case .notFinite(let place): "\(place): there are numbers that are not finite, or too large"
        case .noGradient(let tensor, let steps):
            "'\(tensor)' received no gradient in the first \(steps) step(s): it would not train"
        case .notCalibrated(let layer, let reason): "\(layer) cannot be calibrated: \(reason)"
        }
    }
}
