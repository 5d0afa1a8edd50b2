import DualModels
import DualModules
import DualTorch
import Foundation
import TestSupport
import Testing

@Suite struct BertTests {
    @Test("Padding changes nothing: a batch gives what each sequence gives alone")
    func padding() throws {
        let bert = try Bert.tiny()
        let lengths = [3, 9, 1, 6]
        let batch = try TokenBatch.seeded(lengths: lengths)
        #expect(batch.mask != nil)
        #expect(batch.tokenCount == 19)
        let (hidden, logits) = (
            try bert.hiddenStates(batch, mode: .inference), try bert.logits(batch)
        )
        for (row, sequence) in try TokenBatch.sequences(lengths: lengths).enumerated() {
            let single = try TokenBatch([sequence], paddingID: 0)
            #expect(single.mask == nil)
            let alone = try bert.hiddenStates(single, mode: .inference).selecting(0)
            let within = try hidden.selecting(row).slice(0..<lengths[row])
            #expect(try within.isClose(to: alone, absolute: 1e-5))
            #expect(
                try logits.selecting(row).isClose(
                    to: bert.logits(single).selecting(0), absolute: 1e-5))
        }
    }

    @Test("What fills the padding does not matter", arguments: [0, 17])
    func filler(_ id: Int) throws {
        let bert = try Bert.tiny()
        let sequences = try TokenBatch.sequences(lengths: [2, 7])
        let logits = try bert.logits(TokenBatch(sequences, paddingID: id))
        #expect(
            try logits.isClose(to: bert.logits(TokenBatch(sequences, paddingID: 5)), absolute: 1e-6)
        )
    }

    @Test("Padding can stand on either side")
    func paddingSides() throws {
        let sequences = [(ids: [7, 8], typeIDs: [0, 1]), (ids: [9], typeIDs: [0])]
        let right = try TokenBatch(sequences, paddingID: 3)
        #expect(try right.ids.array() == [7, 8, 9, 3])
        #expect(try right.typeIDs.array() == [0, 1, 0, 0])
        #expect(try right.mask?.array() == [true, true, true, false])
        let left = try TokenBatch(sequences, paddingID: 3, side: .left)
        #expect(try left.ids.array() == [7, 8, 3, 9])
        #expect(try left.mask?.array() == [true, true, false, true])
    }

    @Test("Every parameter has an influence on the logits")
    func everyParameterCounts() throws {
        let bert = try Bert.tiny()
        for parameter in bert.parameters { try parameter.value.requireGradient() }
        try bert.logits(TokenBatch.seeded(lengths: [8, 5])).squared().sum().backward()
        for parameter in bert.parameters {
            let gradient = try #require(try parameter.value.gradient(), "\(parameter.name)")
            // A key's bias adds the same to all scores of a query, which softmax takes out again.
            let isSilent = parameter.name.hasSuffix("key.bias")
            #expect(try (gradient.norm().item() > 1e-4) != isSilent, "\(parameter.name)")
        }
    }

    @Test("Dropout acts in training, by its generator, and not in inference")
    func dropout() throws {
        let bert = try Bert.tiny(dropout: 0.3)
        let batch = try TokenBatch.seeded(lengths: [8, 5])
        let plain = try bert.logits(batch)
        #expect(try bert.logits(batch).isIdentical(to: plain))
        let train = { (seed: UInt64) in
            try bert.logits(batch, mode: .training(Generator(seed: seed)))
        }
        #expect(try train(1).isIdentical(to: train(1)))
        #expect(try train(1).largestDifference(to: train(2)) > 1e-3)
        let still = try Bert.tiny()
        #expect(
            try still.logits(batch, mode: .training(Generator(seed: 1))).isClose(
                to: still.logits(batch), absolute: 1e-6))
    }

    @Test(
        "Logits are float32 at least, whatever the model computes in",
        arguments: [DType.bfloat16, .float32, .float64])
    func logitsType(_ computeType: DType) throws {
        let bert = try Bert.tiny(computeType: computeType)
        let batch = try TokenBatch.seeded(lengths: [4])
        #expect(try bert.hiddenStates(batch, mode: .inference).dtype == computeType)
        #expect(try bert.logits(batch).dtype == (computeType == .float64 ? .float64 : .float32))
    }

    @Test("A sequence longer than the positions, and a token without a row, are refused")
    func limits() throws {
        let bert = try Bert.tiny()
        let text = message { _ = try bert.logits(TokenBatch.seeded(lengths: [25])) }
        #expect(text.contains("25 tokens") && text.contains("24"))
        #expect(try bert.logits(TokenBatch.seeded(lengths: [24])).shape == [1, 2])
        #expect(throws: ModelError.unknownToken(id: 40, vocabulary: 40)) {
            try bert.check(ids: [1, 40])
        }
        #expect(throws: ModelError.unknownToken(id: -1, vocabulary: 40)) {
            try bert.check(ids: [-1])
        }
        #expect(throws: ModelError.tooLong(tokens: 25, limit: 24)) {
            try bert.check(ids: [Int](repeating: 1, count: 25))
        }
    }

    @Test("Layers have the names of the reference, and the head is none of them")
    func layers() throws {
        let bert = try Bert.tiny()
        let paths = bert.linears.map(\.path)
        #expect(paths.count == 2 * 6 + 1)
        #expect(paths[0] == "bert.encoder.layer.0.attention.self.query")
        #expect(paths.last == "bert.pooler.dense")
        #expect(!paths.contains("classifier"))
        #expect(Set(bert.parameters.map(\.name)).count == bert.parameters.count)
    }
}

