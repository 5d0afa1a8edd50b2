/// A list of rising numbers.
/// - Parameter differences: of each number to the one before it, in hexadecimal digits; the first to 0.
func risingNumbers(_ differences: String) -> [UInt32] {
    var last: UInt32 = 0
    return differences.split(separator: " ").map { word in
        last += UInt32(word, radix: 16) ?? 0
        return last
    }
}
