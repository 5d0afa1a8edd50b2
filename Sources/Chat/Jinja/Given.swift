/// The arguments of a call, evaluated.
struct Given {
    var positional: [Value]
    var named: [(name: String, value: Value)]

    /// The values of parameters in their order; nil for those that are not given.
    ///
    /// - Parameter required: how many of them must be.
    func bound(
        _ callee: String, _ parameters: [String], required: Int = 0
    ) throws(Fault) -> [Value?] {
        guard positional.count <= parameters.count else {
            throw .failed(
                "\(callee) takes at most \(parameters.count) arguments, not \(positional.count)")
        }
        var values: [Value?] = positional
        values += [Value?](repeating: nil, count: parameters.count - positional.count)
        for (name, value) in named {
            guard let index = parameters.firstIndex(of: name), values[index] == nil else {
                throw .failed("\(callee) has no place for the argument '\(name)'")
            }
            values[index] = value
        }
        for index in 0..<required where values[index] == nil {
            throw .failed("\(callee) needs the argument '\(parameters[index])'")
        }
        return values
    }
}
