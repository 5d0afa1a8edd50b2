import Foundation

/// Where the files of commonsense reasoning lie: a folder of LLM-Adapters' layout, with a folder for
/// each set that has `train.json` and `test.json`; for one set alone also that folder itself.
public struct CommonsenseFolder: Sendable {
    /// The training sets of all in one file, in order of preference. Where there is one, the sets' own
    /// are not read.
    public static let mergedNames = ["commonsense_170k.json", "commonsense_15k.json"]

    public let url: URL
    public let sets: [CommonsenseSet]

    /// - Parameter sets: that are wanted; one that the folder does not have is no fault.
    public init(_ url: URL, sets: [CommonsenseSet]) {
        self.url = url
        self.sets = sets
    }

    /// The file of all sets' training examples, if several sets are wanted and the folder has it.
    public var mergedFile: URL? {
        guard sets.count > 1 else { return nil }
        return Self.mergedNames.map { url.appendingPathComponent($0) }.first { $0.exists }
    }

    /// Sets without examples of a part.
    public func missing(_ part: Part) -> [CommonsenseSet] {
        sets.filter { file(part, of: $0) == nil }
    }

    /// What the sets have to train on, one behind the other.
    /// - Throws: ``TaskDataError``, also where there is nothing.
    public func trainingExamples() throws(TaskDataError) -> [CommonsenseExample] {
        if let mergedFile { return try CommonsenseExample.read(mergedFile, of: sets) }
        return try examples(.train).flatMap(\.examples)
    }

    /// The test examples of each set that has some.
    /// - Parameter limit: how many of each set to take, from the first; nil for all.
    /// - Throws: ``TaskDataError``, also where there is nothing.
    public func testExamples(
        limit: Int? = nil
    ) throws(TaskDataError) -> [(set: CommonsenseSet, examples: [CommonsenseExample])] {
        try examples(.test).map { ($0.set, Array($0.examples.prefix(limit ?? .max))) }
    }

    /// A part of a set.
    public enum Part: String, Sendable { case train, test }

    private func examples(
        _ part: Part
    ) throws(TaskDataError) -> [(set: CommonsenseSet, examples: [CommonsenseExample])] {
        try TaskFile.requireFolder(url)
        var examples: [(set: CommonsenseSet, examples: [CommonsenseExample])] = []
        for set in sets {
            guard let file = file(part, of: set) else { continue }
            examples.append((set, try CommonsenseExample.read(file, of: [set])))
        }
        guard !examples.isEmpty else {
            let names = sets.map { "\($0.folder)/\(part.rawValue).json" }
            let own = sets.count == 1 ? ["\(part.rawValue).json"] : []
            throw .missingFile(folder: url.relativePath, lookedFor: own + names)
        }
        return examples
    }

    private func file(_ part: Part, of set: CommonsenseSet) -> URL? {
        let name = "\(part.rawValue).json"
        let inner = url.appendingPathComponent(set.folder).appendingPathComponent(name)
        let own = sets.count == 1 ? [url.appendingPathComponent(name)] : []
        return (own + [inner]).first { $0.exists }
    }
}
