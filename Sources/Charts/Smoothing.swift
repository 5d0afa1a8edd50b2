import Foundation

/// A course through points that scatter about it.
enum Smoothing {
    /// The distance at which a point counts for e times less than the one in the middle, as a share of
    /// their number.
    private static let share = 1.0 / 60

    /// At each point the value of the line that fits those around it best, near ones more than far ones.
    ///
    /// A point at a distance of d points has the weight exp(-d / h), with h a sixtieth of their number: few
    /// points are left nearly as they are. Other than an average of the points before it, such a line does
    /// not lag behind a course that falls (Cleveland 1979, "Robust Locally Weighted Regression and
    /// Smoothing Scatterplots"). Points that are not finite take no part, and the course has its gap where
    /// they stand.
    static func course(of points: [(x: Double, y: Double)]) -> [(x: Double, y: Double)] {
        let values = points.map { $0.x.isFinite && $0.y.isFinite ? $0.y : nil }
        let count = Double(values.count { $0 != nil })
        let decay = exp(-1 / max(count * share, .leastNormalMagnitude))
        let before = moments(of: values, decay: decay)
        let behind = moments(of: values.reversed(), decay: decay).reversed()
        return zip(zip(points, values), zip(before, behind)).map { point, sides in
            guard let value = point.1 else { return (point.0.x, .nan) }
            return (point.0.x, sides.0.joined(with: sides.1, at: value).valueOfLine)
        }
    }

    /// At each point, what the points before it weigh.
    private static func moments(of values: [Double?], decay: Double) -> [Moments] {
        var moments = Moments()
        return values.map { value in
            defer {
                if let value { moments.add(value) }
                moments.move(decay: decay)
            }
            return moments
        }
    }
}

/// Sums over points of weight w, distance d and value y.
private struct Moments {
    private var (w, wd, wdd, wy, wdy) = (0.0, 0.0, 0.0, 0.0, 0.0)

    /// A point at distance 0, of weight 1.
    mutating func add(_ y: Double) { (w, wy) = (w + 1, wy + y) }

    /// Takes every point one further away.
    mutating func move(decay: Double) {
        wdd = decay * (wdd + 2 * wd + w)
        wd = decay * (wd + w)
        w *= decay
        wdy = decay * (wdy + wy)
        wy *= decay
    }

    /// With the points on the other side, whose distances count as negative, and the one between them.
    func joined(with others: Moments, at y: Double) -> Moments {
        var joined = self
        joined.w += others.w
        joined.wd -= others.wd
        joined.wdd += others.wdd
        joined.wy += others.wy
        joined.wdy -= others.wdy
        joined.add(y)
        return joined
    }

    /// At distance 0, of the line with the least squared distances.
    var valueOfLine: Double {
        let spread = w * wdd - wd * wd
        guard spread > 1e-9 * w * w else { return wy / w }
        return (wdd * wy - wd * wdy) / spread
    }
}
