import ArgumentParser
import FineTuning

/// What a merged model or an adapter is written as.
enum ModelFormat: String, CaseIterable, ExpressibleByArgument {
    case safetensors, gguf

    /// The type that a GGUF file is written in; nil where a folder is written.
    /// - Parameters:
    ///   - given: the value of `--type`.
    ///   - known: the types that there are for what is written.
    ///   - standard: where none is given.
    /// - Throws: ``CommandError``.
    func type(
        _ given: GGUFTypeArgument?, of known: [GGUFType], standard: GGUFType
    ) throws -> GGUFType? {
        guard self == .gguf else {
            guard given == nil else { throw CommandError("--type: goes with --format gguf alone") }
            return nil
        }
        let type = given?.type ?? standard
        guard known.contains(type) else {
            let names = known.map { $0.name.lowercased() }.joined(separator: ", ")
            throw CommandError("--type: \(type.name.lowercased()) is none of \(names)")
        }
        return type
    }
}

/// A type that the matrices of a GGUF file are written in, by llama.cpp's name in small letters.
struct GGUFTypeArgument: ExpressibleByArgument {
    let type: GGUFType

    static var allValueStrings: [String] { MergeRun.ggufTypes.map { $0.name.lowercased() } }

    static var names: String { allValueStrings.joined(separator: ", ") }

    init?(argument: String) {
        let name = argument.lowercased()
        guard let type = MergeRun.ggufTypes.first(where: { $0.name.lowercased() == name }) else {
            return nil
        }
        self.type = type
    }
}
