import DualModules
import DualTorch

/// A method whose adapters start from what the layers see of the training data.
public protocol CalibratedMethod: AdapterMethod {
    /// How many examples it looks at.
    var calibrationSamples: Int { get }

    /// Gives fresh parts the start that the data says.
    /// - Parameter run: passes the examples through the model, each in a pass of its own.
    func calibrate(_ parts: [PlacedPart], by run: () throws -> Void) throws
}

extension AdapterSet {
    /// Lets a method that begins at the data see it; others are left as they are.
    /// - Parameters:
    ///   - examples: how many there are; the first of them are looked at.
    ///   - run: passes one example, by its number, through the model.
    /// - Returns: how many examples were looked at.
    @discardableResult
    public func calibrate(examples: Int, _ run: (Int) throws -> Void) throws -> Int {
        guard let method = method as? any CalibratedMethod else { return 0 }
        let count = min(method.calibrationSamples, examples)
        try withoutGradient {
            try method.calibrate(parts) { for index in 0..<count { try run(index) } }
        }
        return count
    }
}
