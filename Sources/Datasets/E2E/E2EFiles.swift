import Foundation

/// The files of the E2E challenge: restaurant reviews from their meanings.
///
/// Comma-separated, with the header `mr,ref` in any case: a meaning representation such as
/// `name[The Vaults], eatType[pub]`, and a text. Novikova et al. 2017, arXiv:1706.09254.
public struct E2EFiles: Sendable {
    public static let trainName = "trainset.csv"
    public static let devName = "devset.csv"
    public static let testNames = ["testset_w_refs.csv", "testset.csv"]

    /// Of so many meanings one scores, where one file has to train and to score.
    private static let heldOutEvery = 10

    public let training: [E2EPair]
    public let scoring: [E2EPair]
    /// What the user should know of how the data was read; nil where nothing is unusual.
    public let note: String?

    /// Reads the parts for a training from a folder: `trainset.csv`, scored on `devset.csv`. Where
    /// there is no `trainset.csv`, every tenth meaning of `devset.csv` scores and the others train.
    /// - Throws: ``TaskDataError``.
    public init(trainingIn folder: URL) throws(TaskDataError) {
        let train = folder.appendingPathComponent(Self.trainName)
        let dev = try TaskFile.first(of: [Self.devName], in: folder)
        if train.exists {
            (training, scoring) = (try Self.pairs(in: train), try Self.pairs(in: dev))
            note = nil
            return
        }
        let pairs = try Self.pairs(in: dev)
        let meanings = Self.inputs(pairs).map(\.meaning)
        guard meanings.count > 1 else { throw .oneMeaning(path: dev.relativePath) }
        let heldOut = Set(
            meanings.enumerated().filter { $0.offset % Self.heldOutEvery == 1 }.map(\.element))
        training = pairs.filter { !heldOut.contains($0.meaning) }
        scoring = pairs.filter { heldOut.contains($0.meaning) }
        note =
            "there is no \(Self.trainName): of the \(meanings.count) meanings of \(Self.devName), "
            + "\(meanings.count - heldOut.count) train and \(heldOut.count) score"
    }

    /// Reads what scores a model: a file, or of a folder the test part, or else `devset.csv`.
    /// - Throws: ``TaskDataError``.
    public init(scoringIn url: URL) throws(TaskDataError) {
        let file =
            url.exists && !url.isFolder
            ? url : try TaskFile.first(of: Self.testNames + [Self.devName], in: url)
        training = []
        scoring = try Self.pairs(in: file)
        note = nil
    }

    /// The lines of a file, in order.
    /// - Throws: ``TaskDataError``, naming the file, the line and what would be right.
    public static func pairs(in file: URL) throws(TaskDataError) -> [E2EPair] {
        let file = try CommaSeparatedFile(contentsOf: file)
        let (meaning, text) = (try file.requireColumn("mr"), try file.requireColumn("ref"))
        return try file.rows.map { row throws(TaskDataError) in
            try file.requireFields(of: row)
            guard row.fields[text].contains(where: { !$0.isWhitespace }) else {
                throw .emptySentence(path: file.path, line: row.line, column: file.header[text])
            }
            guard let representation = MeaningRepresentation(row.fields[meaning]) else {
                throw .badMeaning(path: file.path, line: row.line, found: row.fields[meaning])
            }
            return E2EPair(meaning: representation, text: row.fields[text])
        }
    }

    /// The texts of each meaning together, meanings in the order in which they first come.
    public static func inputs(_ pairs: [E2EPair]) -> [E2EInput] {
        var (inputs, indices) = ([E2EInput](), [MeaningRepresentation: Int]())
        for pair in pairs {
            if let index = indices[pair.meaning] {
                inputs[index].references.append(pair.text)
            } else {
                indices[pair.meaning] = inputs.count
                inputs.append(E2EInput(meaning: pair.meaning, references: [pair.text]))
            }
        }
        return inputs
    }
}
