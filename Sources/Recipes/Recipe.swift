/// Settings of a run, layer over layer: what a later recipe says, and then the flags, holds.
package struct Recipe: Sendable {
    /// Where a setting of a recipe stands.
    package struct Place: Equatable, Sendable, CustomStringConvertible {
        package let file: String
        package let line: Int
        /// As the recipe spells it.
        package let key: String

        package var description: String { "\(file):\(line): \(key)" }
    }

    /// One setting, as it holds.
    package struct Setting: Equatable, Sendable {
        package let key: RecipeKey
        package let values: [String]
        /// nil for a flag of the command line.
        package let place: Place?
        /// Which recipe it is of, from 0; flags are of the last.
        package let layer: Int
    }

    /// Each once, in the order in which they first came.
    package private(set) var settings: [Setting] = []
    /// The files, in their order.
    package private(set) var files: [String] = []
    private var layers = 0

    package init() {}

    package subscript(name: String) -> Setting? { settings.first { $0.key.name == name } }

    /// Lays a recipe over what is there.
    package mutating func add(_ file: RecipeFile) {
        files.append(file.path)
        for entry in file.entries {
            let place = Place(file: file.path, line: entry.line, key: entry.spelling)
            set(
                Setting(
                    key: entry.key, values: entry.values, place: place, layer: layers),
                isReset: entry.values.isEmpty && entry.key.kind != .list)
        }
        layers += 1
    }

    /// Lays flags over what is there.
    package mutating func add(_ flags: [(key: RecipeKey, values: [String])]) {
        for (key, values) in flags {
            set(Setting(key: key, values: values, place: nil, layer: layers), isReset: false)
        }
        layers += 1
    }

    private mutating func set(_ setting: Setting, isReset: Bool) {
        let index = settings.firstIndex { $0.key.name == setting.key.name }
        switch (index, isReset) {
        case (let index?, false): settings[index] = setting
        case (let index?, true): settings.remove(at: index)
        case (nil, false): settings.append(setting)
        case (nil, true): break
        }
    }

    /// Takes a setting away.
    package mutating func remove(_ name: String) { settings.removeAll { $0.key.name == name } }

    /// The settings as words of a command line, each with its value behind an equals sign.
    package var arguments: [String] {
        settings.flatMap { setting -> [String] in
            let flag = "--\(setting.key.name)"
            guard setting.key.kind == .flag else { return setting.values.map { "\(flag)=\($0)" } }
            return setting.values == ["true"] ? [flag] : []
        }
    }

    /// The setting of a recipe that an error's text speaks of, by the flag that it names.
    package func place(namedIn text: String) -> Place? {
        for match in text.matches(of: /--([a-z][a-z0-9-]*)/) {
            if let place = self[String(match.1)]?.place { return place }
        }
        return nil
    }
}
