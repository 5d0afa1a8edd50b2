import ArgumentParser
import FineTuning
import Foundation

/// Which revision of a repository of the hub is meant, and where its files are.
struct SourceArguments: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            """
            Of a model org/name: the branch, tag or commit, also written org/name@REVISION. Default: \
            main.
            """, valueName: "revision"))
    var revision: String?

    /// A model, from where it is at hand.
    func model(_ name: String) throws -> ModelPlace {
        try located(name, revision: revision, for: .model)
    }

    /// The folder of a model's configuration and tokenizer, for what needs no weights.
    func configuration(_ name: String) throws -> URL {
        try located(name, revision: revision, for: .configuration).url
    }

    /// The files of a tokenizer.
    func tokenizer(_ name: String) throws -> ModelFiles {
        try ModelFiles(of: located(name, revision: revision, for: .tokenizer).url)
    }
}

/// A model or an adapter that is named on the command line: a folder, or a repository of the hub,
/// whose download is shown.
func located(
    _ name: String, revision: String? = nil, for kind: RepositoryKind
) throws -> ModelPlace {
    let view = DownloadView()
    defer { view.clear() }
    return try ModelHub().locate(name, revision: revision, for: kind, report: view.show)
}
