import Foundation

/// The files of a model or a tokenizer by their names: those of a folder, or those that a single file
/// amounts to.
public struct ModelFiles {
    /// The folder, or the file.
    public let url: URL
    /// What makes each of the files that there are; nil for a folder's.
    private let contents: [String: Maker]?

    package typealias Maker = () throws -> Data

    /// Those of a folder.
    public init(folder: URL) {
        self.init(url: folder, contents: nil)
    }

    /// What a file amounts to, made when it is asked for.
    package init(of file: URL, contents: [String: Maker]) {
        self.init(url: file, contents: contents)
    }

    private init(url: URL, contents: [String: Maker]?) {
        (self.url, self.contents) = (url, contents)
    }

    /// Whether they are a folder's.
    public var areInFolder: Bool { contents == nil }

    package func has(_ name: String) -> Bool {
        contents.map { $0[name] != nil }
            ?? FileManager.default.fileExists(atPath: url.appendingPathComponent(name).path)
    }

    /// What messages call a file.
    package func path(_ name: String) -> String {
        areInFolder ? url.appendingPathComponent(name).path : "\(url.path) (as \(name))"
    }

    package func data(_ name: String) throws(GivenFile.Fault) -> Data {
        guard let contents else {
            return try GivenFile.data(of: url.appendingPathComponent(name))
        }
        guard let make = contents[name] else {
            throw GivenFile.Fault(reason: "there is no such file")
        }
        do {
            return try make()
        } catch let fault as GivenFile.Fault {
            throw fault
        } catch {
            throw GivenFile.Fault(error)
        }
    }

    /// The names of what is in a folder among them, sorted.
    package func names(in folder: String) -> [String] {
        guard let contents else {
            let place = url.appendingPathComponent(folder).path
            return ((try? FileManager.default.contentsOfDirectory(atPath: place)) ?? []).sorted()
        }
        return contents.keys.filter { $0.hasPrefix(folder + "/") }
            .map { String($0.dropFirst(folder.count + 1)) }.sorted()
    }
}
