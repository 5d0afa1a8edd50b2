import ArgumentParser
import DualRecipes
import DualTorch
import Testing

@testable import DualCommands

/// What is answered before the parser sees a command line.
@Suite struct CommandCallTests {
    private func refusal(_ line: String) -> String {
        do {
            var call = try CommandCall(line.split(separator: " ").map(String.init))
            return "no error: \(try call?.arguments() ?? [])"
        } catch {
            return DualLoRACommand.message(for: error)
        }
    }

    static let refusals: [(String, String)] = [
        ("trian --model x", "there is no command 'trian'; did you mean train?"),
        ("xylophone", "there is no command 'xylophone'; duallora --help lists them"),
        (
            "--model x train",
            "--model: a command comes before its flags; duallora --help lists them"
        ),
        ("train --modle x", "--modle: there is no such flag; did you mean --model?"),
        ("train --rnak 8", "--rnak: there is no such flag; did you mean --rank?"),
        ("bench --rnak 8", "--rnak: there is no such flag; did you mean --rank?"),
        (
            "train --method lora --gate-step 8",
            "--gate-step: there is no such flag; did you mean --gate-steps?"
        ),
        (
            "train --method vera --d-inital 8",
            "--d-inital: there is no such flag; did you mean --d-initial?"
        ),
        ("train -x", "-x: there is no such flag; duallora train --help lists them"),
        ("train -model x", "-model: there is no such flag; did you mean --model?"),
        ("train --lr 1", "--lr is --learning-rate here"),
        ("train --bf16", "--bf16 is --dtype bfloat16 here"),
        ("train --bf16=true", "--bf16 is --dtype bfloat16 here"),
        ("generate --max_length 3", "--max_length is --max-tokens here"),
        ("train --max_new_tokens 3", "--max_new_tokens is --max-tokens of generate here"),
        (
            "evaluate --keep-best",
            "--keep-best: evaluate has no such flag; it is one of train and pretrain"
        ),
        ("train --rank", "--rank: it has no value"),
        ("train --steps", "--steps: it has no value"),
        ("train --seed", "--seed: it has no value"),
        ("train --task --data x", "--task: it has no value"),
        (
            "generate --temperature -1",
            "--temperature: it has no value; one that begins with a dash is written --temperature=-1"
        ),
        ("train --packing=maybe", "--packing: it takes true or false"),
        (
            "train",
            "--model, --task, --data, --output and --method are missing; see duallora train --help"
        ),
        (
            "train --model a --task b --data c --output d",
            "--method is missing; see duallora train --help"
        ),
        ("inspect", "<model> is missing; see duallora inspect --help"),
        ("inspect a b", "'b' belongs to no flag; a text with spaces is put in quotes"),
    ]

    @Test("A wrong command or flag is named, before a missing one", arguments: refusals)
    func refused(_ line: String, _ expected: String) {
        #expect(refusal(line) == expected)
    }

    @Test(
        "Every flag of every command is suggested for itself with two letters swapped, and wants its value",
        arguments: DualLoRACommand.configuration.subcommands.compactMap {
            $0.configuration.commandName
        })
    func slips(_ command: String) throws {
        let keys = try #require(try CommandCall([command])).keys
        let answers = StrangeFlag(command: command, keys: keys)
        let options = Set(MethodFlags.keys.map(\.name))
        for key in keys.all where !options.contains(key.name) {
            var letters = Array(key.name)
            letters.swapAt(1, 2)
            let slip = String(letters)
            if slip != key.name {
                #expect(
                    answers.error(.unknown("--\(slip)=3")).message
                        == "--\(slip): there is no such flag; did you mean --\(key.name)?")
            }
            let read = FlagWords(["--\(key.name)"], keys: keys)
            #expect(read.strange == (key.kind == .flag ? [] : [.noValue("--\(key.name)")]))
        }
    }

    @Test(
        "Known flags reach the parser in their own spelling, and what it answers reaches it as it is"
    )
    func passed() throws {
        var call = try CommandCall([
            "generate", "--model", "m", "--max_tokens", "3", "--prompt=a_b",
        ])
        #expect(
            try call?.arguments() == [
                "generate", "--model", "m", "--max-tokens", "3", "--prompt=a_b",
            ])
        for line in [[], ["--version"], ["---completion", "train"], ["help"], ["-h"]] {
            #expect(try CommandCall(line) == nil)
        }
    }

    @Test("A value that is none of a flag's few is told with the nearest")
    func values() throws {
        let line = "train --model a --task b --data c --output d --method lora"
        for (flag, expected) in [
            (
                "--schedule cosin",
                "--schedule: 'cosin' is not linear, cosine or constant; did you mean cosine?"
            ),
            ("--dtype int4", "--dtype: 'int4' is not auto, bfloat16, float32 or float64"),
            (
                "--dtype fp16",
                "--dtype: float16 has too small a range to train in; use bfloat16 or float32"
            ),
        ] {
            let words = "\(line) \(flag)".split(separator: " ").map(String.init)
            var call = try #require(try CommandCall(words))
            do {
                _ = try DualLoRACommand.parseAsRoot(try call.arguments())
                Issue.record("\(flag) is taken")
            } catch {
                #expect(DualLoRACommand.message(for: call.explained(error)) == expected)
            }
        }
    }

    @Test(
        "Types have the names of PyTorch and of transformers' flags",
        arguments: [
            ("bf16", DType.bfloat16), ("torch.bfloat16", .bfloat16), ("fp32", .float32),
            ("float", .float32), ("float64", .float64), ("double", .float64),
        ])
    func types(_ name: String, _ type: DType) {
        #expect(DType(argument: name) == type)
        #expect(ComputeTypeArgument(argument: name) == .named(type))
    }

    @Test("No model is computed in float16 or in integers", arguments: ["fp16", "half", "int8"])
    func otherTypes(_ name: String) {
        #expect(DType(argument: name) == nil)
        #expect(ComputeTypeArgument(argument: name) == nil)
    }
}

extension CommandCall: Equatable {
    public static func == (a: CommandCall, b: CommandCall) -> Bool {
        a.read.spelled == b.read.spelled
    }
}
