import Synchronization

/// How often plain expressions stood in for a fused kernel, which did not take the tensors' device, type or
/// layout.
package enum PlainExpressions {
    private static let counts = Mutex<[String: Int]>([:])

    static func count<Kernel: FusedKernel>(_ kernel: Kernel.Type) {
        let name = kernel.allCases.first?.rawValue ?? "\(kernel)"
        counts.withLock { $0[name, default: 0] += 1 }
    }

    /// The counts since the process began, by the kernels' first operators.
    package static var sinceStart: [String: Int] { counts.withLock { $0 } }
}
