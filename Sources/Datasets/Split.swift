/// A part of a task's data. GLUE keeps the labels of its test parts, so there are only two.
public enum Split: String, CaseIterable, Sendable {
    case train
    case dev
}
