/// How the file of an adapter was made, where that says what it means.
struct AdapterForm {
    /// Whether its paths are those of a model without a head, such as `LlamaModel`.
    var isOfBareBody = false
    /// Whether the head goes on sharing an embedding that the adapter brings: PEFT's
    /// `ensure_weight_tying`.
    var keepsTie = false
}
