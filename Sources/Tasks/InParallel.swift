import Dispatch
import DualTorch
import Synchronization

/// The results of work for each number below a count, in order, done on as many threads as operators use.
func inParallel<Result: Sendable>(
    _ count: Int, _ body: @escaping @Sendable (Int) -> Result
) -> [Result] {
    let threads = min(TorchRuntime.threads, count)
    guard threads > 1 else { return (0..<count).map(body) }
    let next = Atomic(0)
    let portion = max(1, min(32, count / (4 * threads)))
    return [Result](unsafeUninitializedCapacity: count) { memory, initialized in
        nonisolated(unsafe) let places = memory
        DispatchQueue.concurrentPerform(iterations: threads) { _ in
            while true {
                let start = next.add(portion, ordering: .relaxed).oldValue
                guard start < count else { return }
                for index in start..<min(start + portion, count) {
                    places.initializeElement(at: index, to: body(index))
                }
            }
        }
        initialized = count
    }
}
