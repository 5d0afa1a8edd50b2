import DualDatasets
import Foundation
import Testing

/// Reads the public GLUE files where a checkout has them: `GLUE_DIR`, or `shared/data/glue`
/// beside or above the package.
@Suite(.enabled(if: GLUEFiles.folder != nil)) struct GLUEFilesTests {
    @Test("Every line of the real files is an example, and labels are what GLUE says")
    func realFiles() throws {
        let glue = try #require(GLUEFiles.folder)
        for (task, name) in [("cola", "CoLA"), ("rte", "RTE"), ("stsb", "STS-B")] {
            let task = try TaskRegistry.task(named: task)
            let folder = glue.appendingPathComponent(name, isDirectory: true)
            for split in Split.allCases {
                let examples = try task.examples(split, in: folder)
                #expect(examples.count > 200)
                #expect(examples.allSatisfy { isValid($0.label, of: task) })
                #expect(examples.allSatisfy { !$0.text.hasSuffix("\r") && $0.pair?.last != "\r" })
                #expect(examples.allSatisfy { ($0.pair == nil) == (task == CoLA.self) })
            }
        }
    }

    func isValid(_ label: Label, of task: any SentenceTask.Type) -> Bool {
        switch label {
        case .category(let id): task.categories?.indices.contains(id) ?? false
        case .score(let value): task.categories == nil && (0...5).contains(value)
        }
    }
}

enum GLUEFiles {
    static let folder: URL? = {
        if let path = ProcessInfo.processInfo.environment["GLUE_DIR"] {
            return URL(fileURLWithPath: path, isDirectory: true)
        }
        var parent = URL(fileURLWithPath: #filePath)
        for _ in 0..<5 {
            parent.deleteLastPathComponent()
            let folder = parent.appendingPathComponent("shared/data/glue", isDirectory: true)
            if FileManager.default.fileExists(atPath: folder.path) { return folder }
        }
        return nil
    }()
}
