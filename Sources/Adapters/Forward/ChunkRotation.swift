import DualTorch
import Foundation

/// Half-split RoPE over the chunks of a vector: chunk i is turned by i θ_j, θ_j = 10000^(-2j/r̂).
struct ChunkRotation {
    /// (chunks, r̂)
    private let cosine, sine: Tensor

    /// - Parameter base: whose type and device the turns have.
    init(chunks: Int, side: Int, for base: Tensor) throws {
        var angles: [Double] = []
        for chunk in 0..<chunks {
            for j in 0..<side {
                let exponent = -2 * Double(j % (side / 2)) / Double(side)
                angles.append(Double(chunk) * pow(10_000, exponent))
            }
        }
        func table(_ values: [Double]) throws -> Tensor {
            try Tensor(values, [chunks, side]).to(base.dtype).to(device: base.device)
        }
        cosine = try table(angles.map { cos($0) })
        sine = try table(angles.map { sin($0) })
    }

    /// (..., chunks, r̂), each chunk turned by its number.
    func turned(_ x: Tensor) throws -> Tensor {
        let half = x.size(-1) / 2
        let second = try x.slice(half..<2 * half, along: -1)
        let other = try Tensor.joined([-second, x.slice(0..<half, along: -1)], along: -1)
        return try x * cosine.to(x.dtype) + other * sine.to(x.dtype)
    }

    /// R_i (r̂, r̂), which turns chunk i.
    func matrix(_ chunk: Int) throws -> Tensor {
        let side = cosine.size(1)
        let (cosines, sines): ([Double], [Double]) = (
            try cosine.selecting(chunk).array(), try sine.selecting(chunk).array()
        )
        var values = [Double](repeating: 0, count: side * side)
        for j in 0..<side / 2 {
            let other = j + side / 2
            values[j * side + j] = cosines[j]
            values[other * side + other] = cosines[other]
            values[j * side + other] = -sines[j]
            values[other * side + j] = sines[other]
        }
        return try Tensor(values, [side, side]).to(cosine.dtype).to(device: cosine.device)
    }
}
