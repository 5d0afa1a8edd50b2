import DualGGUF
import DualTorch
import Foundation
import TestSupport
import Testing

@Suite struct GGUFFileTests {
    /// A file with a value of each type and tensors of several.
    private static var example: GGUFBytes {
        var bytes = GGUFBytes()
        bytes.set("general.architecture", "llama")
        bytes.set("a.count", 7)
        bytes.set("a.float", Float(0.5))
        bytes.set("a.flag", true)
        bytes.set("a.texts", ["one", "", "drei ß"])
        bytes.set("a.numbers", [Int32(-3), 4])
        bytes.set("a.byte", type: 1, [0xFE])
        bytes.set("a.long", type: 10, GGUFBytes.number(UInt64.max))
        bytes.set("a.double", type: 12, GGUFBytes.number((0.1).bitPattern))
        bytes.set("a.nested", type: 9, nested(2))
        bytes.add("plain", [2, 3], [1, 2, 3, 4, 5, 6])
        bytes.add("blocks", type: 8, sizes: [64, 2], (0..<136).map { UInt8($0) })
        bytes.add("empty", type: 0, sizes: [0, 4], [])
        bytes.add("half", type: 1, sizes: [2], [0, 0x3C, 0, 0x40])
        return bytes
    }

    /// A list of one list of ... of one number.
    private static func nested(_ depth: Int) -> [UInt8] {
        let inner = depth == 0 ? GGUFBytes.number(UInt32(7)) : nested(depth - 1)
        return GGUFBytes.number(UInt32(depth == 0 ? 4 : 9)) + GGUFBytes.number(UInt64(1)) + inner
    }

    private func open(_ bytes: [UInt8]) throws -> GGUFFile {
        let folder = try TemporaryFolder()
        let place = folder.file("x.gguf")
        try Data(bytes).write(to: place)
        return try GGUFFile(place)
    }

    /// What is said of a file that is refused; empty where it is not.
    private func refusal(_ bytes: [UInt8]) -> String {
        do {
            _ = try open(bytes)
            return ""
        } catch {
            return "\(error)"
        }
    }

    @Test("Keys and tensors are those of the file, rows before columns")
    func reading() throws {
        let file = try open(Self.example.all)
        #expect(file.version == 3)
        #expect(file.keys.count == 10 && file.keys.first == "general.architecture")
        guard case .text("llama")? = file["general.architecture"],
            case .unsigned(7)? = file["a.count"], case .number(0.5)? = file["a.float"],
            case .flag(true)? = file["a.flag"], case .signed(-2)? = file["a.byte"],
            case .unsigned(.max)? = file["a.long"], case .number(0.1)? = file["a.double"],
            case .array(let texts)? = file["a.texts"], case .array(let nested)? = file["a.nested"]
        else {
            Issue.record("a value of the metadata is not what was written")
            return
        }
        #expect(texts.count == 3 && nested.count == 1)
        #expect(file.tensors.map(\.name) == ["plain", "blocks", "empty", "half"])
        #expect(file.entry("blocks")?.shape == [2, 64])
        #expect(file.entry("blocks")?.type == .q8_0)
        #expect(try file.tensor("plain").array(of: Float.self) == [1, 2, 3, 4, 5, 6])
        #expect(try file.tensor("plain").shape == [2, 3])
        #expect(try file.tensor("half").to(.float32).array(of: Float.self) == [1, 2])
        let blocks = try file.tensor("blocks")
        #expect(blocks.shape == [2, 68] && blocks.dtype == .uint8)
        #expect(try blocks.array(of: UInt8.self) == (0..<136).map { UInt8($0) })
        #expect(try file.tensor("empty").shape == [4, 0])
    }

    @Test("A tensor outlives the file that it was taken from")
    func lifetime() throws {
        let tensor = try open(Self.example.all).tensor("plain")
        #expect(try tensor.sum().item() == 21)
    }

    @Test("A file that ends anywhere before its end is refused by its name")
    func truncated() throws {
        let all = Self.example.all
        // The last tensor with numbers in it; what pads it may be missing.
        let end = (Self.example.header.count + 31) / 32 * 32
        for count in 0..<end + 32 + 160 + 4 {
            let text = refusal(Array(all[..<count]))
            #expect(text.contains("x.gguf") && !text.contains("\n"), "\(count): \(text)")
        }
        #expect(refusal(Array(all[..<(end + 32 + 160 + 4)])) == "")
    }

