/// The spelling of a byte as a piece, `<0x0A>`.
enum SentencePieceByte {
    static func token(of byte: UInt8) -> String {
        let digits = String(byte, radix: 16, uppercase: true)
        return byte < 16 ? "<0x0\(digits)>" : "<0x\(digits)>"
    }

    /// nil for any other token, one with small letters among them.
    static func value(of token: String) -> UInt8? {
        let units = token.utf8
        guard units.count == 6, token.hasPrefix("<0x"), units.last == UInt8(ascii: ">") else {
            return nil
        }
        guard let byte = UInt8(token.dropFirst(3).prefix(2), radix: 16) else { return nil }
        return self.token(of: byte) == token ? byte : nil
    }
}
