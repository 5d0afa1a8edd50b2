import Foundation

/// Memory for the blocks of the layers that a thread runs, one after the other.
///
/// Taken and freed for each layer, blocks of tens of MiB would leave holes that smaller tensors settle
/// in, and the heap would grow by a block a layer.
package final class BlockMemory {
    package enum Purpose { case weight, gradient, factor, factorGradient, stored }

    private var rooms: [Purpose: Tensor] = [:]

    package static var ofThisThread: BlockMemory {
        let key = "DualTorch.BlockMemory"
        if let known = Thread.current.threadDictionary[key] as? BlockMemory { return known }
        let made = BlockMemory()
        Thread.current.threadDictionary[key] = made
        return made
    }

    /// A tensor without values, which is good until the next is taken for the same purpose.
    package func take(_ purpose: Purpose, _ shape: [Int], like other: Tensor) throws -> Tensor {
        try take(purpose, shape, dtype: other.dtype, device: other.device)
    }

    func take(
        _ purpose: Purpose, _ shape: [Int], dtype: DType, device: Device
    ) throws -> Tensor {
        let count = shape.reduce(1, *)
        if let room = rooms[purpose], room.count >= count, room.dtype == dtype,
            room.device == device
        {
            return try room.slice(0..<count).reshaped(shape)
        }
        // What was there goes first, so that both are never there at once.
        rooms[purpose] = nil
        let room = try Tensor.empty([count], dtype: dtype, device: device)
        rooms[purpose] = room
        return try room.reshaped(shape)
    }
}
