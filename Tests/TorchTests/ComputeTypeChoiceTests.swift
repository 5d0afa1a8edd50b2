import Testing

@testable import DualTorch

@Suite("The type of computing")
struct ComputeTypeChoiceTests {
    /// A processor, what its environment says, and whether it has fast products of bfloat16.
    struct Machine: CustomTestStringConvertible {
        let set: InstructionSet
        let environment: [String: String]
        let isFast: Bool

        var testDescription: String { "\(set) \(environment)" }

        static let unlimited = InstructionSet.allCases.map {
            Machine(set: $0, environment: [:], isFast: $0 == .avx512BFloat16)
        }
        static let limited = [
            ("ATEN_CPU_CAPABILITY", ["default", "avx2"], ["avx512", "", "avx1024"]),
            ("ONEDNN_MAX_CPU_ISA", slow, fast), ("DNNL_MAX_CPU_ISA", slow, fast),
        ].flatMap { name, slow, fast in
            (slow.map { ($0, false) } + fast.map { ($0, true) }).map {
                Machine(set: .avx512BFloat16, environment: [name: $0], isFast: $1)
            }
        }
        private static let slow = [
            "SSE41", "AVX", "AVX2", "avx2", "AVX2_VNNI", "AVX2_VNNI_2", "AVX512_CORE",
            "AVX512_CORE_VNNI",
        ]
        private static let fast = [
            "AVX512_CORE_BF16", "AVX512_CORE_FP16", "AVX512_CORE_AMX", "AVX10_1_512_AMX_FP16",
            "ALL", "DEFAULT",
        ]
        static let several = [
            Machine(
                set: .avx512BFloat16,
                environment: ["ATEN_CPU_CAPABILITY": "avx512", "ONEDNN_MAX_CPU_ISA": "AVX2"],
                isFast: false),
            Machine(
                set: .avx2, environment: ["ONEDNN_MAX_CPU_ISA": "AVX512_CORE_AMX"], isFast: false),
        ]

        /// - Parameter ratio: of measured times; nil where nothing may be measured.
        func chooser(ratio: Double? = nil) -> ComputeTypeChooser {
            var chooser = ComputeTypeChooser()
            chooser.processor = Processor(instructionSet: set, environment: environment)
            chooser.ratio = { _ in
                if ratio == nil { Issue.record("a product is timed") }
                return ratio
            }
            return chooser
        }
    }

    @Test(
        "is bfloat16 where the flags say that it is fast and nothing limits them, else float32",
        arguments: Machine.unlimited + Machine.limited + Machine.several)
    func flags(_ machine: Machine) throws {
        let choice = machine.chooser().choice(nil, on: .cpu)
        #expect(choice.dtype == (machine.isFast ? .bfloat16 : .float32))
        let text = try #require(choice.remark?.note)
        #expect(text.hasPrefix("computing in \(choice.dtype.rawValue): "))
        if let (name, value) = machine.environment.first, !machine.isFast, machine.set != .avx2,
            machine.environment.count == 1
        {
            #expect(text.contains("\(name)=\(value)"))
        }
    }

    @Test("The processor is named by what its makers call its instructions")
    func names() {
        func note(_ set: InstructionSet) -> String? {
            Machine(set: set, environment: [:], isFast: true).chooser().choice(nil, on: .cpu)
                .remark?.note
        }
        #expect(
            note(.avx2) == "computing in float32: this processor (AVX2) has no fast bfloat16 "
                + "products; `dtype` bfloat16 is slower here")
        #expect(
            note(.avx512BFloat16) == "computing in bfloat16: this processor (AVX512-BF16) has "
                + "fast products of it")
    }

    private func unknown(_ ratio: Double?) -> ComputeTypeChooser {
        var chooser = ComputeTypeChooser()
        chooser.processor = Processor(instructionSet: .portable, isKnown: false)
        chooser.ratio = { _ in ratio }
        return chooser
    }

    @Test(
        "Where no flag tells, a timed product decides, and the note has the ratio",
        arguments: [
            (0.41, DType.bfloat16, "its products take 0.41 times as long as float32's here"),
            (1, .bfloat16, "1.0 times"),
            (1.04, .float32, "bfloat16's products take 1.0 times as long here"),
            (6.58, .float32, "6.6 times"), (43.8, .float32, "44 times"),
            (nil, .float32, "there are no bfloat16 products here"),
        ] as [(Double?, DType, String)])
    func measured(ratio: Double?, dtype: DType, words: String) throws {
        for device in [Device.cpu, Device(.cuda), Device(.mps)] {
            let choice = unknown(ratio).choice(nil, on: device)
            #expect(choice.dtype == dtype)
            #expect(try #require(choice.remark?.note).contains(words))
        }
    }

    @Test("A processor that is known says nothing of another device")
    func accelerator() {
        let slow = Machine(set: .avx2, environment: [:], isFast: false).chooser(ratio: 0.1)
        #expect(slow.choice(nil, on: Device(.cuda)).dtype == .bfloat16)
        let fast = Machine(set: .avx512BFloat16, environment: [:], isFast: true)
            .chooser(ratio: 3)
        #expect(fast.choice(nil, on: Device(.cuda)).dtype == .float32)
    }

    @Test("A named type is taken, and one that is measured to be slow is warned of")
    func named() {
        for machine in Machine.unlimited + Machine.limited {
            for dtype in [DType.float32, .float64] {
                #expect(machine.chooser().choice(dtype, on: .cpu) == ComputeTypeChoice(dtype, nil))
            }
            // Of a fast one nothing is measured.
            let choice = machine.chooser(ratio: machine.isFast ? nil : 23.5)
                .choice(.bfloat16, on: .cpu)
            #expect(choice.dtype == .bfloat16)
            #expect(
                choice.remark
                    == (machine.isFast
                        ? nil
                        : .warning(
                            "products of bfloat16 take 24 times as long as float32's here; "
                                + "`dtype` auto computes in float32")))
        }
        for ratio in [0.4, 1.05, nil] {
            #expect(unknown(ratio).choice(.bfloat16, on: .cpu).remark == nil)
        }
    }

    @Test("This machine's products are timed once, and both types have a time")
    func timed() throws {
        let first = try #require(ProductTimes.ratio(on: .cpu))
        #expect(first > 0 && first.isFinite)
        #expect(ProductTimes.ratio(on: .cpu) == first)
    }

    @Test("A run that goes on keeps its type, whatever the machine")
    func goesOn() {
        for dtype in [DType.float32, .float64] {
            #expect(
                ComputeTypeChoice(goingOnIn: dtype, on: .cpu)
                    == ComputeTypeChoice(
                        dtype,
                        .note("computing in \(dtype), as the run did before it was stopped")))
        }
        #expect(ComputeTypeChoice(goingOnIn: .bfloat16, on: .cpu).dtype == .bfloat16)
    }
}

extension ComputeTypeChoice.Remark {
    fileprivate var note: String? { if case .note(let text) = self { text } else { nil } }
}
