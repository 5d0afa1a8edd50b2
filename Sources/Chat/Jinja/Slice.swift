/// Python's `slice`.
struct Slice {
    let from, to: Int?
    let step: Int

    init(from: Int?, to: Int?, step: Int?) throws(Fault) {
        guard step != 0 else { throw .failed("slice step cannot be zero") }
        (self.from, self.to) = (from, to)
        self.step = max(step ?? 1, -Int.max)
    }

    /// The places in a sequence of `count`.
    func indices(in count: Int) -> StrideTo<Int> {
        let (lowest, highest) = step > 0 ? (0, count) : (-1, count - 1)
        func clamped(_ bound: Int) -> Int {
            min(max(bound < 0 ? bound + count : bound, lowest), highest)
        }
        let start = from.map(clamped) ?? (step > 0 ? lowest : highest)
        let stop = to.map(clamped) ?? (step > 0 ? highest : lowest)
        // A step beyond the sequence takes one item, as one of its length does.
        return stride(from: start, to: stop, by: min(max(step, -count - 1), count + 1))
    }
}
