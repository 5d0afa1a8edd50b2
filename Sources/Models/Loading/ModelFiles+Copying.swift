import DualJSON
import DualTorch
import Foundation

extension ModelFiles {
    /// Writes some of the files into a folder, as far as there are any of these names.
    /// - Throws: an error of what makes a file, or of the file system.
    package func copy(_ names: [String], to folder: URL) throws {
        for name in names where has(name) {
            try AtomicFile.write(try data(name), to: folder.appendingPathComponent(name))
        }
    }
}
