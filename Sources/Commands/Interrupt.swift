import Foundation
import Synchronization

/// Ctrl-C, kept until the run asks for it; a second one, before the run watches again, ends the
/// process at once.
enum Interrupt {
    private static let flag = Atomic<Bool>(false)

    static var happened: Bool { flag.load(ordering: .relaxed) }

    static func watch() {
        flag.store(false, ordering: .relaxed)
        signal(SIGINT) { _ in
            Interrupt.flag.store(true, ordering: .relaxed)
            signal(SIGINT, SIG_DFL)
        }
    }

    /// From now on Ctrl-C ends the process.
    static func stopWatching() { signal(SIGINT, SIG_DFL) }
}
