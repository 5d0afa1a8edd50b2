import CTorch

/// The tensors that a kernel computes with: a row for each device that it is written for.
///
/// "Does the kernel take these?" is asked of ``takes(_:weights:factors:)`` and nowhere else. A kernel
/// comes to another device by one more row here and by its operators being registered for the device.
package struct KernelSupport: Sendable {
    /// What a kernel takes on one device.
    struct Row: Sendable {
        let device: Device.Kind
        /// The types of the numbers that it computes with.
        var dtypes: [DType] = [.float32, .bfloat16]
        /// More types of weights, which it reads and does not compute with.
        var storedTypes: [DType] = []
        /// Whether it takes values in contiguous memory alone; other kernels read them as they lie, or
        /// copy them.
        let needsContiguousValues: Bool

        /// On the CPU kernels compute with float32 and bfloat16.
        static let cpu = Row(device: .cpu, needsContiguousValues: false)
        /// As ``cpu``, with values in contiguous memory alone.
        static let cpuContiguous = Row(device: .cpu, needsContiguousValues: true)
        /// As ``cpu``, with weights that may be of float16.
        static let cpuStored = Row(
            device: .cpu, storedTypes: [.float16], needsContiguousValues: false)
    }

    let rows: [Row]

    init(_ rows: Row...) { self.rows = rows }

    /// Whether the kernel computes with numbers of a type on the CPU.
    func takesType(_ dtype: DType) -> Bool {
        rows.contains { $0.device == .cpu && $0.dtypes.contains(dtype) }
    }

    /// Whether the kernel computes with these tensors, which all lie on a device that has it. An absent
    /// one is nil.
    /// - Parameters:
    ///   - values: the first one must be there; all are of one of the kernel's types.
    ///   - weights: each of one of the kernel's types, whichever the others have, or of float16 where the
    ///     kernel reads weights as they are stored.
    ///   - factors: float32, in contiguous memory.
    func takes(_ values: [Tensor?], weights: [Tensor?] = [], factors: [Tensor?] = []) -> Bool {
        guard let first = values.first ?? nil else { return false }
        let (device, type) = (
            ct_tensor_device_type(first.handle), ct_tensor_dtype(first.handle)
        )
        guard let row = rows.first(where: { $0.device.deviceType == device }) else { return false }
        func all(_ tensors: [Tensor?], _ isTaken: (OpaquePointer) -> Bool) -> Bool {
            tensors.allSatisfy {
                guard let handle = $0?.handle else { return true }
                return ct_tensor_device_type(handle) == device && isTaken(handle)
            }
        }
        func isOfRow(_ type: Int32) -> Bool { row.dtypes.contains { $0.scalarType == type } }
        return isOfRow(type)
            && all(values) {
                ct_tensor_dtype($0) == type
                    && (!row.needsContiguousValues || ct_tensor_is_contiguous($0))
            }
            && all(weights) { weight in
                let type = ct_tensor_dtype(weight)
                return isOfRow(type) || row.storedTypes.contains { $0.scalarType == type }
            }
            && all(factors) {
                ct_tensor_dtype($0) == DType.float32.scalarType && ct_tensor_is_contiguous($0)
            }
    }
}