@Suite struct ModelFolderTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func options(labels: Int? = nil, weights: ModelFolder.WeightStorage = .stored)
        -> ModelFolder.LoadOptions
    {
        var options = ModelFolder.LoadOptions()
        options.computeType = .float32
        options.weights = weights
        options.labels = labels
        return options
    }

    private func load(_ options: ModelFolder.LoadOptions? = nil) throws -> LoadedModel {
        try ModelFolder(folder.url).load(options ?? self.options())
    }

    @Test(
        "A written model loads with the same weights, bit for bit, and logits",
        arguments: [1, 2, 3])
    func roundTrip(_ labels: Int) throws {
        let bert = try Bert.tiny(labels: labels)
        try bert.write(to: folder.url)
        let loaded = try load()
        for (a, b) in zip(loaded.model.parameters, bert.parameters) {
            #expect(try a.value.isIdentical(to: b.value), "\(a.name)")
        }
        // Kernels may round otherwise where a mapped tensor is aligned otherwise.
        let batch = try TokenBatch.seeded(lengths: [5, 8])
        #expect(try loaded.model.logits(batch).isClose(to: bert.logits(batch), absolute: 1e-6))
        #expect(loaded.created.isEmpty)
        #expect(loaded.unused.isEmpty)
        #expect(loaded.notes().isEmpty)
        #expect(loaded.model.parameters.map(\.name) == bert.parameters.map(\.name))
    }

    @Test("A head's meaning is written as transformers reads it")
    func headMeaning() throws {
        try Bert.tiny(labels: 2).write(to: folder.url, head: .classes(["no", "yes"]))
        let classes = try ModelFolder(folder.url).configuration
        #expect(classes.fields["id2label"] as? [String: String] == ["0": "no", "1": "yes"])
        #expect(classes.fields["label2id"] as? [String: Int] == ["no": 0, "yes": 1])
        #expect(try classes.text("problem_type") == "single_label_classification")
        #expect(try classes.text("dtype") == "float32")
        try Bert.tiny(labels: 1).write(to: folder.url, head: .regression)
        #expect(try ModelFolder(folder.url).configuration.text("problem_type") == "regression")
    }

    @Test("A bare encoder is written and read under bare names, without a head")
    func bareEncoder() throws {
        let bert = try Bert.tiny()
        let weights = try ModelFolder.checkpointWeights(of: bert).filter {
            $0.key.hasPrefix("bert.") && !$0.key.hasPrefix("bert.pooler")
        }
        let bare = Dictionary(
            uniqueKeysWithValues: weights.map { (String($0.key.dropFirst(5)), $0.value) })
        try ModelFolder.write(
            bare, fields: bert.configuration.fields, head: nil, copying: [], to: folder.url)
        let loaded = try load()
        let batch = try TokenBatch.seeded(lengths: [5])
        #expect(loaded.model.head == nil)
        #expect(
            try loaded.model.hiddenStates(batch, mode: .inference).isClose(
                to: bert.hiddenStates(batch, mode: .inference), absolute: 1e-6))
        #expect(throws: ModelError.noHead(folder: "this model")) { try loaded.model.logits(batch) }
        #expect(Set(try ModelFolder.checkpointWeights(of: loaded.model).keys) == Set(bare.keys))
    }

    @Test("A head that is asked for is made when the checkpoint has none that fits, and said to be")
    func createdHead() throws {
        let bert = try Bert.tiny(labels: 2)
        try bert.write(to: folder.url)
        let other = try load(options(labels: 3))
        #expect(other.created == ["classifier.weight", "classifier.bias"])
        #expect(other.model.head?.outputSize == 3)
        #expect(
            other.notes() == [
                "made anew, for the checkpoint has none that fits: classifier.weight, classifier.bias"
            ])
        #expect(other.notes(restored: ["classifier.weight", "classifier.bias"]).isEmpty)
        #expect(try load(options(labels: 2)).created.isEmpty)
        let again = try load(options(labels: 3))
        let (a, b) = (try #require(other.model.head), try #require(again.model.head))
        #expect(try a.weight.value.isIdentical(to: b.weight.value))
        var seeded = options(labels: 3)
        seeded.seed = 1
        let third = try #require(try load(seeded).model.head)
        #expect(try 0 < a.weight.value.largestDifference(to: third.weight.value))
    }

    @Test("A tensor without a place is said to be unused")
    func unused() throws {
        let bert = try Bert.tiny()
        var weights = try ModelFolder.checkpointWeights(of: bert)
        weights["extra.weight"] = try Tensor([1.0])
        weights["bert.embeddings.position_ids"] = try Tensor([1])
        weights["cls.predictions.bias"] = try Tensor([1.0])
        try ModelFolder.write(
            weights, fields: bert.configuration.fields, head: nil, copying: [], to: folder.url)
        weights["classifier.dense.weight"] = try Tensor([1.0])
        try ModelFolder.write(
            weights, fields: bert.configuration.fields, head: nil, copying: [], to: folder.url)
        #expect(
            try load().notes() == [
                "not used of the checkpoint: classifier.dense.weight, extra.weight",
                "not needed of the checkpoint, buffers or a head of pretraining: "
                    + "bert.embeddings.position_ids, cls.predictions.bias",
            ])
    }

    @Test("Weights are kept as they are stored, as they are computed with, or in float32")
    func storage() throws {
        let bert = try Bert.tiny()
        let weights = try ModelFolder.checkpointWeights(of: bert).mapValues { try $0.to(.float16) }
        try ModelFolder.write(
            weights, fields: bert.configuration.fields, head: nil, copying: [], to: folder.url)
        let types = try [ModelFolder.WeightStorage.stored, .computeType, .float32].map {
            var options = options(weights: $0)
            options.computeType = .bfloat16
            return try load(options).model.parameters.map(\.stored.numberType)[0]
        }
        #expect(types == [.float16, .bfloat16, .float32])
    }

    @Test("Old names of norms are understood")
    func gammaAndBeta() throws {
        let bert = try Bert.tiny()
        let weights = try ModelFolder.checkpointWeights(of: bert).map { name, value in
            (
                name.replacingOccurrences(of: "LayerNorm.weight", with: "LayerNorm.gamma")
                    .replacingOccurrences(of: "LayerNorm.bias", with: "LayerNorm.beta"), value
            )
        }
        try ModelFolder.write(
            Dictionary(uniqueKeysWithValues: weights), fields: bert.configuration.fields, head: nil,
            copying: [], to: folder.url)
        let batch = try TokenBatch.seeded(lengths: [5])
        #expect(try load().model.logits(batch).isClose(to: bert.logits(batch), absolute: 1e-6))
    }

    @Test("A tensor that is missing, or of another shape, is named")
    func misfits() throws {
        let bert = try Bert.tiny()
        var weights = try ModelFolder.checkpointWeights(of: bert)
        let name = "bert.encoder.layer.1.attention.self.key.weight"
        weights[name] = try Tensor.zeros([12, 11])
        try ModelFolder.write(
            weights, fields: bert.configuration.fields, head: nil, copying: [], to: folder.url)
        let shape = message { _ = try load() }
        #expect(shape.contains("'\(name)' has shape [12, 11], but config.json asks for [12, 12]"))
        weights[name] = nil
        try ModelFolder.write(
            weights, fields: bert.configuration.fields, head: nil, copying: [], to: folder.url)
        #expect(message { _ = try load() }.contains("no tensor '\(name)'"))
    }

    @Test(
        "A configuration that BERT cannot have names its field",
        arguments: [
            ("hidden_size", "13", "a multiple of num_attention_heads"),
            ("num_attention_heads", "0", "greater than 0"),
            ("hidden_act", "\"gelo\"", "gelu"),
            ("position_embedding_type", "\"relative_key\"", "absolute"),
            ("is_decoder", "true", "false or missing"),
            ("hidden_dropout_prob", "1.5", "less than 1"),
            ("vocab_size", "\"many\"", "an integer"), ("layer_norm_eps", "-1", "at least 0"),
            ("classifier_dropout", "2", "less than 1"),
        ])
    func badConfiguration(_ key: String, _ value: String, _ words: String) throws {
        try Bert.tiny().write(to: folder.url)
        var fields = try #require(
            try JSONSerialization.jsonObject(with: folder.read("config.json")) as? [String: Any])
        fields[key] = try JSONSerialization.jsonObject(
            with: Data(value.utf8), options: .fragmentsAllowed)
        try folder.write(JSONSerialization.data(withJSONObject: fields), to: "config.json")
        let text = message { _ = try load() }
        #expect(text.contains("config.json: '\(key)' is"), "in: \(text)")
        #expect(text.contains(words), "in: \(text)")
    }

    @Test("The defaults are those of transformers' BertConfig")
    func defaults() throws {
        let empty = ConfigurationFile(folder.file("config.json"), fields: [:])
        let configuration = try BertConfiguration(empty)
        #expect(configuration == BertConfiguration())
        #expect(configuration.headSize == 64)
        let fields = ConfigurationFile(
            folder.file("config.json"), fields: BertConfiguration.tiny().fields)
        #expect(try BertConfiguration(fields) == .tiny())
    }

    @Test("A folder that is no model says what it is not")
    func noModel() throws {
        #expect(message { _ = try ModelFolder(folder.file("none")) }.contains("is not a folder"))
        try folder.write("x", to: "file")
        #expect(message { _ = try ModelFolder(folder.file("file")) }.contains("is not a folder"))
        #expect(message { _ = try ModelFolder(folder.url) }.contains("there is no such file"))
        try folder.write(#"{"model_type": "gpt3"}"#, to: "config.json")
        #expect(message { _ = try load() }.contains("model_type gpt3 is not known; known are bert"))
        let quantized = #"{"model_type": "bert", "quantization_config": {"quant_method": "awq"}}"#
        try folder.write(quantized, to: "config.json")
        #expect(message { _ = try load() }.contains("'quantization_config' is awq"))
        try folder.write("{}", to: "config.json")
        #expect(message { _ = try load() }.contains("model_type (none) is not known"))
    }
}
