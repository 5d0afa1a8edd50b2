import DualGGUF
import DualModules
import DualTorch

extension GGUFCheckpoint: StoredTensors {
    public var place: String { file.url.path }

    public func stored(_ name: String) throws -> (weight: StoredWeight, isTransposed: Bool) {
        let found = try tensor(name)
        guard let format = found.type.blockFormat else {
            return (.plain(found.elements), found.isTransposed)
        }
        let columns = found.shape.last ?? 0
        let rows = try found.elements.reshaped([-1, found.elements.size(-1)])
        let matrix = try BlockMatrix(rows, format: format, columns: columns)
        // Vectors are added and multiplied as they are.
        guard found.shape.count == 2 else {
            return (.plain(try matrix.dequantized().reshaped(found.shape)), found.isTransposed)
        }
        return (.blocks(matrix), found.isTransposed)
    }

    public func unlistedFile(of name: String) -> (index: String, file: String)? { nil }
}

extension GGUFType {
    /// The format of blocks; nil for numbers that are stored plainly.
    package var blockFormat: BlockFormat? {
        switch self {
        case .f32, .f16, .bf16: nil
        case .q4_0: .q4_0
        case .q4_1: .q4_1
        case .q5_0: .q5_0
        case .q5_1: .q5_1
        case .q8_0: .q8_0
        case .q4_K: .q4_K
        case .q5_K: .q5_K
        case .q6_K: .q6_K
        }
    }
}
