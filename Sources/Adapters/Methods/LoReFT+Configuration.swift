import DualModules

// LoReFT's `adapter_config.json`; PEFT has no such type, so the names are this package's.
extension LoReFT {
    public func fields(of parts: [any AdapterPart], seed: UInt64) -> [String: Any] {
        [
            "r": rank, "positions": positions.description, "layers": blocks as Any? ?? "all",
            "tied_positions": isTied, "dropout": dropout, "act_fn": activation.rawValue,
            "variant": variant.rawValue,
        ]
    }

    public init(_ file: ConfigurationFile) throws {
        self.init(rank: try file.rank("r", default: 4))
        if let text = try file.text("positions") {
            guard let read = EditedPositions(text) else {
                throw file.bad("positions", found: text, expected: "like f1+l1, f3 or l2")
            }
            positions = read
        }
        if file.fields["layers"] as? String != "all" {
            blocks = try file.list("layers").map { Set<Int>($0).sorted() }
        }
        isTied = try file.flag("tied_positions") ?? isTied
        dropout = try file.probability("dropout", default: 0)
        activation = try file.choice("act_fn", default: .identity)
        variant = try file.choice("variant", default: .loreft)
    }
}
