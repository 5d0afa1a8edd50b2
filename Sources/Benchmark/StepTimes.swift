/// Milliseconds of one step's phases, and its loss.
struct StepTimes {
    let forward, backward, optimizer, loss: Double

    var whole: Double { forward + backward + optimizer }
}
