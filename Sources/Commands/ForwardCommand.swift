import ArgumentParser
import FineTuning
import Foundation

extension TokenBatch.Side: ExpressibleByArgument {}

struct ForwardCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "forward", abstract: "Run a model on token ids and save what it says.",
        discussion: """
            Writes `hidden`, the last hidden state (batch, tokens, size), and `logits` where there is a
            head, in float32. Several --ids make one padded batch with its attention mask. A decoder's
            positions count from the first token of each sequence, wherever its padding stands.

            Example:
              duallora forward --model MiniLM --ids "101 7592 102" --ids "101 102" --output out.safetensors
            """)

    @Option(help: "The model: a folder or org/name.", completion: .directory)
    var model: String

    @OptionGroup var source: SourceArguments

    @OptionGroup var adapters: AdapterArguments

    @Option(help: "Token ids of one sequence, with spaces; may be given several times.")
    var ids: [String]

    @Option(
        name: .customLong("type-ids"),
        help: "Type ids of one sequence, as many as its ids; 0 throughout when not given.")
    var typeIDs: [String] = []

    @Option(help: "The side on which shorter sequences are padded: left or right.")
    var padding = TokenBatch.Side.right

    @Option(help: ComputeTypeArgument.help)
    var dtype = ComputeTypeArgument.named(.float32)

    @Option(help: "The safetensors file to write.", completion: .file())
    var output: String

    @OptionGroup(title: "Computing") var compute: DeviceOptions

    @OptionGroup(title: "Computing") var weights: WeightOptions

    func run() throws {
        let device = try compute.apply()
        let sequences = try sequences()
        var options = ModelFolder.LoadOptions()
        options.quantization = weights.quantize
        options.computeType = dtype.named
        options.device = device
        let loaded = try AdaptedModel.load(
            model: try source.model(model).url, adapters: adapters.sources, options: options)
        for text in loaded.notes { note("note: \(text)") }
        options.computeTypeChoice.tell()
        for sequence in sequences {
            try loaded.model.check(ids: sequence.ids)
            try loaded.check(typeIDs: sequence.typeIDs)
        }
        let batch = try TokenBatch(
            sequences, paddingID: paddingID(loaded), side: padding, device: device)
        let tensors = try withoutGradient {
            let hidden = try loaded.model.hiddenStates(batch, mode: .inference)
            var tensors = ["hidden": try hidden.to(.float32)]
            tensors["logits"] =
                try loaded.model.logits(ofHidden: hidden, mode: .inference)?.to(.float32)
            return tensors
        }
        for (name, tensor) in tensors.sorted(by: { $0.key < $1.key }) {
            try check(
                name == "logits" ? "logits" : "hidden states", tensor, sequences.map(\.ids.count))
        }
        try SafetensorsWriter.write(tensors, to: URL(fileURLWithPath: output))
        let shapes = tensors.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value.shape)" }
        print("\(output): \(shapes.joined(separator: ", "))")
    }

    private func sequences() throws -> [(ids: [Int], typeIDs: [Int])] {
        guard typeIDs.isEmpty || typeIDs.count == ids.count else {
            throw CommandError("give --type-ids for every --ids, or for none")
        }
        return try ids.enumerated().map { index, text in
            let numbers = try tokenIDs(text, "--ids")
            guard !numbers.isEmpty else { throw CommandError("--ids: a sequence is empty") }
            let types =
                try typeIDs.isEmpty
                ? numbers.map { _ in 0 } : tokenIDs(typeIDs[index], "--type-ids")
            guard types.count == numbers.count else {
                throw CommandError(
                    "--type-ids: \(types.count) numbers for \(numbers.count) ids")
            }
            return (numbers, types)
        }
    }

    /// Checks that outputs are numbers, but for those at padding, which are for nobody to read.
    /// - Parameters:
    ///   - tensor: (batch, tokens, size), behind virtual tokens, or (batch, labels).
    ///   - lengths: of the sequences.
    private func check(_ name: String, _ tensor: Tensor, _ lengths: [Int]) throws {
        let isOfSequences = tensor.rank == 2
        let ofTokens = try isOfSequences ? tensor.expandedDimension(at: 1) : tensor
        // (batch, tokens): not 0 where an element is not finite.
        let faults = try (ofTokens * 0).sum(along: -1).to(device: .cpu).array(of: Float.self)
        let (count, longest) = (ofTokens.size(1), lengths.max() ?? 0)
        for (row, length) in lengths.enumerated() {
            let start = isOfSequences ? 0 : count - longest
            let first = padding == .left ? start + longest - length : start
            let read = isOfSequences ? 0..<1 : first..<first + length
            if let place = read.first(where: { faults[row * count + $0] != 0 }) {
                throw ModelError.notFinite(
                    output: name, sequence: row + 1,
                    token: isOfSequences ? nil : place - first + 1)
            }
        }
    }

    private func paddingID(_ loaded: AdaptedModel) throws -> Int {
        try loaded.folder.configuration.integer("pad_token_id") ?? 0
    }
}
