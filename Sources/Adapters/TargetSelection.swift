import DualModules

/// Which layers of a model an adapter changes.
public enum TargetSelection: Equatable, Sendable {
    /// Layers whose path is, or ends in, one of the names. PEFT's rule for a list.
    case names([String])
    /// Every linear layer but the head.
    case allLinear

    /// The spelling of the command line: "query,value", or "all-linear".
    public init(_ text: String) {
        let names = text.split(separator: ",").map { $0.trimmed }.filter { !$0.isEmpty }
        self = names == ["all-linear"] ? .allLinear : .names(names)
    }

    /// The layers that match; every name must match at least one.
    /// - Throws: ``AdapterError/noSuchTarget(name:known:)`` listing the names that exist.
    public func layers(of linears: [Linear]) throws -> [Linear] {
        guard case .names(let names) = self else { return linears }
        guard !names.isEmpty else { throw AdapterError.noTargets }
        for name in names where !linears.contains(where: { $0.matches(name) }) {
            throw AdapterError.noSuchTarget(name: name, known: Self.knownNames(linears))
        }
        return linears.filter { layer in names.contains(where: layer.matches) }
    }

    /// The shortest names that tell layers of different kinds apart, with their shapes.
    private static func knownNames(_ linears: [Linear]) -> [String] {
        var seen: [String] = []
        for layer in linears {
            let words = layer.path.split(separator: ".").map(String.init)
            let suffixes = [1, 3, 2].map { words.suffix($0) }.filter {
                $0.allSatisfy { Int($0) == nil }
            }
            let names = suffixes.map { $0.joined(separator: ".") }
            let name = names.first { isOfOneShape($0, linears) } ?? names.last ?? layer.path
            let label = "\(name) (\(layer.outputSize) x \(layer.inputSize))"
            if !seen.contains(label) { seen.append(label) }
        }
        return seen
    }

    private static func isOfOneShape(_ name: String, _ linears: [Linear]) -> Bool {
        Set(linears.filter { $0.matches(name) }.map { [$0.outputSize, $0.inputSize] }).count == 1
    }
}

extension Linear {
    fileprivate func matches(_ name: String) -> Bool { path == name || path.hasSuffix("." + name) }
}

extension Substring {
    fileprivate var trimmed: String {
        String(drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
    }
}
