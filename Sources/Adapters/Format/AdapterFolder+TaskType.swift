extension AdapterFolder {
    /// What the adapted model is for, as PEFT spells it.
    public enum TaskType: String, CaseIterable, Sendable {
        case sequenceClassification = "SEQ_CLS"
        case causalLanguageModel = "CAUSAL_LM"
        case featureExtraction = "FEATURE_EXTRACTION"
    }
}
