/// Cuts a file into the bytes of its rows, with no more of it in memory than a block and the row at hand.
protocol RowCutter {
    /// - Returns: nil behind the last row.
    mutating func next() throws(TaskDataError) -> RowBytes?
}
