/// When beam search takes a prompt's finished beams for the best there are.
public enum EarlyStopping: String, CaseIterable, Sendable {
    /// As soon as the best running beam, at the length that it has, is behind the worst finished one.
    case heuristic = "false"
    /// As soon as there are as many finished beams as beams.
    case whenFull = "true"
    /// Only when no running beam can get ahead at any length.
    case never
}
