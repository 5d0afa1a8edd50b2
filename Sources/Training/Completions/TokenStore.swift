/// Words of 32 bits in the order they came in. The first stay in memory, those behind are written to a
/// temporary file and read from it again.
struct TokenStore: Sendable {
    /// Where words that were appended together begin.
    struct Start: Sendable {
        fileprivate let piece: Int32
        fileprivate let offset: Int32
    }

    private enum Piece: Sendable {
        case memory([UInt32])
        case file(TemporaryFile, offset: Int)
    }

    private var pieces: [Piece] = []
    /// The piece that is filled.
    private var last: [UInt32] = []
    private var file: TemporaryFile?

    private static let pieceSize = 1 << 20
    private let piecesInMemory: Int

    /// - Parameter piecesInMemory: of 4 MiB each.
    init(piecesInMemory: Int = 4) { self.piecesInMemory = piecesInMemory }

    /// Appends words that are read together.
    mutating func append(_ words: some Sequence<UInt32>) -> Start {
        if last.count >= Self.pieceSize { putAway() }
        let start = Start(piece: Int32(pieces.count), offset: Int32(last.count))
        last.append(contentsOf: words)
        return start
    }

    func words(at start: Start, count: Int) -> ArraySlice<UInt32> {
        let (piece, offset) = (Int(start.piece), Int(start.offset))
        guard piece < pieces.count else { return last[offset..<offset + count] }
        switch pieces[piece] {
        case .memory(let words): return words[offset..<offset + count]
        case .file(let file, let begin): return file.words(at: begin + offset, count: count)[...]
        }
    }

    /// Where there is no room for a file, the words stay in memory.
    private mutating func putAway() {
        defer { last.removeAll(keepingCapacity: true) }
        if pieces.count >= piecesInMemory {
            file = file ?? TemporaryFile()
            if let file, let offset = file.append(last) {
                pieces.append(.file(file, offset: offset))
                return
            }
        }
        pieces.append(.memory(last))
    }
}
