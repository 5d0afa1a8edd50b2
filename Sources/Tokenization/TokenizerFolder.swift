import DualJSON
import Foundation

/// Reads the files of one tokenizer and turns every failure into a `TokenizerError`.
struct TokenizerFolder {
    let files: ModelFiles

    init(_ files: ModelFiles) { self.files = files }

    /// A folder's.
    init(url: URL) { self.init(ModelFiles(folder: url)) }

    var url: URL { files.url }

    func has(_ name: String) -> Bool { files.has(name) }

    func path(_ name: String) -> String { files.path(name) }

    /// The bytes of a file of any kind.
    func bytes(_ name: String) throws(TokenizerError) -> [UInt8] {
        do throws(GivenFile.Fault) {
            return [UInt8](try files.data(name))
        } catch {
            throw .unreadableFile(file: path(name), reason: error.reason)
        }
    }

    /// The bytes of a file that is valid UTF-8.
    func text(_ name: String) throws(TokenizerError) -> [UInt8] {
        let bytes = try bytes(name)
        guard String(bytes: bytes, encoding: .utf8) != nil else {
            throw .invalidUTF8(file: path(name))
        }
        return bytes
    }

    /// Decodes a JSON file; nil when it is absent.
    func decodeIfPresent<Value: Decodable>(_ type: Value.Type, _ name: String) throws -> Value? {
        guard has(name) else { return nil }
        return try decode(type, from: text(name), name)
    }

    func decode<Value: Decodable>(
        _ type: Value.Type, from bytes: [UInt8], _ name: String
    ) throws(TokenizerError) -> Value {
        do {
            return try JSONDecoder().decode(type, from: Data(bytes))
        } catch let error as UnsupportedType {
            throw .unsupportedType(
                file: path(name), field: error.field, found: error.found,
                supported: error.supported)
        } catch let error as DecodingError {
            throw describe(error, path(name))
        } catch {
            throw .invalidJSON(file: path(name), reason: "\(error)")
        }
    }

    /// Reads a large JSON file member by member.
    func scan<Value>(
        _ bytes: [UInt8], _ name: String, _ read: (inout JSONReader) throws -> Value
    ) throws -> Value {
        var reader = JSONReader(bytes)
        do {
            return try read(&reader)
        } catch let fault as JSONFault {
            throw TokenizerError.invalidJSON(
                file: path(name),
                reason: "line \(fault.line), byte \(reader.position): \(fault.message).")
        }
    }

    private func describe(_ error: DecodingError, _ file: String) -> TokenizerError {
        switch error {
        case .keyNotFound(let key, let context):
            .missingKey(file: file, field: (context.codingPath + [key]).field)
        case .typeMismatch(let type, let context):
            .invalidValue(
                file: file, field: context.codingPath.field, found: "of another kind",
                expected: Self.name(of: type))
        case .valueNotFound(let type, let context):
            .invalidValue(
                file: file, field: context.codingPath.field, found: "null",
                expected: Self.name(of: type))
        case .dataCorrupted(let context) where !context.codingPath.isEmpty:
            .unusableValue(
                file: file, field: context.codingPath.field, reason: context.debugDescription)
        case .dataCorrupted(let context):
            .invalidJSON(
                file: file,
                reason: (context.underlyingError as NSError?)?.userInfo["NSDebugDescription"]
                    as? String ?? context.debugDescription)
        @unknown default: .invalidJSON(file: file, reason: "\(error)")
        }
    }

    private static func name(of type: Any.Type) -> String {
        switch type {
        case is String.Type: "a string"
        case is Bool.Type: "true or false"
        case is any BinaryInteger.Type: "an integer"
        case is any ExpressibleByArrayLiteral.Type: "an array"
        default: "an object"
        }
    }
}

/// A stage of a kind that this module does not have; the file's name is added on the way up.
struct UnsupportedType: Error {
    let field: String
    let found: String
    let supported: [String]
}

extension [any CodingKey] {
    /// A JSON path such as `normalizer.normalizers[0].type`.
    var field: String {
        reduce("") { path, key in
            if let index = key.intValue { return "\(path)[\(index)]" }
            return path.isEmpty ? key.stringValue : "\(path).\(key.stringValue)"
        }
    }
}
