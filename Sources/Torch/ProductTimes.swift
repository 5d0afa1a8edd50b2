import Synchronization

/// How long products of bfloat16 take beside those of float32, measured on a device: once in a process.
enum ProductTimes {
    private static let measured = Mutex<[Device: Double?]>([:])
    private static let rounds = 5
    /// What is enough to tell, in seconds.
    private static let patience = 0.5

    /// The median time of the two products of a training step's layer, by that of float32's; nil where the
    /// device has no such products.
    static func ratio(on device: Device) -> Double? {
        measured.withLock { known in
            if let ratio = known[device] { return ratio }
            let ratio = try? measure(on: device)
            known[device] = .some(ratio)
            return ratio
        }
    }

    private static func measure(on device: Device) throws -> Double {
        // An accelerator needs more than a start to be seen at work.
        let (rows, size) = device.kind == .cpu ? (256, 1024) : (2048, 4096)
        let products = try [DType.bfloat16, .float32].map {
            try Products(rows: rows, size: size, dtype: $0, device: device)
        }
        for product in products { try product.run() }
        var times: [[Double]] = [[], []]
        let start = ContinuousClock.now
        for _ in 0..<rounds where times[0].isEmpty || seconds(since: start) < patience {
            for (index, product) in products.enumerated() {
                let start = ContinuousClock.now
                try product.run()
                times[index].append(seconds(since: start))
            }
        }
        let medians = times.map { $0.sorted()[$0.count / 2] }
        return medians[0] / max(medians[1], 1e-9)
    }

    private static func seconds(since start: ContinuousClock.Instant) -> Double {
        (ContinuousClock.now - start) / .seconds(1)
    }
}

/// x Wᵀ and g W, as in a layer's forward and in its backward.
private struct Products {
    let rows: Tensor
    let weight: Tensor

    init(rows: Int, size: Int, dtype: DType, device: Device) throws {
        let generator = try Generator(seed: 0)
        self.rows = try .normal([rows, size], using: generator).to(dtype).to(device: device)
        weight = try .normal([size, size], using: generator).to(dtype).to(device: device)
    }

    func run() throws {
        try withoutGradient {
            let made = [try rows.linear(weight), try rows.matmul(weight)]
            // An accelerator computes when it is asked for a number.
            if rows.device.kind != .cpu { for product in made { _ = try product.sum().item() } }
        }
    }
}
