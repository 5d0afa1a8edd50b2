import ArgumentParser
import FineTuning
import Foundation

/// The method of a run and its options.
struct MethodArguments: ParsableArguments {
    @Option(
        help: "The method: \(MethodRegistry.names.joined(separator: ", ")).",
        completion: .list(MethodRegistry.names))
    var method: String?

    @Option(
        help: """
            Begin with the weights of a trained adapter: its folder, a finished run's, or org/name. It says \
            the method, its options and its layers.
            """, completion: .directory)
    var fromAdapter: String?

    @OptionGroup var options: MethodOptionArguments

    @Option(
        help: ArgumentHelp(
            """
            Modules of the model that train whole beside the adapter and are saved with it, with \
            commas: lm_head,embed_tokens.
            """, valueName: "name,..."))
    var modulesToSave: String?

    @Option(
        help: ArgumentHelp(
            """
            Tokens to add to the tokenizer, with commas: "<tool>,<think>". They are text like other, not \
            special. Their rows of the embedding and the head train, or with --modules-to-save all rows.
            """, valueName: "token,..."))
    var addTokens: String?

    @Option(help: "A file of tokens to add, one a line.")
    var addTokensFrom: String?

    /// The tokens to add, those of the flag before those of the file.
    /// - Throws: ``CommandError`` for a file that cannot be read.
    var addedTokens: [String] {
        get throws {
            let given = (addTokens ?? "").split(separator: ",").map {
                $0.trimmingCharacters(in: .whitespaces)
            }
            guard let addTokensFrom else { return given }
            guard let text = String(data: try bytes(of: addTokensFrom), encoding: .utf8) else {
                throw CommandError(
                    "--add-tokens-from: \(addTokensFrom) is no file of UTF-8 text")
            }
            return given
                + text.split(whereSeparator: \.isNewline).map(String.init).filter { !$0.isEmpty }
        }
    }

    func validate() throws {
        guard method == nil, fromAdapter == nil else { return }
        throw ValidationError("--method is missing; see duallora train --help")
    }

    /// The adapter to begin with, if there is one.
    func start() throws -> StartAdapter? {
        try fromAdapter.map { try StartAdapter(located($0, for: .adapter).url) }
    }

    func make(_ start: StartAdapter?) throws -> any FineTuningMethod {
        guard let start else { return try options.make(method ?? "") }
        return try start.method(named: method, options.given)
    }

    var selection: TargetSelection? { get throws { try options.selection } }

    var savedModules: [String] {
        (modulesToSave ?? "").split(separator: ",").map(String.init)
    }
}

/// The options of any method.
struct MethodOptionArguments: ParsableArguments {
    @Option(
        name: .customLong(MethodFlags.option),
        help: ArgumentHelp(
            """
            An option of the method, as often as there are some; also written as --NAME VALUE: \
            --rank 8 --alpha 16. --method METHOD --help lists them.
            """, valueName: "name=value"), completion: .methodOption)
    var methodOptions: [MethodSetting] = []

    @Option(
        help: ArgumentHelp(
            """
            Layers to adapt: last words of their names, with commas, or all-linear. Default: \
            what PEFT adapts (BERT: query,value).
            """, valueName: "name,..."), completion: .list(["all-linear"]))
    var targets: String?

    @Option(help: "Layers to adapt, by a regular expression of their whole names.")
    var targetPattern: String?

    @Option(
        help: ArgumentHelp(
            "Layers not to adapt, though the targets name them: last words of their names.",
            valueName: "name,..."))
    var excludeTargets: String?

    @Option(
        help: ArgumentHelp(
            "Numbers of the blocks whose layers are adapted: 0,2,5-8. Default: all.",
            valueName: "number,..."))
    var targetBlocks: String?

    func make(_ method: String) throws -> any FineTuningMethod {
        try MethodRegistry.make(method, given)
    }

    var given: MethodOptions {
        var options = MethodOptions()
        for setting in methodOptions { options[setting.name] = setting.value }
        return options
    }

    /// nil where nothing is said.
    var selection: TargetSelection? {
        get throws {
            if targets != nil, targetPattern != nil {
                throw CommandError("--target-pattern: does not go with --targets")
            }
            guard
                [targets, targetPattern, excludeTargets, targetBlocks].contains(where: { $0 != nil }
                )
            else { return nil }
            var selection =
                targets.map { TargetSelection($0) }
                ?? targetPattern.map { TargetSelection.pattern($0) } ?? .standard
            selection.excluded = excludeTargets.map { TargetSelection($0).rule }
            guard let targetBlocks else { return selection }
            if targetPattern != nil {
                throw CommandError(
                    "--target-blocks: a --target-pattern says the blocks itself")
            }
            guard let list = NumberList(targetBlocks) else {
                throw CommandError(
                    "--target-blocks: '\(targetBlocks)' is not a list of numbers such as 0,2,5-8")
            }
            selection.blocks = list.numbers
            return selection
        }
    }
}

/// One option of a method: "alpha=16".
struct MethodSetting: ExpressibleByArgument {
    let name: String
    let value: String

    init?(argument: String) {
        let halves = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard halves.count == 2, !halves[0].isEmpty else { return nil }
        (name, value) = (String(halves[0]), String(halves[1]))
    }
}