    @Test("Counts that no file has room for are refused before anything is reserved")
    func counts() {
        var bytes = Self.example
        bytes.tensorCount = 1 << 60
        #expect(refusal(bytes.all).contains("1152921504606846976 tensors"))
        bytes = Self.example
        bytes.keyCount = .max
        #expect(refusal(bytes.all).contains("18446744073709551615 keys"))
        bytes = Self.example
        let many = GGUFBytes.number(UInt32(4)) + GGUFBytes.number(UInt64(1) << 62)
        bytes.set("a.many", type: 9, many)
        #expect(refusal(bytes.all).contains("'a.many' claims 4611686018427387904 elements"))
    }

    @Test(
        "Sizes that no tensor has are refused by the tensor's name",
        arguments: [
            [UInt64(1) << 40, 1 << 40], [.max], [1 << 62, 0], [0, 1 << 62], [1, 1, 1, 1, 1],
            [1 << 32, 1 << 31, 1 << 10],
        ])
    func sizes(_ sizes: [UInt64]) {
        var bytes = Self.example
        bytes.add("strange", type: 0, sizes: sizes, [])
        #expect(refusal(bytes.all).contains("tensor 'strange'"), "\(refusal(bytes.all))")
    }

    @Test("Offsets that lie are refused by the tensor's name")
    func offsets() {
        for (offset, words) in [
            (UInt64(0), "overlaps"), (33, "multiple of 32"), (1 << 20, "truncated"),
            (.max - 31, "truncated"),
        ] {
            var bytes = Self.example
            bytes.add("strange", type: 0, sizes: [4], GGUFBytes.number(UInt64(1)), offset: offset)
            let text = refusal(bytes.all)
            #expect(text.contains("'strange'") && text.contains(words), "\(text)")
        }
    }

    @Test("What has a name or a key twice, or a type that is not read, is refused by it")
    func names() {
        var bytes = Self.example
        bytes.add("plain", [1], [0])
        #expect(refusal(bytes.all).contains("tensor 'plain' stands there twice"))
        bytes = Self.example
        bytes.set("a.count", 8)
        #expect(refusal(bytes.all).contains("'a.count' stands there twice"))
        bytes = Self.example
        bytes.add("strange", type: 10, sizes: [256], [UInt8](repeating: 0, count: 84))
        #expect(refusal(bytes.all).contains("'strange' is stored as Q2_K"))
        bytes = Self.example
        bytes.add("strange", type: 77, sizes: [32], [])
        #expect(refusal(bytes.all).contains("the unknown type 77"))
        bytes = Self.example
        bytes.add("strange", type: 2, sizes: [48, 2], [UInt8](repeating: 0, count: 54))
        #expect(refusal(bytes.all).contains("blocks of 32"))
        bytes = Self.example
        bytes.set("a.strange", type: 13, [])
        #expect(refusal(bytes.all).contains("'a.strange' has a value of the unknown type 13"))
        bytes = Self.example
        bytes.set("general.alignment", 48)
        #expect(refusal(bytes.all).contains("'general.alignment' is not a power of two"))
        bytes = Self.example
        bytes.set("a.deep", type: 9, Self.nested(40))
        #expect(refusal(bytes.all).contains("'a.deep' has lists in lists"))
    }

    @Test("A file of another format or version is refused with what is read")
    func versions() {
        var bytes = Self.example
        bytes.magic = Array("GGML".utf8)
        #expect(refusal(bytes.all).contains("does not begin with 'GGUF'"))
        bytes = Self.example
        bytes.version = 1
        #expect(refusal(bytes.all).contains("version 1; 2 and 3 are read"))
        bytes.version = UInt32(3).byteSwapped
        #expect(refusal(bytes.all).contains("big-endian"))
    }

    @Test("A file with any bytes changed is read or refused in a line")
    func mutated() throws {
        let folder = try TemporaryFolder()
        let place = folder.file("x.gguf")
        let (good, header) = (Self.example.all, Self.example.header.count)
        var (inputs, refused) = (HostileInputs(seed: 11), 0)
        for _ in 0..<HostileInputs.count {
            try Data(inputs.spoiled(good, within: 0..<header)).write(to: place)
            do {
                let file = try GGUFFile(place)
                for entry in file.tensors {
                    _ = try file.tensor(entry.name).to(.float32).sum().item()
                }
            } catch {
                let text = "\(error)"
                #expect(
                    text.contains("x.gguf") && text.count < 3000 && !text.contains("\n"), "\(text)")
                refused += 1
            }
        }
        #expect(refused > HostileInputs.count / 2)
    }
}
