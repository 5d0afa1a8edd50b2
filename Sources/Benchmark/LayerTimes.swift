/// Milliseconds of one pass through a layer and back.
struct LayerTimes {
    let forward, backward: Double

    var whole: Double { forward + backward }
}
