/// One of the eight data sets of commonsense reasoning, in the form that LLM-Adapters gave them
/// (Hu et al. 2023, arXiv:2304.01933): a question with named choices, to be answered by a name.
public struct CommonsenseSet: Sendable, Equatable {
    /// The command line's name, such as `arc-easy`.
    public let name: String
    /// The column of the Dual LoRA paper's Table 1.
    public let title: String
    /// The folder's name in LLM-Adapters.
    public let folder: String
    /// What an example's answer may be.
    public let labels: [String]
    /// What is taken for an answer in a model's text.
    public let recognized: [String]

    /// In the order of Table 1.
    public static let all = [
        CommonsenseSet(
            name: "boolq", title: "BoolQ", folder: "boolq", labels: ["true", "false"]),
        CommonsenseSet(
            name: "piqa", title: "PIQA", folder: "piqa", labels: numbered("solution", 2)),
        CommonsenseSet(
            name: "siqa", title: "SIQA", folder: "social_i_qa", labels: numbered("answer", 3),
            recognized: answers),
        CommonsenseSet(
            name: "hellaswag", title: "HellaS", folder: "hellaswag",
            labels: numbered("ending", 4)),
        CommonsenseSet(
            name: "winogrande", title: "WinoG", folder: "winogrande",
            labels: numbered("option", 2)),
        CommonsenseSet(name: "arc-easy", title: "ARC-e", folder: "ARC-Easy", labels: answers),
        CommonsenseSet(
            name: "arc-challenge", title: "ARC-c", folder: "ARC-Challenge", labels: answers),
        CommonsenseSet(
            name: "obqa", title: "OBQA", folder: "openbookqa", labels: numbered("answer", 4),
            recognized: answers),
    ]

    private static let answers = numbered("answer", 5)

    private static func numbered(_ name: String, _ count: Int) -> [String] {
        (1...count).map { "\(name)\($0)" }
    }

    private init(
        name: String, title: String, folder: String, labels: [String], recognized: [String]? = nil
    ) {
        self.name = name
        self.title = title
        self.folder = folder
        self.labels = labels
        self.recognized = recognized ?? labels
    }

    /// The first answer that a text names, letter by letter; nil if it names none.
    ///
    /// Reference: `extract_answer` of LLM-Adapters and HiRA, which search for the same words.
    public func answer(in text: String) -> String? {
        let bytes = Array(text.utf8)
        for start in bytes.indices {
            let answer = recognized.first { bytes[start...].starts(with: $0.utf8) }
            if let answer { return answer }
        }
        return nil
    }

    /// The answers among which an example lets a model choose: those of its last line, such as
    /// `Answer format: answer1/answer2/answer3`, or else the set's.
    public func choices(of example: CommonsenseExample) -> [String] {
        let line = example.instruction.split(separator: "\n").last ?? ""
        guard line.hasPrefix(Self.formatHeading) else { return labels }
        let named = line.dropFirst(Self.formatHeading.count).split(separator: "/").map(String.init)
        let isSound = named.contains(example.answer) && named.allSatisfy(labels.contains)
        return isSound ? named : labels
    }

    private static let formatHeading = "Answer format: "
}
