/// The `type` of a stage, read before the rest of its fields.
private enum TypeKey: String, CodingKey { case type }

extension Decoder {
    func type() throws -> String {
        try container(keyedBy: TypeKey.self).decode(String.self, forKey: .type)
    }

    /// The error for a stage of a type that is not among the supported ones.
    func unsupported(_ type: String, _ supported: [String]) -> UnsupportedType {
        let path = codingPath + [TypeKey.type]
        return UnsupportedType(field: path.field, found: type, supported: supported)
    }
}

extension KeyedDecodingContainer {
    /// Decodes a string of one Unicode scalar, a `char` of Rust.
    func decodeScalar(_ key: Key) throws -> Unicode.Scalar {
        let text = try decode(String.self, forKey: key).unicodeScalars
        guard let only = text.first, text.count == 1 else {
            throw DecodingError.dataCorruptedError(
                forKey: key, in: self, debugDescription: "it is not one character")
        }
        return only
    }
}
