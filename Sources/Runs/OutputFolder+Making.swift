import DualChat
import DualTorch
import Foundation

extension OutputFolder {
    /// Lets a command write into a folder beside what the output folder holds, and moves what it made into
    /// its place when all of it is there: whatever fails before, the output folder is as it was.
    /// - Parameters:
    ///   - overwrites: takes a folder that has files in it.
    ///   - make: writes into the folder that it is given last.
    /// - Throws: ``RunError``, and what `make` throws.
    static func making<Result>(
        _ url: URL, overwrites: Bool, _ make: (OutputFolder, URL) throws -> Result
    ) throws -> Result {
        let folder = try OutputFolder(url)
        let aside = url.appendingPathComponent(asideName)
        do {
            try folder.checkIsFree(overwrites: overwrites)
            UnfinishedFiles.add(aside)
            defer {
                try? FileManager.default.removeItem(at: aside)
                UnfinishedFiles.drop(aside)
            }
            // What a killed command left.
            try? FileManager.default.removeItem(at: aside)
            try FileManager.default.createDirectory(at: aside, withIntermediateDirectories: true)
            let result = try make(folder, aside)
            try folder.take(from: aside)
            folder.close()
            return result
        } catch {
            folder.removeIfCreated()
            throw error
        }
    }

    /// Removes what belongs to a model and is not in another folder, whose files are to come here.
    func removeModel(butFor aside: URL) {
        let manager = FileManager.default
        for name in RunFolder.modelNames + ChatTemplate.writtenNames
        where !manager.fileExists(atPath: aside.appendingPathComponent(name).path) {
            try? manager.removeItem(at: url.appendingPathComponent(name))
        }
    }
}
