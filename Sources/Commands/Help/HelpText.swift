import ArgumentParser
import FineTuning

/// The help of the program or of one command.
struct HelpText {
    private let description: CommandDescription
    /// What is called: `duallora train`.
    private let path: String
    /// The method whose options are told.
    private let method: (any FineTuningMethod.Type)?
    /// The commands of the program.
    private let commands: [any ParsableCommand.Type]

    /// nil where the words do not ask for help. No words ask for it too.
    /// - Throws: `ValidationError` for a command that does not exist, ``AdapterError`` for a method.
    init?(askedBy words: [String], _ call: CommandCall?) throws {
        if let call {
            guard call.asksForHelp else { return nil }
            self = try Self.of(call)
        } else if words.first == "help", let named = try CommandCall(Array(words.dropFirst())) {
            self = try Self.of(named)
        } else if words.isEmpty || ["help", "-h", "--help"].contains(words[0]) {
            self = HelpText(
                description: try .of(DualLoRACommand.self), path: "duallora", method: nil,
                commands: DualLoRACommand.configuration.subcommands)
        } else {
            return nil
        }
    }

    private init(
        description: CommandDescription, path: String, method: (any FineTuningMethod.Type)?,
        commands: [any ParsableCommand.Type]
    ) {
        self.description = description
        self.path = path
        self.method = method
        self.commands = commands
    }

    private static func of(_ call: CommandCall) throws -> HelpText {
        HelpText(
            description: call.description, path: "duallora \(call.description.commandName)",
            method: try call.methodName.map { try MethodRegistry.method(named: $0) },
            commands: [])
    }

    /// - Parameter columns: of a line; only examples may be longer.
    func text(columns: Int = Terminal.columns) -> String {
        var parts = [WrappedText.lines(description.abstract ?? "", columns: columns)]
        if let discussion = description.discussion {
            parts.append(WrappedText.paragraphs(discussion, columns: columns))
        }
        parts.append(usage(columns))
        parts += sections.map { section in
            [section.title.uppercased() + ":"]
                + section.rows.flatMap { $0.lines(columns: columns) }
        }
        if !commands.isEmpty {
            let rows = commands.map {
                HelpRow(label: $0.configuration.commandName ?? "", text: $0.configuration.abstract)
            }
            parts.append(["COMMANDS:"] + rows.flatMap { $0.lines(columns: columns) })
            parts.append(
                WrappedText.lines(
                    "\(path) COMMAND --help tells of one, and with --method METHOD of the method's "
                        + "options.", columns: columns))
        }
        return parts.filter { !$0.isEmpty }.map { $0.joined(separator: "\n") }
            .joined(separator: "\n\n")
    }

    private func usage(_ columns: Int) -> [String] {
        let words =
            description.all.filter { $0.kind == .positional }.map(\.usage)
            + description.required(beside: []).filter { $0.kind != .positional }.map(\.usage)
        let parts = commands.isEmpty ? words + ["[flags]"] : ["COMMAND", "[flags]"]
        let head = "USAGE: "
        return WrappedText.lines(of: [path] + parts, columns: columns - head.count)
            .enumerated().map { index, line in
                (index == 0 ? head : String(repeating: " ", count: head.count)) + line
            }
    }

    private var sections: [(title: String, rows: [HelpRow])] {
        let shown = description.all.filter {
            $0.shouldDisplay && (commands.isEmpty ? $0.preferredName?.name != "version" : true)
        }
        var sections: [(title: String, rows: [HelpRow])] = []
        for title in ["Arguments", "Flags"] + titles(of: shown) {
            let rows = rows(of: shown.filter { $0.section == title })
            if !rows.isEmpty { sections.append((title, rows)) }
        }
        return sections
    }

    private func titles(of arguments: [CommandDescription.Argument]) -> [String] {
        var titles: [String] = []
        for case let title? in arguments.map(\.sectionTitle) where !titles.contains(title) {
            titles.append(title)
        }
        return titles
    }

    /// A flag and its opposite have one row; where a method is named, its options stand for
    /// `--method-option`.
    private func rows(of arguments: [CommandDescription.Argument]) -> [HelpRow] {
        let names = Set(arguments.compactMap(\.preferredName?.name))
        return arguments.flatMap { argument -> [HelpRow] in
            let name = argument.preferredName?.name ?? ""
            if name.hasPrefix("no-"), names.contains(String(name.dropFirst(3))) { return [] }
            if name == MethodFlags.option, let method {
                return method.options.map {
                    HelpRow(label: "--\($0.name) <value>", text: OptionSpelling.flags(in: $0.help))
                }
            }
            let opposite = names.contains("no-" + name) ? "/--no-\(name)" : ""
            return [HelpRow(label: argument.label + opposite, text: argument.text)]
        }
    }
}

extension CommandDescription.Argument {
    fileprivate var section: String {
        sectionTitle ?? (kind == .positional ? "Arguments" : "Flags")
    }

    /// `--batch-size <size>`.
    fileprivate var label: String {
        let spelled = (names ?? []).map { ($0.kind == "long" ? "--" : "-") + $0.name }
        switch kind {
        case .positional: return "<\(valueName ?? "word")>"
        case .flag: return spelled.sorted { $0.count < $1.count }.joined(separator: ", ")
        case .option: return spelled.joined(separator: ", ") + " <\(value)>"
        }
    }

    /// What the value is called: where no one said it, by the last word of the flag's name.
    private var value: String {
        guard let valueName, valueName == preferredName?.name else { return valueName ?? "value" }
        return valueName.split(separator: "-").last.map(String.init) ?? valueName
    }

    /// As it stands in a call.
    fileprivate var usage: String {
        let text = label + (isRepeating ? " ..." : "")
        return isOptional ? "[\(text)]" : text
    }

    /// Its help, with the values and the default that the help itself does not tell.
    fileprivate var text: String {
        var parts = [abstract ?? ""]
        let values = allValues ?? []
        if kind == .option, !values.allSatisfy(parts[0].contains) {
            parts.append("One of \(values.joined(separator: ", ")).")
        }
        if kind == .option, let defaultValue, !parts[0].contains("Default") {
            parts.append("Default: \(defaultValue).")
        }
        return parts.joined(separator: " ")
    }
}
