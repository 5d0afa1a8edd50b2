import Foundation

extension ChatTemplate {
    /// A moment as a user writes it: `2026-07-31T12:00:00` on this machine's clock, or a day alone.
    ///
    /// It has no zone, for templates see none: written and read in different places, it gives the same
    /// text.
    /// - Returns: nil for what is no such moment.
    package static func date(_ text: String) -> Date? {
        let pattern = /(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2}):(\d{2}))?/
        guard let match = text.wholeMatch(of: pattern) else { return nil }
        let (_, year, month, day, hour, minute, second) = match.output
        let number = { (digits: Substring?) in digits.flatMap { Int32($0) } ?? 0 }
        var moment = tm()
        (moment.tm_year, moment.tm_mon, moment.tm_mday) = (
            number(year) - 1900, number(month) - 1, number(day)
        )
        (moment.tm_hour, moment.tm_min, moment.tm_sec) = (
            number(hour), number(minute), number(second)
        )
        moment.tm_isdst = -1
        let date = Date(timeIntervalSince1970: Double(mktime(&moment)))
        // mktime makes the 2nd of March of the 30th of February.
        let whole = hour == nil ? text + "T00:00:00" : text.replacing(" ", with: "T")
        return self.text(of: date) == whole ? date : nil
    }

    /// A moment as ``date(_:)`` reads it, to the second.
    package static func text(of date: Date) -> String {
        var seconds = time_t(date.timeIntervalSince1970.rounded(.down))
        var moment = tm()
        localtime_r(&seconds, &moment)
        return String(
            format: "%04d-%02d-%02dT%02d:%02d:%02d", moment.tm_year + 1900, moment.tm_mon + 1,
            moment.tm_mday, moment.tm_hour, moment.tm_min, moment.tm_sec)
    }
}
