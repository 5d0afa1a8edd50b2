/// The element type of a tensor (`torch.dtype`).
public enum DType: String, CaseIterable, Sendable, Codable {
    case uint8, int8, int16, int32, int64, float16, float32, float64, bool, bfloat16

    /// The number of LibTorch's `c10::ScalarType`.
    var scalarType: Int32 {
        switch self {
        case .uint8: 0
        case .int8: 1
        case .int16: 2
        case .int32: 3
        case .int64: 4
        case .float16: 5
        case .float32: 6
        case .float64: 7
        case .bool: 11
        case .bfloat16: 15
        }
    }

    /// Bytes an element.
    public var byteCount: Int {
        switch self {
        case .uint8, .int8, .bool: 1
        case .int16, .float16, .bfloat16: 2
        case .int32, .float32: 4
        case .int64, .float64: 8
        }
    }

    /// Whether it has fewer bits than float32: beside a number of such a type a much smaller one is nothing.
    package var isNarrow: Bool { byteCount < Self.float32.byteCount }
}
