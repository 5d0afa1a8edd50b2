import DualGeneration
import Testing

@Suite struct ProcessorTests {
}
