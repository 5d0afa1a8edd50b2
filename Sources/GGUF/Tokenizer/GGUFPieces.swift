import DualTokenization
import Foundation

/// `tokenizer.model` of a vocabulary of SentencePiece.
struct GGUFPieces {
    private let file: GGUFFile
    private let vocabulary: GGUFVocabulary
    private let scores: [Double]

    init(_ file: GGUFFile) throws {
        self.file = file
        vocabulary = try GGUFVocabulary(file)
        let key = "tokenizer.ggml.scores"
        guard let scores = try file.numbers(key) else {
            throw file.bad(key, "is missing from the metadata")
        }
        guard scores.count == vocabulary.tokens.count else {
            throw file.bad(
                key, "has \(scores.count) scores for \(vocabulary.tokens.count) tokens")
        }
        self.scores = scores
    }

    /// Whether a space is put before a text.
    static func addsSpace(_ file: GGUFFile) throws -> Bool {
        try file.flag("tokenizer.ggml.add_space_prefix") ?? true
    }

    func data() throws -> Data {
        guard file["tokenizer.ggml.precompiled_charsmap"] == nil else {
            throw file.bad(
                "tokenizer.ggml.precompiled_charsmap", "does not go with merges by scores")
        }
        let roles = try vocabulary.roles()
        func token(_ name: String) -> String? { roles.first { $0.name == name }?.token }
        var kinds = vocabulary.kinds
        // One piece stands for what there is no other for.
        if !kinds.contains(.unknown) {
            kinds[roles.first { $0.name == "unk_token" }?.id ?? 0] = .unknown
        }
        var model = SentencePieceModelData()
        for (id, piece) in vocabulary.tokens.enumerated() {
            model.add(
                piece: piece, score: Float(scores[id]),
                kind: SentencePieceModelData.Kind(kinds[id]))
        }
        model.setTraining(
            fallsBackToBytes: kinds.contains(.byte), beginning: token("bos_token"),
            end: token("eos_token"), padding: token("pad_token"))
        model.setNormalization(
            addsDummyPrefix: try Self.addsSpace(file),
            removesExtraWhitespace: try file.flag("tokenizer.ggml.remove_extra_whitespaces")
                ?? false)
        return model.data
    }
}

extension SentencePieceModelData.Kind {
    fileprivate init(_ kind: GGUFVocabulary.Kind) {
        self =
            switch kind {
            case .undefined, .normal: .normal
            case .unknown: .unknown
            case .control: .control
            case .userDefined: .userDefined
            case .unused: .unused
            case .byte: .byte
            }
    }
}
