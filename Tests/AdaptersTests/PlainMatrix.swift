import DualTorch

/// Matrices in plain Swift, to write a formula out without the library that is tested.
struct PlainMatrix {
    let rows: Int
    let columns: Int
    let values: [Double]

    init(_ rows: Int, _ columns: Int, _ element: (Int, Int) -> Double) {
        (self.rows, self.columns) = (rows, columns)
        values = (0..<(rows * columns)).map { element($0 / columns, $0 % columns) }
    }

    init(_ tensor: Tensor) throws {
        let values: [Double] = try tensor.array()
        let columns = tensor.size(1)
        self.init(tensor.size(0), columns) { values[$0 * columns + $1] }
    }

    subscript(row: Int, column: Int) -> Double { values[row * columns + column] }

    var transposed: PlainMatrix { PlainMatrix(columns, rows) { self[$1, $0] } }

    func map(_ change: (Double) -> Double) -> PlainMatrix {
        PlainMatrix(rows, columns) { change(self[$0, $1]) }
    }

    func combined(_ other: PlainMatrix, _ join: (Double, Double) -> Double) -> PlainMatrix {
        PlainMatrix(rows, columns) { join(self[$0, $1], other[$0, $1]) }
    }

    /// The matrix product.
    static func * (left: PlainMatrix, right: PlainMatrix) -> PlainMatrix {
        PlainMatrix(left.rows, right.columns) { row, column in
            (0..<left.columns).reduce(0) { $0 + left[row, $1] * right[$1, column] }
        }
    }

    func tensor() throws -> Tensor { try Tensor(values, [rows, columns]) }
}
