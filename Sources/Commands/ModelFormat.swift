import ArgumentParser
import FineTuning

/// What a merged model is written as.
enum ModelFormat: String, CaseIterable, ExpressibleByArgument {
    case safetensors, gguf
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
