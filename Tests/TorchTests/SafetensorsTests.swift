import DualTorch
import Foundation
import TestSupport
import Testing

/// A safetensors file by its parts, for files that the writer would not write.
func safetensors(header: String, data: Int = 0) -> Data {
    safetensors(header: Data(header.utf8), data: Data(repeating: 7, count: data))
}

func safetensors(header: Data, data: Data) -> Data {
    withUnsafeBytes(of: UInt64(header.count).littleEndian) { Data($0) } + header + data
}

@Suite struct SafetensorsTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func written(_ tensors: [String: Tensor], as name: String = "x.safetensors") throws
        -> URL
    {
        try SafetensorsWriter.write(tensors, to: folder.file(name))
        return folder.file(name)
    }

    /// One tensor of every type, with bit patterns that a conversion would not keep.
    private func everyType() throws -> [String: Tensor] {
        var tensors: [String: Tensor] = [:]
        for dtype in DType.allCases {
            let bytes = (0..<(6 * dtype.byteCount)).map {
                UInt8(truncatingIfNeeded: $0 &* 37 &+ 200)
            }
            let raw = try Tensor(dtype == .bool ? bytes.map { $0 % 2 } : bytes)
            guard
                case .tensor(let viewed)? = try callOperator(
                    "aten::view.dtype", [.tensor(raw), .dtype(dtype)]
                ).first
            else { continue }
            tensors[dtype.rawValue] = try viewed.reshaped(2, 3)
        }
        return tensors
    }

    @Test("Tensors of every type come back bit for bit")
    func everyTypeRoundTrips() throws {
        var tensors = try everyType()
        #expect(tensors.count == DType.allCases.count)
        tensors["scalar"] = try Tensor.scalar(3)
        tensors["empty"] = try Tensor.zeros([0, 4], dtype: .int16)
        tensors["special"] = try Tensor([Float.nan, -0.0, .infinity, .leastNonzeroMagnitude])
        let file = try SafetensorsFile(written(tensors))
        #expect(file.names == tensors.keys.sorted())
        for (name, tensor) in tensors {
            #expect(file.shape(of: name) == tensor.shape)
            #expect(file.dtype(of: name) == tensor.dtype)
            #expect(try file.tensor(name).isIdentical(to: tensor), "\(name)")
        }
    }

    @Test("A view is written in its own order, and a tensor of a graph without it")
    func views() throws {
        let x = try Tensor.seeded([3, 2], seed: 1).requireGradient()
        let file = try SafetensorsFile(written(["view": x.transposed()]))
        let read = try file.tensor("view")
        #expect(try read.isIdentical(to: x.detached().transposed()))
        #expect(!read.requiresGradient)
    }

    @Test("The same tensors give the same bytes, and other metadata others")
    func determinism() throws {
        let tensors = try everyType()
        let bytes = try Data(contentsOf: written(tensors, as: "a"))
        #expect(try Data(contentsOf: written(tensors, as: "b")) == bytes)
        try SafetensorsWriter.write(tensors, metadata: ["k": "v/\"é\n"], to: folder.file("c"))
        #expect(try folder.read("c") != bytes)
        #expect(try SafetensorsFile(folder.file("c")).metadata == ["k": "v/\"é\n"])
        #expect(try SafetensorsFile(folder.file("a")).metadata == ["format": "pt"])
    }

    @Test("Tensors that are made one at a time give the same bytes, each made once")
    func streaming() throws {
        let tensors = try everyType()
        let entries = tensors.map {
            SafetensorsWriter.Entry(name: $0.key, dtype: $0.value.dtype, shape: $0.value.shape)
        }
        var asked: [String] = []
        try SafetensorsWriter.write(entries, to: folder.file("streamed")) { entry in
            asked.append(entry.name)
            return tensors[entry.name]
        }
        #expect(asked.sorted() == tensors.keys.sorted())
        #expect(try folder.read("streamed") == Data(contentsOf: written(tensors)))
    }

    @Test("A tensor that is not what its entry says leaves no file")
    func wrongEntries() throws {
        let entry = SafetensorsWriter.Entry(name: "a", dtype: .float32, shape: [2])
        for wrong in [try Tensor([1.0, 2.0]), try Tensor([Float(1)]), nil] {
            let problem = message {
                try SafetensorsWriter.write([entry], to: folder.file("x")) { _ in wrong }
            }
            #expect(problem.contains("x: tensor 'a' was not made as its entry says"))
        }
        #expect(folder.contents.isEmpty)
    }

    @Test("Wide types come first, then names in order, every one aligned")
    func order() throws {
        let url = try written([
            "b": Tensor([Float(1)]), "a": Tensor([true]), "c": Tensor([2.0]),
            "d": Tensor([Float(3)]),
        ])
        let bytes = try Data(contentsOf: url)
        let length = bytes.prefix(8).enumerated().reduce(0) {
            $0 | Int($1.element) << (8 * $1.offset)
        }
        let header = String(decoding: bytes[8..<(8 + length)], as: UTF8.self)
        #expect(length % 8 == 0)
        #expect(
            header.trimmingCharacters(in: .whitespaces)
                == #"{"__metadata__":{"format":"pt"},"#
                + #""c":{"dtype":"F64","shape":[1],"data_offsets":[0,8]},"#
                + #""b":{"dtype":"F32","shape":[1],"data_offsets":[8,12]},"#
                + #""d":{"dtype":"F32","shape":[1],"data_offsets":[12,16]},"#
                + #""a":{"dtype":"BOOL","shape":[1],"data_offsets":[16,17]}}"#)
    }

    @Test(
        "Names of any kind are kept",
        arguments: ["", "a\"b\\c", "ключ", "x\u{0}y", "a/b", "__metadata"])
    func names(_ name: String) throws {
        let file = try SafetensorsFile(written([name: Tensor([1.0])]))
        #expect(file.names == [name])
        #expect(try file.tensor(name).item() == 1)
    }

    @Test("Writing into a tensor of a file leaves the file as it was")
    func privateMapping() throws {
        let url = try written(["x": Tensor.seeded([4096], seed: 1)])
        let before = try Data(contentsOf: url)
        let tensor = try SafetensorsFile(url).tensor("x")
        try tensor.multiply(by: 0)
        #expect(try tensor.norm().item() == 0)
        #expect(try Data(contentsOf: url) == before)
    }

    @Test("A tensor outlives the file object and the file")
    func lifetime() throws {
        let x = try Tensor.seeded([1000], seed: 1)
        let url = try written(["x": x])
        let read = try SafetensorsFile(url).tensor("x")
        try FileManager.default.removeItem(at: url)
        #expect(try read.isIdentical(to: x))
    }

    @Test("Tensors at odd addresses are read", arguments: 0..<8)
    func alignment(_ shift: Int) throws {
        let header =
            #"{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"#
            + #""b":{"dtype":"F64","shape":[2],"data_offsets":[1,17]}}"#
            + String(repeating: " ", count: shift)
        let values = [1.5, -2.25]
        let data = Data([9]) + values.withUnsafeBytes { Data($0) }
        try folder.write(safetensors(header: Data(header.utf8), data: data), to: "odd")
        let file = try SafetensorsFile(folder.file("odd"))
        #expect(try file.tensor("a").item() == 9)
        #expect(try file.tensor("b").array() == values)
    }

    // MARK: - Damage

    /// A header that is wrong in one way, with the words that its error must have.
    struct Damage: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let bytes: Data
        let words: [String]

        init(_ claim: String, _ header: String, data: Int = 8, _ words: String...) {
            testDescription = claim
            bytes = safetensors(header: header, data: data)
            self.words = words
        }

        init(_ claim: String, bytes: Data, _ words: String...) {
            testDescription = claim
            self.bytes = bytes
            self.words = words
        }

        static func entry(_ dtype: String, _ shape: String, _ offsets: String) -> String {
            #"{"x":{"dtype":"\#(dtype)","shape":\#(shape),"data_offsets":\#(offsets)}}"#
        }
    }

    static let damages = [
        Damage("an empty file", bytes: Data(), "is empty"),
        Damage("seven bytes", bytes: Data(count: 7), "7 bytes"),
        Damage(
            "a header of 2^64 - 1 bytes", bytes: Data(repeating: 255, count: 16),
            "header of 18446744073709551615 bytes"),
        Damage(
            "a header longer than the file",
            bytes: Data([100] + [UInt8](repeating: 0, count: 7)) + Data("{}".utf8),
            "takes 100 bytes", "ends after 10"),
        Damage("no JSON", "hello", "the whole is not valid JSON"),
        Damage("no header", bytes: safetensors(header: "", data: 0), "not a safetensors file"),
        Damage("a JSON array", "[1]", "not a safetensors file"),
        Damage("JSON cut off", #"{"x":{"dtype""#, "not valid JSON"),
        Damage("brackets without end", String(repeating: "[", count: 100_000), "not a safetensors"),
        Damage(
            "braces without end", String(repeating: #"{"a":"#, count: 50_000), "not a safetensors"),
        Damage(
            "bytes that are not UTF-8",
            bytes: safetensors(header: Data([0x7B, 0xFF, 0x7D]), data: Data()),
            "not valid JSON"),
        Damage("an entry that is a number", #"{"x":3}"#, "'x'"),
        Damage("an entry of null", #"{"x":null}"#, "'x'"),
        Damage("no dtype", #"{"x":{"shape":[2],"data_offsets":[0,8]}}"#, "'x'", "dtype"),
        Damage("no shape", #"{"x":{"dtype":"F32","data_offsets":[0,8]}}"#, "'x'", "shape"),
        Damage("no offsets", #"{"x":{"dtype":"F32","shape":[2]}}"#, "'x'", "data_offsets"),
        Damage("metadata that is no text", #"{"__metadata__":{"a":1}}"#, data: 0, "__metadata__"),
        Damage("an unknown type", Damage.entry("F31", "[2]", "[0,8]"), "'x'", "type F31"),
        Damage("a type of four bits", Damage.entry("F4", "[16]", "[0,8]"), "'x'", "type F4"),
        Damage(
            "a size that is a fraction", Damage.entry("F32", "[1.5]", "[0,8]"), "not a safetensors"),
        Damage("a size that is a text", Damage.entry("F32", #"["2"]"#, "[0,8]"), "'x'"),
        Damage("a negative size", Damage.entry("F32", "[-2]", "[0,8]"), "'x'", "impossible shape"),
        Damage("two negative sizes", Damage.entry("F32", "[-1,-2]", "[0,8]"), "impossible shape"),
        Damage(
            "a shape that overflows", Damage.entry("F32", "[4294967296,4294967296]", "[0,8]"),
            "impossible shape"),
        Damage(
            "a shape that overflows to the right size",
            Damage.entry("F32", "[2,4611686018427387905]", "[0,8]"), "impossible shape"),
        Damage(
            "a size of 2^64", Damage.entry("F32", "[18446744073709551616]", "[0,8]"),
            "not a safetensors"),
        Damage(
            "a shape too large for its bytes", Damage.entry("F32", "[3]", "[0,8]"),
            "needs 12 bytes", "span 8"),
        Damage(
            "a shape too small for its bytes", Damage.entry("F64", "[]", "[0,4]"), data: 4,
            "needs 8 bytes"),
        Damage("one offset", Damage.entry("F32", "[2]", "[0]"), "impossible offsets"),
        Damage("three offsets", Damage.entry("F32", "[2]", "[0,8,8]"), "impossible offsets"),
        Damage("a negative offset", Damage.entry("F32", "[2]", "[-8,0]"), "impossible offsets"),
        Damage("offsets that fall", Damage.entry("F32", "[0]", "[8,0]"), "impossible offsets"),
        Damage("an offset beyond the file", Damage.entry("F32", "[3]", "[0,12]"), "truncated"),
        Damage(
            "an offset of 2^63 - 1",
            Damage.entry("F32", "[2]", "[9223372036854775799,9223372036854775807]"),
            "truncated"),
        Damage(
            "bytes before the first tensor", Damage.entry("F32", "[1]", "[4,8]"), "follows a gap"),
        Damage("bytes at the end", Damage.entry("F32", "[1]", "[0,4]"), "4 bytes at its end"),
        Damage("only bytes", "{}", "8 bytes at its end"),
        Damage(
            "tensors that overlap",
            #"{"x":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"#
                + #""y":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#, "'y'", "overlaps"),
        Damage(
            "two tensors at one place",
            #"{"x":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"#
                + #""y":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#, "overlaps"),
        Damage(
            "a gap between tensors",
            #"{"x":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"#
                + #""y":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#, "'y'", "follows a gap"),
        Damage(
            "one name twice",
            #"{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"#
                + #""x":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#, "file"),
    ]

    @Test("A damaged file is refused with its path and what is wrong", arguments: damages)
    func damaged(_ row: Damage) throws {
        let url = try folder.write(row.bytes, to: "bad.safetensors")
        let text = message { _ = try SafetensorsFile(url) }
        #expect(text.contains("bad.safetensors"))
        for word in row.words { #expect(text.contains(word), "in: \(text)") }
        #expect(!text.contains("\n"))
    }

    @Test("A shape whose other sizes are absurd is empty or refused, but never a crash")
    func absurdEmptyShape() throws {
        for shape in [
            "[0,4611686018427387904,4611686018427387904]", "[0]", "[0,9223372036854775807]",
        ] {
            let url = try folder.write(
                safetensors(header: Damage.entry("U8", shape, "[0,0]"), data: 0), to: "empty")
            let file = try SafetensorsFile(url)
            let tensor = try? file.tensor("x")
            #expect(tensor.map(\.count) ?? 0 == 0)
        }
    }

    @Test("A file cut off anywhere is refused")
    func truncation() throws {
        let whole = try Data(
            contentsOf: written([
                "a": Tensor([1.0, 2]), "b": Tensor([true]), "c": Tensor([Float(1)]),
            ]))
        for length in whole.indices {
            let url = try folder.write(whole.prefix(length), to: "cut")
            #expect(throws: SafetensorsError.self, "\(length) bytes") { try SafetensorsFile(url) }
        }
    }

    @Test("A header with one byte changed is refused or read to the end, never a crash")
    func mutations() throws {
        let whole = try Data(
            contentsOf: written([
                "a": Tensor([1.0, 2]), "b": Tensor([7, 8]), "c": Tensor([Float(1)]),
            ]))
        let length = whole.prefix(8).enumerated().reduce(0) {
            $0 | Int($1.element) << (8 * $1.offset)
        }
        let places = try seededIntegers(2000, in: 0..<(8 + length), seed: 1)
        let bytes = try seededIntegers(2000, in: 0..<256, seed: 2)
        var refused = 0
        for (place, byte) in zip(places, bytes) {
            var changed = whole
            changed[place] = UInt8(byte)
            let url = try folder.write(changed, to: "changed")
            do {
                let file = try SafetensorsFile(url)
                for name in file.names {
                    let tensor = try file.tensor(name)
                    #expect(tensor.shape == file.shape(of: name))
                    _ = try tensor.to(.float64).sum().item()
                }
            } catch is SafetensorsError {
                refused += 1
            }
        }
        #expect(refused > 1000)
    }

    @Test("What is not a file is refused by name")
    func notAFile() throws {
        let missing = message { _ = try SafetensorsFile(folder.file("none.safetensors")) }
        #expect(missing.contains("none.safetensors cannot be read: there is no such file"))
        let aFolder = message { _ = try SafetensorsFile(folder.url) }
        #expect(aFolder.contains("not a regular file"))
    }
}
