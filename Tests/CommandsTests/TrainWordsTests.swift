import Foundation
import TestSupport
import Testing

@testable import DualCommands

/// How recipes and flags become the words that the parser of `train` sees.
@Suite struct TrainWordsTests {
    private func words(_ recipe: String, _ flags: [String]) throws -> TrainWords {
        let folder = try TemporaryFolder()
        try folder.write(recipe, to: "run.yaml")
        var call = try #require(
            try CommandCall(["train", folder.file("run.yaml").path] + flags))
        #expect(try call.arguments() == call.train?.arguments)
        return try #require(call.train)
    }

    private static let recipe = """
        model: base
        output: out
        data:
          task: text
          path: [a.txt, b.txt]
          packing: true
        method:
          name: dual-lora
          rank: 16
          sign-grad: xnor
        training:
          learning-rate: 1e-4
        """

    @Test("Flags hold over the recipe, and each setting comes once")
    func layers() throws {
        let made = try words(Self.recipe, ["--learning-rate", "2e-4", "--packing=false"])
        let command = try DualLoRACommand.parseAsRoot(made.arguments)
        let train = try #require(command as? TrainCommand)
        #expect(train.training.learningRate == 2e-4)
        #expect(train.data.data == ["a.txt", "b.txt"])
        #expect(!train.data.text.packing)
        #expect(train.method.options.methodOptions.map(\.name).sorted() == ["rank", "sign-grad"])
        #expect(train.output == "out")
        #expect(made.notes.isEmpty)
    }

    @Test("Options of the recipe's method give way with it, and are told by their place")
    func otherMethod() throws {
        let made = try words(Self.recipe, ["--method", "lora"])
        let train = try #require(
            try DualLoRACommand.parseAsRoot(made.arguments) as? TrainCommand)
        #expect(train.method.options.methodOptions.map(\.name) == ["rank"])
        #expect(made.notes.count == 1)
        #expect(
            made.notes.first?.hasSuffix(
                "run.yaml:10: sign-grad: left out, for lora has no such option") == true,
            "\(made.notes)")
    }

    @Test("A method option on the command line replaces the recipe's")
    func methodOption() throws {
        let made = try words(Self.recipe, ["--method-option", "rank=4", "--sign-grad=dorefa"])
        let train = try #require(
            try DualLoRACommand.parseAsRoot(made.arguments) as? TrainCommand)
        let options = Dictionary(
            uniqueKeysWithValues: train.method.options.methodOptions.map { ($0.name, $0.value) })
        #expect(options == ["rank": "4", "sign-grad": "dorefa"])
    }

    @Test("An error about a recipe's setting names the recipe's line")
    func placed() throws {
        let made = try words(Self.recipe, [])
        let error = made.placed(CommandError("--learning-rate: 0 is not greater than 0"))
        #expect("\(error)".contains("run.yaml:12: learning-rate: --learning-rate: 0 is not"))
    }

    @Test("Every flag that a run may have is a setting of recipes")
    func keys() throws {
        let names = Set(try TrainKeys.keys().all.map(\.name))
        for name in ["model", "data", "task", "learning-rate", "rank", "keep-best", "dtype"] {
            #expect(names.contains(name), "\(name)")
        }
        #expect(names.isDisjoint(with: ["help", "version", "print-recipe"]))
    }
}
