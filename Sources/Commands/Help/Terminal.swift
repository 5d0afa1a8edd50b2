import Foundation

#if canImport(Glibc)
    import Glibc
#endif

/// The terminal that standard output is.
enum Terminal {
    private static let standardColumns = 80
    private static let fewestColumns = 40

    /// Columns of a line: what `COLUMNS` says, else the terminal's own, else 80.
    static var columns: Int {
        let said = ProcessInfo.processInfo.environment["COLUMNS"].flatMap { Int($0) } ?? 0
        return max(fewestColumns, said > 0 ? said : ownColumns ?? standardColumns)
    }

    private static var ownColumns: Int? {
        var size = winsize()
        guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else {
            return nil
        }
        return Int(size.ws_col)
    }
}
