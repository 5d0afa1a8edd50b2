import DualModules
import DualTorch
import Foundation

extension ModelFolder {
    /// Writes a model of random weights as a folder, one weight at a time: the model may be larger
    /// than memory.
    /// - Parameter dtype: what the weights are drawn and kept in.
    /// - Returns: how many tensors there are, and their bytes.
    /// - Throws: ``ModelError``, ``ConfigurationError``, ``SafetensorsError``; the caller removes the
    ///   folder.
    package static func writeRandom(
        _ configuration: ConfigurationFile, dtype: DType, seed: UInt64, to folder: URL
    ) throws -> (tensors: Int, bytes: Int) {
        var options = LoadOptions()
        options.computeType = dtype
        options.drawing = .shapesOnly
        let model = try make(configuration, options).causalModel()
        let disk = try? FileManager.default.attributesOfFileSystem(forPath: folder.path)
        try configuration.check(
            bytes: model.byteCount(in: dtype),
            fitIn: (disk?[.systemFreeSize] as? NSNumber)?.doubleValue ?? 0x1p62, of: "free disk")
        let generator = try Generator(seed: seed)
        var initials: [String: Initialization] = [:]
        let entries = try model.parameters.map { parameter in
            initials[parameter.name] = parameter.initial
            return SafetensorsWriter.Entry(
                name: parameter.name, dtype: dtype, shape: try parameter.inCheckpointLayout().shape)
        }
        try SafetensorsWriter.write(
            entries, to: folder.appendingPathComponent("model.safetensors")
        ) { entry in
            try initials[entry.name]?.tensor(entry.shape, dtype: dtype, using: generator)
        }
        var fields = configuration.fieldsWithNulls
        fields["architectures"] = [model.className]
        fields["torch_dtype"] = nil
        fields["dtype"] = dtype.rawValue
        try write(fields, to: folder)
        return (entries.count, entries.reduce(0) { $0 + $1.byteCount })
    }
}
