import DualTorch
import Foundation
import TestSupport
import Testing

@Suite struct HostileHeaderTests {
    /// Opens a file and reads all that it claims to hold; an error must be a line that can be shown.
    private func isRefused(_ bytes: [UInt8], _ place: URL, open: (URL) throws -> Void) throws
        -> Bool
    {
        try Data(bytes).write(to: place)
        do {
            try open(place)
            return false
        } catch {
            let text = "\(error)"
            #expect(!text.isEmpty && text.count < 3000 && !text.contains("\n"), "\(text)")
            return true
        }
    }

    @Test("A tensors' file with any byte changed is read or refused in a line")
    func headers() throws {
        let folder = try TemporaryFolder()
        let place = folder.file("x.safetensors")
        try SafetensorsWriter.write(
            [
                "a": Tensor.seeded([3, 2], seed: 1), "b.weight": Tensor.seeded([5], seed: 2),
                "c": Tensor([1, 2, 3]), "empty": Tensor.zeros([0, 4]),
            ], to: place)
        let good = [UInt8](try Data(contentsOf: place))
        let header = 8 + good[..<8].reversed().reduce(0) { $0 << 8 | Int($1) }
        var (inputs, refused) = (HostileInputs(seed: 3), 0)
        for _ in 0..<HostileInputs.count {
            let bytes = inputs.spoiled(good, within: 0..<header)
            refused +=
                try isRefused(bytes, place) { url in
                    let file = try SafetensorsFile(url)
                    for name in file.names {
                        let tensor = try file.tensor(name)
                        #expect(tensor.shape == file.shape(of: name))
                        _ = try tensor.to(.float32).sum().item()
                    }
                } ? 1 : 0
        }
        #expect(refused > HostileInputs.count / 2)
    }

    @Test("An index of shards with any byte changed is read or refused in a line")
    func indices() throws {
        let folder = try TemporaryFolder()
        for (name, shard) in [("a", "model-1.safetensors"), ("b", "model-2.safetensors")] {
            try SafetensorsWriter.write([name: Tensor.seeded([2], seed: 1)], to: folder.file(shard))
        }
        let good =
            Array(
                #"{"metadata":{"total_size":16},"weight_map":{"a":"model-1.safetensors","#.utf8
            ) + Array(#""b":"model-2.safetensors"}}"#.utf8)
        let place = folder.file("model.safetensors.index.json")
        var (inputs, refused) = (HostileInputs(seed: 4), 0)
        for _ in 0..<HostileInputs.count {
            let bytes = inputs.spoiled(good, within: good.indices)
            refused +=
                try isRefused(bytes, place) { _ in
                    let checkpoint = try Checkpoint(folder: folder.url)
                    for name in checkpoint.names { _ = try checkpoint.tensor(name) }
                } ? 1 : 0
        }
        #expect(refused > HostileInputs.count / 2)
    }

    @Test(
        "Shapes that no tensor has are refused",
        arguments: [
            "[4611686018427387904,0]", "[-1,0]",
            "[\(Array(repeating: "1", count: 65).joined(separator: ","))]",
        ])
    func shapes(_ shape: String) throws {
        let folder = try TemporaryFolder()
        let header = #"{"a":{"dtype":"F32","shape":\#(shape),"data_offsets":[0,0]}}"#
        try folder.write(safetensors(header: header), to: "x.safetensors")
        #expect(message { _ = try SafetensorsFile(folder.file("x.safetensors")) }.contains("'a'"))
    }
}
