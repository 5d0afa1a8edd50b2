/// What `keys()`, `values()` and `items()` of a mapping give.
struct MappingView {
    let mapping: Mapping
    let method: Method

    var values: [Value] {
        get throws(Fault) {
            switch method {
            case .keys: mapping.keys
            case .values: mapping.values
            default: try mapping.pairs
            }
        }
    }
}
