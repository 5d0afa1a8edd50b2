/// The spelling of a byte as a piece, `<0x0A>`.
enum SentencePieceByte {
    static func token(of byte: UInt8) -> String {
        let digits = String(byte, radix: 16, uppercase: true)
        return byte < 16 ? "<0x0\(digits)>" : "<0x\(digits)>"
    }

    /// nil for any other token, one with small letters among them.
    static func value(of token: String) -> UInt8? {
        guard let byte = ByteFallbackDecoder.byte(of: token) else { return nil }
        return self.token(of: byte) == token ? byte : nil
    }
}
