import DualRecipes
import FineTuning

/// The options of methods as flags of their own: which there are, the methods say.
enum MethodFlags {
    static let option = "method-option"

    /// Commands that take a method.
    static let commands: Set<String> = ["train", "bench"]

    /// Every option of a method, as a flag and as a setting of a recipe.
    static var keys: [RecipeKey] {
        MethodRegistry.optionNames.map { RecipeKey($0, .parts, words: .any, section: "method") }
    }

    /// `--rank 8` as `--method-option=rank=8`, for the parser knows none of a method's options.
    /// - Throws: ``CommandError`` for one without a value.
    static func spelledOut(_ arguments: [String]) throws -> [String] {
        guard let command = arguments.first, commands.contains(command) else { return arguments }
        let names = Set(MethodRegistry.optionNames)
        var words: [String] = []
        var remaining = arguments[...]
        while let word = remaining.popFirst() {
            guard word != "--" else { return words + [word] + remaining }
            let halves = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard word.hasPrefix("--"),
                names.contains(MethodOptions.spelling(String(halves[0].dropFirst(2))))
            else {
                words.append(word)
                continue
            }
            let name = halves[0].dropFirst(2)
            if halves.count == 2 {
                words.append("--\(option)=\(name)=\(halves[1])")
            } else if let value = remaining.popFirst() {
                words.append("--\(option)=\(name)=\(value)")
            } else {
                throw CommandError("--\(name): it has no value")
            }
        }
        return words
    }
}
