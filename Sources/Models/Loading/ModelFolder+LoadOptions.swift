import DualModules
import DualTorch

extension ModelFolder {
    /// How a model is loaded.
    public struct LoadOptions {
        /// What activations are computed in; nil for the type that suits the device.
        public var computeType: DType?
        /// What weights are kept in.
        public var weights = WeightStorage.narrower
        /// What the weights of linear layers but heads are quantised to while they are read, to stay frozen;
        /// nil for what they are. Another device than the CPU gets them widened again.
        public var quantization: BlockFormat?
        public var device = Device.cpu
        /// The number of outputs of the head that is asked for; nil takes the checkpoint's head, or none.
        public var labels: Int?
        /// Of the random numbers for weights that the checkpoint lacks.
        public var seed: UInt64 = 0
        /// The values of weights that are not loaded.
        public var drawing = Drawing.toTrain

        public init() {}

        /// What activations are computed in, with what the user should know of it.
        public var computeTypeChoice: ComputeTypeChoice {
            ComputeTypeChoice(computeType, on: device)
        }

        /// ``computeType``, or what stands for it.
        var resolvedComputeType: DType { computeType ?? computeTypeChoice.dtype }

        /// A source of weights as these options want them.
        func source(
            of checkpoint: (any StoredTensors)?, spellings: @escaping (String) -> [String]
        ) throws -> WeightSource {
            let dtype: DType? =
                switch weights {
                case .computeType, .narrower: resolvedComputeType
                case .stored: nil
                case .float32: .float32
                }
            return WeightSource(
                checkpoint, dtype: dtype, keepsNarrow: weights == .narrower,
                quantization: quantization, device: device,
                generator: try Generator(seed: seed), drawing: drawing, spellings: spellings)
        }
    }

    /// What weights are kept in.
    public enum WeightStorage: Equatable, Sendable {
        /// Matrices as they are stored where that takes fewer bits than what is computed with, and over the
        /// mapped file then: products widen a block of them at a time. All else as ``computeType``.
        case narrower
        /// As they are computed with: no conversion in every step.
        case computeType
        /// As they are stored: no copy, and none of their bits lost.
        case stored
        /// As they must be to train: small updates do not get lost.
        case float32
    }
}

extension WeightSource {
    /// What a user should know of the weights, in sentences.
    var remarks: [String] {
        var remarks: [String] = []
        if let format = quantization, !unquantized.isEmpty {
            remarks.append(
                "not quantised, for their rows are not blocks of \(format.blockSize) numbers: "
                    + UnusedTensors.summary(of: unquantized))
        }
        if let widened = parameters.first(where: { $0.widenedFrom != nil }),
            let format = widened.widenedFrom
        {
            remarks.append(
                "the numbers of \(format.rawValue) weights take the room of "
                    + "\(widened.stored.storageName) on \(widened.stored.device.kind.rawValue): "
                    + "products there read no blocks")
        }
        return remarks
    }
}
