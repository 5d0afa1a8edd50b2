import DualModels
import DualModules
import DualTorch
import Foundation
import TestSupport
import Testing

@testable import DualAdapters

/// What every method promises, for every row of the matrix.
@Suite struct AdapterContractTests {
    @Test(
        "A method that starts at the base changes no bit",
        arguments: AdapterCase.all.filter(\.startsAtBase))
    func startsAtBase(_ row: AdapterCase) throws {
        for dtype in [DType.float32, .bfloat16] {
            let (layer, x) = (
                try AdapterCase.layer(dtype: dtype), try AdapterCase.input(dtype: dtype)
            )
            let base = try layer(x)
            let adapter = try row.fresh(for: layer)
            adapter.prepare(step: 0, of: 10)
            layer.adapter = adapter
            let allowed = row.startTolerance * (dtype == .float32 ? 1 : 1e4)
            #expect(try layer(x).largestDifference(to: base) <= allowed)
            guard type(of: row.method).facts.merges else { continue }
            #expect(
                try layer.mergedWeight().largestDifference(to: layer.weight.value) <= allowed)
        }
    }

    @Test(
        "A method that does not start at the base changes it",
        arguments: AdapterCase.all.filter { !$0.startsAtBase })
    func startsElsewhere(_ row: AdapterCase) throws {
        let (layer, x) = (try AdapterCase.layer(), try AdapterCase.input())
        let base = try layer(x)
        let adapter = try row.fresh(for: layer)
        adapter.prepare(step: 0, of: 10)
        layer.adapter = adapter
        #expect(try layer(x).largestDifference(to: base) > 1e-4)
    }

    @Test(
        "One seed gives one start, another another",
        arguments: AdapterCase.all.filter(\.startsAtRandom))
    func seeds(_ row: AdapterCase) throws {
        let layer = try AdapterCase.layer()
        let start = {
            try row.fresh(for: layer, seed: $0).parameters[0].value
        }
        #expect(try start(1).isIdentical(to: start(1)))
        #expect(try 0 < start(1).largestDifference(to: start(2)))
    }

    @Test(
        "The count of parameters is the formula", arguments: AdapterCase.all)
    func parameterCount(_ row: AdapterCase) throws {
        let layer = try AdapterCase.layer()
        let parameters = try row.fresh(for: layer).parameters
        #expect(parameters.reduce(0) { $0 + $1.value.count } == row.count(7, 5))
        #expect(Set(parameters.map(\.name)).count == parameters.count)
        #expect(parameters.allSatisfy { $0.value.dtype == .float32 })
    }

    @Test("The merged weight says what the adapted layer says", arguments: AdapterCase.merging)
    func merging(_ row: AdapterCase) throws {
        let (layer, x) = (try AdapterCase.layer(), try AdapterCase.input())
        let base = try layer(x)
        layer.adapter = try row.moved(for: layer)
        let adapted = try layer(x)
        try layer.mergeAdapter()
        let largest = try adapted.magnitude().maximum().item()
        #expect(try layer(x).isClose(to: adapted, absolute: 1e-5 * largest))
        #expect(try adapted.largestDifference(to: base) > 0.1)
    }

    @Test(
        "The layer is x (W + ΔW)ᵀ + b, and so are its gradients",
        arguments: AdapterCase.merging.filter { !$0.drops })
    func forwardIsTheDefinition(_ row: AdapterCase) throws {
        let layer = try AdapterCase.layer(dtype: .float64)
        let bias = try #require(layer.bias)
        let adapter = try #require(try row.moved(for: layer) as? any WeightChange)
        adapter.prepare(step: 6, of: 10)
        let x = try AdapterCase.input(dtype: .float64).requireGradient()
        let seed = try Tensor.seeded([3, 4, 7], seed: 9, dtype: .float64)
        let leaves = try [x] + adapter.parameters.map { try $0.value.requireGradient() }
        let layerOutput = try adapter(x, through: layer, mode: .training(Generator(seed: 1)))
        let plain =
            try x.matmul((layer.weight.value + adapter.weightUpdate(for: layer)).transposed())
            + (adapter.biasUpdate(for: layer).map { try bias.value + $0 } ?? bias.value)
        #expect(try layerOutput.isClose(to: plain, absolute: 1e-9))
        let found = try layerOutput.gradients(with: leaves, seed: seed)
        let expected = try plain.gradients(with: leaves, seed: seed)
        for (found, expected) in zip(found, expected) {
            let (found, expected) = (try #require(found), try #require(expected))
            #expect(try found.isClose(to: expected, absolute: 1e-9))
            #expect(try expected.norm().item() > 1e-3)
        }
    }

    @Test(
        "The gradient is the slope that finite differences measure",
        arguments: AdapterCase.withoutDropout)
    func finiteDifferences(_ row: AdapterCase) throws {
        let layer = try AdapterCase.layer(dtype: .float64)
        let adapter = try row.moved(for: layer)
        let x = try AdapterCase.input(dtype: .float64)
        let seed = try Tensor.seeded([3, 4, 7], seed: 9, dtype: .float64)
        let loss = { try (adapter(x, through: layer, mode: .inference) * seed).sum() }
        for place in row.smooth ?? Array(adapter.parameters.indices) {
            let tensor = adapter.parameters[place].value
            try tensor.requireGradient()
            let gradient: [Double] = try #require(try loss().gradients(with: [tensor])[0]).array()
            try tensor.requireGradient(false)
            let flat = try tensor.reshaped(-1)
            let step = 1e-6
            for index in gradient.indices {
                let element = try flat.slice(index..<(index + 1))
                let value = try element.item()
                try element.copy(from: Tensor([value + step]))
                let above = try loss().item()
                try element.copy(from: Tensor([value - step]))
                let below = try loss().item()
                try element.copy(from: Tensor([value]))
                let slope = (above - below) / (2 * step)
                #expect(abs(slope - gradient[index]) < 1e-6 * max(1, abs(slope)))
            }
        }
    }

    @Test(
        "Dropout acts in training only, and on the adapter's part only", arguments: AdapterCase.all)
    func dropout(_ row: AdapterCase) throws {
        let (layer, x) = (try AdapterCase.layer(), try AdapterCase.input())
        let base = try layer(x)
        layer.adapter = try row.moved(for: layer)
        let still = try layer(x)
        let train = { (seed: UInt64) in try layer(x, mode: .training(Generator(seed: seed))) }
        #expect(try layer(x).isIdentical(to: still))
        #expect(try train(1).isIdentical(to: train(1)))
        #expect(try (train(1).largestDifference(to: still) > 0.01) == row.drops)
        #expect(try (train(1).largestDifference(to: train(2)) > 0.01) == row.drops)
        // The mean over many draws is the output without dropout.
        let sum = try Tensor.zeros(like: still)
        let generator = try Generator(seed: 5)
        for _ in 0..<1500 { try sum.add(layer(x, mode: .training(generator)), times: 1 / 1500) }
        let change = try still.largestDifference(to: base)
        #expect(try sum.isClose(to: still, absolute: 0.1 * change))
    }

    @Test("Training lowers the loss and moves no frozen weight", arguments: AdapterCase.all)
    func training(_ row: AdapterCase) throws {
        let (layer, x) = (try AdapterCase.layer(), try AdapterCase.input())
        let (weight, bias) = (
            try layer.weight.value.cloned(), try #require(layer.bias).value.cloned()
        )
        let goal = try x.linear(.seeded([7, 5], seed: 8))
        let adapter = try row.fresh(for: layer)
        layer.adapter = adapter
        let loss = { try layer(x).meanSquaredError(goal) }
        let before = try loss().item()
        for (_, value) in adapter.parameters { try value.requireGradient() }
        for step in 0..<200 {
            adapter.prepare(step: step, of: 200)
            let tensors = adapter.parameters.map(\.value)
            let gradients = try loss().gradients(with: tensors)
            try withoutGradient {
                for (tensor, gradient) in zip(tensors, gradients) {
                    let gradient = try #require(gradient)
                    try tensor.add(
                        gradient / (gradient.norm().item() + 1e-12),
                        times: -0.1 * (1 - Double(step) / 200))
                }
            }
        }
        adapter.prepare(step: 200, of: 200)
        #expect(try loss().item() < 0.8 * before)
        #expect(try layer.weight.value.isIdentical(to: weight))
        #expect(try #require(layer.bias).value.isIdentical(to: bias))
        #expect(!layer.weight.stored.requiresGradient)
    }

    @Test(
        "A layer whose own weight trains gets its gradient beside the adapter",
        arguments: AdapterCase.all.filter(\.leavesBaseGradient))
    func trainableBase(_ row: AdapterCase) throws {
        let (layer, x) = (try AdapterCase.layer(), try AdapterCase.input())
        let bias = try #require(layer.bias)
        let leaves = try [layer.weight.value, bias.value]
        for leaf in leaves { try leaf.requireGradient() }
        layer.adapter = try row.moved(for: layer)
        let seed = try Tensor.seeded([3, 4, 7], seed: 9)
        let mode = ForwardMode.training(try Generator(seed: 1))
        let found = try layer(x, mode: mode).gradients(with: leaves, seed: seed)
        let expected = try layer.frozen(x).gradients(with: leaves, seed: seed)
        for (found, expected) in zip(found, expected) {
            #expect(try #require(found).isClose(to: #require(expected), absolute: 1e-5))
        }
    }

    @Test("A bias that trains alone gets its gradient", arguments: AdapterCase.merging)
    func trainableBias(_ row: AdapterCase) throws {
        let (layer, x) = (try AdapterCase.layer(), try AdapterCase.input())
        let bias = try #require(layer.bias).value.requireGradient()
        layer.adapter = try row.moved(for: layer)
        let seed = try Tensor.seeded([3, 4, 7], seed: 9)
        let output = try layer(x, mode: .training(Generator(seed: 1)))
        let found = try #require(output.gradients(with: [bias], seed: seed)[0])
        let expected = try seed.reshaped(-1, 7).sum(along: 0)
        #expect(try found.isClose(to: expected, absolute: 1e-5))
    }

    @Test(
        "The output has the input's type, and the parameters stay float32",
        arguments: AdapterCase.all)
    func types(_ row: AdapterCase) throws {
        let layer = try AdapterCase.layer(dtype: .bfloat16)
        layer.adapter = try row.moved(for: layer)
        for dtype in [DType.bfloat16, .float32] {
            let x = try AdapterCase.input(dtype: dtype).requireGradient()
            let leaves =
                try [x]
                + #require(layer.adapter).parameters.map {
                    try $0.value.requireGradient()
                }
            let output = try layer(x, mode: .training(Generator(seed: 1)))
            #expect(output.dtype == dtype)
            let gradients = try output.sum().gradients(with: leaves)
            #expect(gradients.map { $0?.dtype } == leaves.map(\.dtype))
        }
        guard type(of: row.method).facts.merges else { return }
        #expect(try layer.mergedWeight().dtype == .bfloat16)
    }

    @Test(
        "A tensor is silent at the start if and only if its row says so",
        arguments: AdapterCase.all)
    func silence(_ row: AdapterCase) throws {
        let (layer, x) = (try AdapterCase.layer(), try AdapterCase.input())
        let adapter = try row.fresh(for: layer)
        adapter.prepare(step: 0, of: 10)
        let leaves = try adapter.parameters.map { try $0.value.requireGradient() }
        let output = try adapter(x, through: layer, mode: .training(Generator(seed: 1)))
        for (parameter, gradient) in zip(
            adapter.parameters, try output.squared().sum().gradients(with: leaves))
        {
            let norm = try #require(gradient).norm().item()
            #expect(
                (norm == 0) == row.silentAtStart.contains(parameter.name),
                "\(parameter.name)")
        }
    }

    @Test(
        "A saved adapter loads as it was, and saves again to the same bytes",
        arguments: AdapterCase.all.filter(\.readsAsItself))
    func savingAndLoading(_ row: AdapterCase) throws {
        let (first, second) = (try TemporaryFolder(), try TemporaryFolder())
        let batch = try TokenBatch.seeded(lengths: [6, 4])
        let bert = try Bert.tiny()
        let head = bert.parameters.filter { $0.name.hasPrefix("classifier.") }
        let set = try AdapterSet(
            row.method, targets: .names(["query", "output.dense"]), of: bert.slots,
            savedParameters: head, using: Generator(seed: 5))
        try randomize(set, seed: 60)
        for saved in set.savedParameters { _ = try saved.value.copy(from: saved.value * 2) }
        let logits = try bert.logits(batch)
        try AdapterFolder.write(set, baseModel: "base", to: first.url)

        let other = try Bert.tiny()
        #expect(try other.logits(batch).largestDifference(to: logits) > 0.01)
        let folder = try AdapterFolder(first.url)
        #expect(folder.labels(ofHead: "classifier") == 2)
        let loaded = try folder.attach(to: other.slots)
        #expect(loaded.layers.map(\.path) == set.layers.map(\.path))
        for (a, b) in zip(try loaded.savedTensors(), try set.savedTensors()) {
            #expect(a.key == b.key)
            #expect(try a.value.isIdentical(to: b.value))
        }
        #expect(try other.logits(batch).isClose(to: logits, absolute: 1e-6))
        try AdapterFolder.write(loaded, baseModel: "base", to: second.url)
        for name in ["adapter_config.json", "adapter_model.safetensors"] {
            #expect(try second.read(name) == first.read(name), "\(name)")
        }
        set.remove()
        #expect(
            try bert.hiddenStates(batch, mode: .inference).isIdentical(
                to: Bert.tiny().hiddenStates(batch, mode: .inference)))
    }

    @Test(
        "The fields of a method read back as the method",
        arguments: AdapterCase.all.filter(\.readsAsItself))
    func fields(_ row: AdapterCase) throws {
        let fields = row.method.fields(of: [], seed: 0)
        let file = ConfigurationFile(URL(fileURLWithPath: "adapter_config.json"), fields: fields)
        #expect(type(of: row.method).format.reads(file))
        let again = try type(of: row.method).init(file)
        #expect("\(again)" == "\(row.method)")
    }

    // MARK: - The registry

    @Test("A method merges if and only if all that it changes are weights")
    func merges() throws {
        for case let method as any AdapterMethod.Type in MethodRegistry.methods {
            let name = method.facts.name
            let options: MethodOptions =
                method.options.contains { $0.name == "rank" } ? ["rank": "2"] : [:]
            let set = try AdapterSet(
                method.init(options), of: TinyDecoder.all[0].make().slots,
                using: Generator(seed: 1))
            #expect(!set.parts.isEmpty, "\(name)")
            #expect(
                set.parts.allSatisfy { ($0.weightChange != nil) == method.facts.merges }, "\(name)")
            guard !method.facts.merges else { continue }
            #expect(throws: AdapterError.doesNotMerge(method: name)) { try set.merge() }
        }
        for row in AdapterCase.all {
            let adapter = try row.fresh(for: AdapterCase.layer())
            #expect((adapter is any WeightChange) == type(of: row.method).facts.merges)
        }
    }

    @Test("Every adapter method of the registry has a row")
    func everyMethodHasARow() throws {
        let tested = Set(AdapterCase.all.map { type(of: $0.method).facts.name })
        let registered = MethodRegistry.builtIn.filter { $0 is any LinearAdapterMethod.Type }
        #expect(tested == Set(registered.map { $0.facts.name }))
    }

    @Test("Names are unique and lead to their methods, which take their own defaults")
    func registry() throws {
        #expect(Set(MethodRegistry.names).count == MethodRegistry.names.count)
        for method in MethodRegistry.methods {
            #expect(try MethodRegistry.method(named: method.facts.name) == method)
            let made = try method.init(MethodOptions())
            #expect(made.defaultLearningRate > 0)
            #expect(made.parameterCount(outputSize: 7, inputSize: 5) > 0)
            #expect(Set(method.options.map(\.name)).count == method.options.count)
        }
        let text = message { _ = try MethodRegistry.method(named: "doro") }
        #expect(text.hasPrefix("there is no method 'doro'; there are full, lora, "))
    }
}
