import DualTorch
import Foundation

/// Memory for the blocks of the layers that a thread runs, one after the other.
///
/// Taken and freed for each layer, blocks of tens of MiB would leave holes that smaller tensors settle
/// in, and the heap would grow by a block a layer.
final class BlockMemory {
    enum Purpose { case weight, gradient, factor, factorGradient }

    private var rooms: [Purpose: Tensor] = [:]

    static var ofThisThread: BlockMemory {
        let key = "DualAdapters.BlockMemory"
        if let known = Thread.current.threadDictionary[key] as? BlockMemory { return known }
        let made = BlockMemory()
        Thread.current.threadDictionary[key] = made
        return made
    }

    /// A tensor without values, which is good until the next is taken for the same purpose.
    func take(_ purpose: Purpose, _ shape: [Int], like other: Tensor) throws -> Tensor {
        let count = shape.reduce(1, *)
        if let room = rooms[purpose], room.count >= count, room.dtype == other.dtype,
            room.device == other.device
        {
            return try room.slice(0..<count).reshaped(shape)
        }
        // What was there goes first, so that both are never there at once.
        rooms[purpose] = nil
        let room = try Tensor.empty([count], dtype: other.dtype, device: other.device)
        rooms[purpose] = room
        return try room.reshaped(shape)
    }
}
