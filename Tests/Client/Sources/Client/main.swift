// Trains a method, a task and a metric that the package does not have, and reads the adapter back.
import FineTuning
import Foundation

/// Ends the client where something does not hold.
func require(_ holds: Bool, _ claim: String) {
    guard !holds else { return }
    print("does not hold: \(claim)")
    exit(1)
}

let folder = FileManager.default.temporaryDirectory
    .appendingPathComponent("client-\(ProcessInfo.processInfo.processIdentifier)")
defer { try? FileManager.default.removeItem(at: folder) }
let model = folder.appendingPathComponent("model")
try FileManager.default.createDirectory(at: model, withIntermediateDirectories: true)
let words = "[PAD] [UNK] [CLS] [SEP] [MASK] the answer is yes no 0 1 2 3 4".split(separator: " ")
try words.joined(separator: "\n")
    .write(to: model.appendingPathComponent("vocab.txt"), atomically: true, encoding: .utf8)
let configuration = """
    {"model_type": "bert", "vocab_size": \(words.count), "hidden_size": 32, "num_hidden_layers": 2,
     "num_attention_heads": 4, "intermediate_size": 64, "max_position_embeddings": 32,
     "initializer_range": 0.3}
    """
let file = model.appendingPathComponent("config.json")
try configuration.write(to: file, atomically: true, encoding: .utf8)
var loading = ModelFolder.LoadOptions()
loading.computeType = .float32
let base = try ConfigurationFile(file)
try ModelFolder.write(
    ModelFolder.checkpointWeights(of: ModelFolder.make(base, loading).model), fields: base.fields,
    head: nil, copying: [], to: model)

try MethodRegistry.register(RowScaling.self)
try TaskRegistry.register(SentenceTraining(YesOrNo.self))
let output = folder.appendingPathComponent("adapter")
var options = TrainingOptions()
(options.epochs, options.batchSize, options.headLearningRate) = (20, 8, 1e-2)
var run = FineTuningRun(
    base: .model(model), task: try TaskRegistry.task(named: "yes-or-no"), data: [folder],
    method: try MethodRegistry.make("row-scaling", ["row-scale": "2"]), output: output,
    options: options)
run.targets = .allLinear
run.computeType = .float32
var steps = 0
for try await event in run.events() {
    if case .running(.training(.step(let record))) = event { steps = record.step }
    if case .finished(let result) = event {
        print("\(result.metric) \(result.value ?? .nan) after \(steps) steps")
        require(result.value ?? 0 > 0.9, "the task is learned")
    }
}

let adapted = try AdaptedModel.load(model: model, adapter: output, options: loading)
let method = adapted.adapter?.method as? RowScaling
require(method?.scale == 2, "the adapter is read back by its own method")
let tokenizer = try Tokenizer.load(from: model)
let texts = try ["the answer is yes 3", "the answer is no 1"].map { try tokenizer.encode($0) }
let batch = try TokenBatch(texts.map { ($0.ids, $0.typeIDs) }, paddingID: tokenizer.paddingID)
let classes = try adapted.model.logits(batch).indexOfMaximum(along: -1).array(of: Int.self)
require(classes == [1, 0], "the adapter says what it learned, not \(classes)")
print("read back: \(method?.scale ?? .nan), classes \(classes)")
