import Foundation
import Synchronization

/// The events of a training, one after the other as they happen.
///
/// The training runs on a thread of its own, from the first event that is asked for. Cancelling the task
/// that iterates stops it after the step that it is in: the sequence then throws what the training throws
/// when it is stopped, with its checkpoint. Leaving the loop stops it too.
public struct TrainingEvents<Event: Sendable>: AsyncSequence, Sendable {
    /// Trains, asks whether to stop and hands its events on.
    public typealias Body =
        @Sendable (_ shouldStop: () -> Bool, _ report: (Event) throws -> Void) throws -> Void

    private let body: Body

    /// - Parameter body: the training. It makes what it trains itself, for tensors stay on one thread.
    public init(_ body: @escaping Body) { self.body = body }

    public func makeAsyncIterator() -> Iterator { Iterator(body: body) }

    public struct Iterator: AsyncIteratorProtocol {
        private let body: Body
        private var listener: Listener<Event>?

        init(body: @escaping Body) { self.body = body }

        /// The next event; nil when the training has ended.
        public mutating func next() async throws -> Event? {
            let listener = self.listener ?? Listener(body)
            self.listener = listener
            return try await listener.channel.next()
        }
    }
}

/// Starts a training, and stops it when no one listens any more.
private final class Listener<Event: Sendable>: Sendable {
    let channel = EventChannel<Event>()

    init(_ body: @escaping TrainingEvents<Event>.Body) {
        let channel = channel
        let thread = Thread {
            let end = Result { try body({ channel.isStopped }, channel.send) }
            channel.finish(end)
        }
        // Backward passes go deeper than a thread's usual half megabyte.
        thread.stackSize = 16 << 20
        thread.start()
    }

    deinit { channel.stop() }
}

/// Hands events from a thread to a task.
private final class EventChannel<Event: Sendable>: Sendable {
    private struct State {
        var events: [Event] = []
        var end: Result<Void, any Error>?
        var waiting: CheckedContinuation<Event?, any Error>?
        var isStopped = false
    }

    private let state = Mutex(State())

    var isStopped: Bool { state.withLock { $0.isStopped } }

    func stop() { state.withLock { $0.isStopped = true } }

    func send(_ event: Event) {
        let waiting = state.withLock { state in
            defer { state.waiting = nil }
            if state.waiting == nil { state.events.append(event) }
            return state.waiting
        }
        waiting?.resume(returning: event)
    }

    func finish(_ end: Result<Void, any Error>) {
        let waiting = state.withLock { state in
            defer { state.waiting = nil }
            state.end = end
            return state.waiting
        }
        waiting?.resume(with: end.map { nil })
    }

    func next() async throws -> Event? {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation(take)
        } onCancel: {
            stop()
        }
    }

    /// Gives what there is, or keeps who asks until there is something.
    private func take(_ continuation: CheckedContinuation<Event?, any Error>) {
        let ready: Result<Event?, any Error>? = state.withLock { state in
            if !state.events.isEmpty { return .success(state.events.removeFirst()) }
            if let end = state.end { return end.map { nil } }
            state.waiting = continuation
            return nil
        }
        if let ready { continuation.resume(with: ready) }
    }
}
