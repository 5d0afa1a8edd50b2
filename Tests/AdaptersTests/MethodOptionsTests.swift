import DualModels
import DualModules
import DualTorch
import Foundation
import TestSupport
import Testing

@testable import DualAdapters

@Suite struct MethodOptionsTests {
    /// An option that a method refuses, and words of the refusal.
    struct Refusal: Sendable, CustomTestStringConvertible {
        let method: String
        let words: [String]
        let set: @Sendable (inout MethodOptions) -> Void
        var testDescription: String { "\(method): \(words[0])" }

        init(
            _ method: String, _ words: String...,
            set: @escaping @Sendable (inout MethodOptions) -> Void
        ) {
            (self.method, self.words, self.set) = (method, words, set)
        }
    }

    static let refusals = [
        Refusal("lora", "--rank", "0 is not a rank") { $0.rank = 0 },
        Refusal("lora", "--alpha", "not greater than 0") { $0.alpha = 0 },
        Refusal("lora", "--alpha", "inf") { $0.alpha = .infinity },
        Refusal("lora", "--alpha", "nan") { $0.alpha = .nan },
        Refusal("lora", "--dropout", "1.0 is not a probability") { $0.dropout = 1 },
        Refusal("lora", "--dropout", "nan") { $0.dropout = .nan },
        Refusal("lora", "--dropout", "-0.1") { $0.dropout = -0.1 },
        Refusal("lora", "--magnitude-rank", "no such option") { $0.magnitudeRank = 4 },
        Refusal("lora", "--gate-steps", "no such option") { $0.gateSteps = 4 },
        Refusal("lora", "--init-std", "no such option") { $0.initialDeviation = 4 },
        Refusal("dual-lora", "--rank", "7 cannot be halved") { $0.rank = 7 },
        Refusal("dual-lora", "--rank", "-2 is not a rank") { $0.rank = -2 },
        Refusal("dual-lora", "--rank", "give either it or") {
            ($0.rank, $0.magnitudeRank) = (8, 4)
        },
        Refusal("dual-lora", "--direction-rank", "0 is not a rank") { $0.directionRank = 0 },
        Refusal("dual-lora", "--alpha", "-1.0") { $0.alpha = -1 },
        Refusal("dual-lora", "--dropout", "probability") { $0.dropout = 2 },
        Refusal("dual-lora", "--init-std", "must be above 0") { $0.initialDeviation = 0 },
        Refusal("dual-lora", "--init-std", "nan") { $0.initialDeviation = .nan },
        Refusal("dual-lora", "--gate-steps", "-1 is negative") { $0.gateSteps = -1 },
        Refusal("full", "--rank", "no such option") { $0.rank = 8 },
        Refusal("full", "--dropout", "no such option") { $0.dropout = 0.1 },
    ]

    @Test("An option that makes no sense is refused by name", arguments: refusals)
    func refused(_ row: Refusal) throws {
        var options = MethodOptions()
        row.set(&options)
        let text = message { _ = try MethodRegistry.method(named: row.method).init(options) }
        #expect(text.contains("for \(row.method): "), "in: \(text)")
        for word in row.words { #expect(text.contains(word), "in: \(text)") }
    }

    // MARK: - Targets

    private func chosen(_ text: String) throws -> [String] {
        try TargetSelection(text).layers(of: Bert.tiny().linears).map(\.path)
    }

    @Test("A target is a layer's path or the end of it, word by word")
    func suffixes() throws {
        let layer = "bert.encoder.layer."
        #expect(try chosen("query") == ["0", "1"].map { layer + "\($0).attention.self.query" })
        #expect(try chosen(layer + "1.attention.self.query") == [layer + "1.attention.self.query"])
        #expect(try chosen("query, value").count == 4)
        #expect(try chosen(" value ,,query ").count == 4)
        #expect(try chosen("attention.output.dense").count == 2)
        #expect(try chosen("output.dense").count == 4)
        #expect(try chosen("dense").count == 7)
        #expect(try chosen("all-linear").count == 13)
        #expect(try chosen("query,self.query").count == 2)
    }

    @Test(
        "A name that matches nothing is refused with the layers that there are",
        arguments: [
            "quer", "uery", "query,keys", "Query", "classifier", "all-linear,query",
        ])
    func noSuchTarget(_ text: String) throws {
        let found = message { _ = try chosen(text) }
        #expect(found.contains("matches no layer; the layers are "), "in: \(found)")
        #expect(found.contains("query (12 x 12)"))
        #expect(found.contains("intermediate.dense (20 x 12)"))
    }

    @Test("No target at all is refused", arguments: ["", " , "])
    func noTargets(_ text: String) throws {
        #expect(throws: AdapterError.noTargets) { try chosen(text) }
    }
}
