/// The `type` of a stage, read before the rest of its fields.
private enum TypeKey: String, CodingKey { case type }

extension Decoder {
    func type() throws -> String {
        try container(keyedBy: TypeKey.self).decode(String.self, forKey: .type)
    }

    /// The error for a stage of a type that is not among the supported ones.
    func unsupported(_ found: String, _ supported: [String]) -> UnsupportedType {
        let path = codingPath + [TypeKey.type]
        return UnsupportedType(field: path.field, found: found, supported: supported)
    }
}
