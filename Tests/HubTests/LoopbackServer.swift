import Foundation
import Synchronization

/// A small HTTP server on 127.0.0.1 that keeps every request, and misbehaves when it is told to.
final class LoopbackServer: Sendable {
    struct Request: Equatable, Sendable {
        let method: String
        let path: String
        /// By names in lower case.
        let headers: [String: String]
    }

    struct Answer: Sendable {
        var status = 200
        var headers: [String: String] = [:]
        var body = Data()
        /// Only so many bytes of the body are sent.
        var cut: Int?
        /// What is cut off is not followed by the connection's end, but by nothing.
        var stalls = false
        /// Not even a head is sent.
        var isSilent = false
    }

    #if os(Linux)
        private static let streaming = Int32(SOCK_STREAM.rawValue)
        private static let flags = Int32(MSG_NOSIGNAL)
    #else
        private static let streaming = SOCK_STREAM
        private static let flags: Int32 = 0
    #endif

    let port: Int
    private let listener: Int32
    private let isStopped = Atomic<Bool>(false)
    private let log = Mutex<[Request]>([])
    private let respond: @Sendable (Request) -> Answer

    init(_ respond: @escaping @Sendable (Request) -> Answer) throws {
        self.respond = respond
        listener = socket(AF_INET, Self.streaming, 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let listener = listener
        let isOpen = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, length) == 0 && listen(listener, 16) == 0
                    && getsockname(listener, $0, &length) == 0
            }
        }
        guard isOpen else { throw POSIXError(.EADDRNOTAVAIL) }
        port = Int(UInt16(bigEndian: address.sin_port))
        Thread.detachNewThread { [self] in listenOn() }
    }

    var address: String { "http://127.0.0.1:\(port)" }

    var requests: [Request] { log.withLock { $0 } }

    /// How many requests of a method there were for a path's last word.
    func count(_ method: String, _ file: String) -> Int {
        requests.count { $0.method == method && $0.path.hasSuffix("/" + file) }
    }

    func forget() { log.withLock { $0 = [] } }

    /// Nobody answers any more.
    func stop() {
        guard !isStopped.exchange(true, ordering: .relaxed) else { return }
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
    }

    private func listenOn() {
        while !isStopped.load(ordering: .relaxed) {
            let connection = accept(listener, nil, nil)
            guard connection >= 0 else { return }
            Thread.detachNewThread { [self] in serve(connection) }
        }
    }

    private func serve(_ connection: Int32) {
        defer { close(connection) }
        var received = Data()
        while let request = Self.read(connection, &received) {
            log.withLock { $0.append(request) }
            let answer = respond(request)
            if answer.isSilent { return stall() }
            var head = "HTTP/1.1 \(answer.status) Answer\r\n"
            let headers = ["Content-Length": "\(answer.body.count)"].merging(answer.headers) { $1 }
            for (name, value) in headers { head += "\(name): \(value)\r\n" }
            let body = request.method == "HEAD" ? Data() : answer.body.prefix(answer.cut ?? .max)
            guard Self.write(connection, Data((head + "\r\n").utf8) + body) else { return }
            guard request.method == "HEAD" || answer.cut == nil else {
                return answer.stalls ? stall() : ()
            }
        }
    }

    /// Sends nothing for so long that whoever waits has given up.
    private func stall() {
        for _ in 0..<100 where !isStopped.load(ordering: .relaxed) { usleep(50_000) }
    }

    private static func write(_ connection: Int32, _ data: Data) -> Bool {
        data.withUnsafeBytes { bytes in
            var sent = 0
            while sent < bytes.count {
                let count = send(
                    connection, bytes.baseAddress?.advanced(by: sent), bytes.count - sent,
                    flags)
                guard count > 0 else { return false }
                sent += count
            }
            return true
        }
    }

    private static func read(_ connection: Int32, _ received: inout Data) -> Request? {
        let end = Data("\r\n\r\n".utf8)
        var buffer = [UInt8](repeating: 0, count: 4096)
        while received.range(of: end) == nil {
            let count = recv(connection, &buffer, buffer.count, 0)
            guard count > 0 else { return nil }
            received += buffer[..<count]
        }
        guard let range = received.range(of: end) else { return nil }
        let lines = String(decoding: received[..<range.lowerBound], as: UTF8.self)
            .components(separatedBy: "\r\n")
        received = Data(received[range.upperBound...])
        let words = lines[0].split(separator: " ").map(String.init)
        guard words.count == 3 else { return nil }
        var headers: [String: String] = [:]
        for line in lines.dropFirst() {
            let halves = line.split(separator: ":", maxSplits: 1).map {
                $0.trimmingCharacters(in: .whitespaces)
            }
            if halves.count == 2 { headers[halves[0].lowercased()] = halves[1] }
        }
        let path = String(words[1].prefix { $0 != "?" })
        return Request(method: words[0], path: path, headers: headers)
    }
}
