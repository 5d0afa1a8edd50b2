import Foundation
import Synchronization

/// Files and folders that are being made and are of no use yet. What makes them takes them away when it
/// fails; a process that is told to end at once calls ``removeAll()`` instead.
package enum UnfinishedFiles {
    private static let paths = Mutex<Set<String>>([])

    package static func add(_ place: URL) {
        let path = place.path
        paths.withLock { _ = $0.insert(path) }
    }

    /// It is finished, or is gone already.
    package static func drop(_ place: URL) {
        let path = place.path
        paths.withLock { _ = $0.remove(path) }
    }

    package static func removeAll() {
        for path in paths.withLock({ $0 }) { try? FileManager.default.removeItem(atPath: path) }
    }
}
