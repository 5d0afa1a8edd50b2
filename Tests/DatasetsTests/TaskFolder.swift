import Foundation

/// A temporary folder of task files, removed when it is let go.
final class TaskFolder {
    let url: URL

    init(_ files: [String: String] = [:]) throws {
        url = FileManager.default.temporaryDirectory
            .appendingPathComponent("TaskFolder-\(UUID().uuidString)", isDirectory: true)
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        for (name, text) in files { try write([UInt8](text.utf8), to: name) }
    }

    func write(_ bytes: [UInt8], to name: String) throws {
        try Data(bytes).write(to: url.appendingPathComponent(name))
    }

    deinit { try? FileManager.default.removeItem(at: url) }
}

/// The text of an error, with the folder's path cut off its front.
func message(in folder: TaskFolder, _ body: () throws -> Void) -> String {
    do {
        try body()
        return "no error"
    } catch {
        return "\(error)".replacingOccurrences(of: folder.url.relativePath, with: "DIR")
    }
}
