import DualNames
import Testing

@testable import DualCommands

/// The table of what other programs call things.
@Suite struct ForeignNameTests {
    /// The flags of all commands, with the options of methods.
    private static let flags: Set<String> = {
        let commands = DualLoRACommand.configuration.subcommands
        let own = commands.flatMap { (try? CommandDescription.of($0).flagNames) ?? [] }
        return Set(own + MethodFlags.keys.map(\.name))
    }()

    @Test(
        "Every name stands for a flag that there is, or for a reason", arguments: ForeignName.names)
    func targets(_ name: String) throws {
        switch try #require(ForeignName.meaning(of: name)) {
        case .setting(let flag, _): #expect(Self.flags.contains(flag))
        case .none(let reason):
            let quoted = reason.matches(of: /`([a-z-]+)`/).map { String($0.1) }
            #expect(Self.flags.isSuperset(of: quoted), "\(quoted)")
        }
    }

    @Test("No name of the table is a flag of train, where it would be answered by itself")
    func ownNames() throws {
        let own = Set(try TrainKeys.keys().all.map(\.name))
        #expect(own.isDisjoint(with: Set(ForeignName.names).subtracting(["max-length"])))
    }

    @Test("A name is found however it is written")
    func spelling() {
        let expected = ForeignName.Meaning.setting("batch-size")
        for name in ["per_device_train_batch_size", "per-device-train-batch-size"] {
            #expect(ForeignName.meaning(of: name) == expected)
        }
        #expect(ForeignName.meaning(of: "colour") == nil)
    }

    @Test("train goes on from the adapter that other commands load")
    func adapters() throws {
        let names = Set(try TrainKeys.keys().all.map(\.name))
        for name in ["adapter_name_or_path", "peft_model_id"] {
            let inTrain = ForeignName.meaning(of: name) { names.contains($0) }
            #expect(inTrain == .setting("from-adapter"))
            #expect(ForeignName.meaning(of: name) { $0 == "adapter" } == .setting("adapter"))
        }
    }
}
