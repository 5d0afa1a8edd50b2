import Foundation
import Testing

@testable import DualCharts

@Suite struct SmoothingTests {
    /// From -1 to 1.
    func noise(_ count: Int) -> [Double] {
        // A shift register of 32 bits (Marsaglia's xorshift).
        var state: UInt32 = 2_463_534_242
        return (0..<count).map { _ in
            state ^= state << 13
            state ^= state >> 17
            state ^= state << 5
            return Double(state) / Double(UInt32.max) * 2 - 1
        }
    }

    func points(_ values: [Double]) -> [(x: Double, y: Double)] {
        values.enumerated().map { (Double($0.offset + 1), $0.element) }
    }

    /// The definition: of all points, with weights exp(-60 |i - j| / n), the best line at the i-th.
    func fitted(_ values: [Double], at place: Int) -> Double {
        var (w, wd, wdd, wy, wdy) = (0.0, 0.0, 0.0, 0.0, 0.0)
        for (index, value) in values.enumerated() where value.isFinite {
            let distance = Double(index - place)
            let weight = exp(-60 * abs(distance) / Double(values.count(where: \.isFinite)))
            w += weight
            wd += weight * distance
            wdd += weight * distance * distance
            wy += weight * value
            wdy += weight * distance * value
        }
        return (wdd * wy - wd * wdy) / (w * wdd - wd * wd)
    }

    @Test("The course is that of the lines that fit best")
    func isDefinition() {
        var values = noise(150)
        values[40] = .nan
        values[41] = .infinity
        let course = Smoothing.course(of: points(values)).map(\.y)
        for (index, value) in values.enumerated() where value.isFinite {
            #expect(abs(course[index] - fitted(values, at: index)) < 1e-9)
        }
        #expect(course[40].isNaN && course[41].isNaN)
    }

    @Test(
        "A loss that falls is met where it ends, whatever the number of records",
        arguments: [
            2, 6, 30, 200, 3000,
        ])
    func doesNotLag(count: Int) {
        let loss = (0..<count).map { 1.5 + 2 * exp(-3 * Double($0) / Double(count)) }
        let course = Smoothing.course(of: points(loss)).map(\.y)
        for (found, value) in zip(course, loss) { #expect(abs(found - value) < 0.01) }
    }

    @Test("Noise about a course is smoothed away")
    func smooths() {
        let noise = noise(1000)
        let course = Smoothing.course(of: points(noise.map { $0 + 3 })).map { $0.y - 3 }
        func power(_ values: [Double]) -> Double { values.reduce(0) { $0 + $1 * $1 } }
        #expect(power(course) < 0.05 * power(noise))
    }

    @Test("One point is its own course, and none has none")
    func few() {
        #expect(Smoothing.course(of: points([7])).map(\.y) == [7])
        #expect(Smoothing.course(of: []).isEmpty)
    }
}
