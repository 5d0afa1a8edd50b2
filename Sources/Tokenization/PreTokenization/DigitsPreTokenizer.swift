/// `Digits` of `tokenizers`: puts numbers apart, as a whole or digit by digit.
struct DigitsPreTokenizer: PreTokenizer {
    let separatesDigits: Bool

    func split(_ words: inout Words) {
        words.split(separatesDigits ? .isolated : .contiguous) { $0.isRustNumeric }
    }
}
