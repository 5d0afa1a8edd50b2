/// A part that a token plays, by the key that names it. The order is that in which `transformers`
/// adds such tokens.
enum TokenRole: String, CaseIterable, CodingKey {
    case beginning = "bos_token"
    case end = "eos_token"
    case unknown = "unk_token"
    case separator = "sep_token"
    case padding = "pad_token"
    case classification = "cls_token"
    case mask = "mask_token"
}
