/// Turns a parsed pattern into a program.
struct RegexCompiler {
    private var program = RegexProgram()

    /// A program may be so long: what repeats a fixed number of times is written out.
    private static let greatestLength = 100_000
    /// Every set takes eight kilobytes.
    private static let mostSets = 1000

    static func compile(_ node: RegexNode) throws(RegexError) -> RegexProgram {
        var compiler = RegexCompiler()
        try compiler.add(node)
        try compiler.emit(.accept)
        compiler.program.beginnings = node.beginnings
        return compiler.program
    }

    private var end: Int { program.instructions.count }

    private mutating func emit(_ instruction: RegexProgram.Instruction) throws(RegexError) {
        guard end < Self.greatestLength else { throw RegexError(reason: "it is too large") }
        program.instructions.append(instruction)
    }

    private mutating func add(_ node: RegexNode) throws(RegexError) {
        guard program.sets.count < Self.mostSets else {
            throw RegexError(reason: "it is too large")
        }
        switch node {
        case .empty: break
        case .scalars(let set):
            if let scalar = set.onlyMember {
                try emit(.scalar(scalar))
            } else {
                try emit(.set(program.number(of: set)))
            }
        case .sequence(let nodes): for node in nodes { try add(node) }
        case .alternation(let nodes): try addAlternation(nodes)
        case .repetition(let node, let least, let most, let greed):
            try addRepetition(node, least, most, greed)
        case .atomic(let node):
            try addAtomic { (compiler) throws(RegexError) in
                try compiler.add(node)
            }
        case .look(let node, let isAhead, let isNegated):
            let start = end
            try emit(.accept)
            try add(node)
            try emit(.accept)
            program.instructions[start] = .look(
                isAhead: isAhead, isNegated: isNegated, least: node.leastLength,
                most: node.greatestLength ?? .max, end: end)
        case .anchor(let anchor): try emit(.anchor(anchor))
        }
    }

    private mutating func addAtomic(
        _ body: (inout RegexCompiler) throws(RegexError) -> Void
    ) throws(RegexError) {
        let start = end
        try emit(.accept)
        try body(&self)
        try emit(.accept)
        program.instructions[start] = .atomic(end: end)
    }

    /// Branches are chosen by the next scalar; more than a word has bits are tried in groups.
    private mutating func addAlternation(_ nodes: [RegexNode]) throws(RegexError) {
        guard nodes.count <= 64 else {
            let remaining = RegexNode.alternation(Array(nodes[63...]))
            return try addAlternation(Array(nodes[..<63]) + [remaining])
        }
        let number = program.dispatchTargets.count
        let beginnings = nodes.map(\.beginnings)
        for kind in 0..<RegexBeginnings.kinds {
            var mask: UInt64 = 0
            for (branch, beginning) in beginnings.enumerated() where beginning.contains(kind: kind)
            {
                mask |= 1 << UInt64(branch)
            }
            program.dispatchMasks.append(mask)
        }
        program.dispatchTargets.append([])
        try emit(.dispatch(number))
        var targets: [Int] = []
        var jumps: [Int] = []
        for (branch, node) in nodes.enumerated() {
            targets.append(end)
            try add(node)
            if branch + 1 < nodes.count {
                jumps.append(end)
                try emit(.accept)
            }
        }
        for jump in jumps { program.instructions[jump] = .jump(end) }
        program.dispatchTargets[number] = targets
    }

    private mutating func addRepetition(
        _ node: RegexNode, _ least: Int, _ most: Int?, _ greed: RegexGreed
    ) throws(RegexError) {
        if case .scalars(let set) = node {
            let number = program.number(of: set)
            return try emit(.repeatSet(number, least: least, most: most ?? .max, greed))
        }
        if greed == .possessive {
            return try addAtomic { (compiler) throws(RegexError) in
                try compiler.addRepetition(node, least, most, .greedy)
            }
        }
        let start = end
        for _ in 0..<least {
            try add(node)
            if end == start { return }
        }
        guard let most else { return try addLoop(node, isLazy: greed == .lazy) }
        var splits: [Int] = []
        for _ in least..<most {
            splits.append(end)
            try emit(.accept)
            try add(node)
        }
        for split in splits { setSplit(at: split, body: split + 1, exit: end, greed == .lazy) }
    }

    private mutating func addLoop(_ node: RegexNode, isLazy: Bool) throws(RegexError) {
        let start = end
        try emit(.accept)
        try add(node)
        try emit(.jump(start))
        setSplit(at: start, body: start + 1, exit: end, isLazy)
    }

    private mutating func setSplit(at index: Int, body: Int, exit: Int, _ isLazy: Bool) {
        program.instructions[index] = isLazy ? .split(exit, body) : .split(body, exit)
    }
}
