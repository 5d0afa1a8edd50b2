import Testing

@testable import DualAdapters

/// Options of bottlenecks, edits and projections.
extension MethodOptionsTests {
    static let bottleneckRefusals = [
        Refusal("adapter-p", ["bottleneck": "0"], "`bottleneck`", "0 is not a rank"),
        Refusal("adapter-p", ["activation": "sine"], "`activation`", "none of tanh, relu"),
        Refusal("adapter-p", ["scaling": "0"], "`scaling`", "not greater than 0"),
        Refusal("adapter-p", ["scaling": "large"], "`scaling`", "'large' is not a number"),
        Refusal("adapter-p", ["init": "zero"], "`init`", "none of bert, mam"),
        Refusal("adapter-p", ["mode": "serial"], "`mode`", "none of parallel, serial-input"),
        Refusal("adapter-p", ["use-bias": "1"], "`use-bias`", "not true or false"),
        Refusal("adapter-p", ["dropout": "1"], "`dropout`", "probability"),
        Refusal("adapter-p", ["rank": "4"], "`rank`", "no such option"),
        Refusal("adapter-l", ["bottleneck": "-1"], "`bottleneck`", "-1 is not a rank"),
        Refusal("adapter-l", ["placement": "end"], "`placement`", "none of lin, houlsby"),
        Refusal("adapter-l", ["activation": "?"], "`activation`", "none of tanh, relu"),
        Refusal("loreft", ["rank": "0"], "`rank`", "0 is not a rank"),
        Refusal("loreft", ["positions": "first"], "`positions`", "'first' is not like f1+l1"),
        Refusal("loreft", ["layers": "some"], "`layers`", "'some' is not a list of numbers"),
        Refusal("loreft", ["tied-positions": "yes"], "`tied-positions`", "not true or false"),
        Refusal("loreft", ["dropout": "1"], "`dropout`", "probability"),
        Refusal("loreft", ["variant": "reft"], "`variant`", "none of loreft, direft"),
        Refusal(
            "loreft", ["variant": "lobireft", "activation": "relu"], "`activation`",
            "nothing that it acts on"),
        Refusal("galore", ["rank": "0"], "`rank`", "0 is not a rank"),
        Refusal("galore", ["update-proj-gap": "0"], "`update-proj-gap`", "0 is less than 1"),
        Refusal("galore", ["galore-scale": "0"], "`galore-scale`", "not greater than 0"),
        Refusal("galore", ["proj-type": "up"], "`proj-type`", "none of std, reverse_std"),
        Refusal("galore", ["basis": "random"], "`basis`", "no such option"),
        Refusal("garare", ["basis": "svd"], "`basis`", "svd is GaLore's"),
        Refusal("garare", ["basis": "normal"], "`basis`", "none of svd, random, orthonormal"),
    ]

    @Test(
        "So is one of a bottleneck, an edit or a projection", arguments: bottleneckRefusals)
    func refusedToo(_ row: Refusal) throws { try refused(row) }

    @Test("Options that make sense arrive in the method")
    func accepted() throws {
        let parallel = try #require(
            MethodRegistry.make(
                "adapter-p",
                [
                    "bottleneck": "8", "activation": "gelu", "scaling": "learned", "init": "mam",
                    "mode": "serial-output", "use-bias": "true", "dropout": "0.1",
                ]) as? AdapterP)
        #expect(parallel.bottleneck == 8 && parallel.activation == .gelu)
        #expect(parallel.scale == nil && parallel.start == .mam && parallel.hasBias)
        #expect(parallel.place == .serialOutput && parallel.dropout == 0.1)
        let lin = try #require(MethodRegistry.make("adapter-l") as? AdapterL)
        #expect(lin.bottleneck == 64 && lin.placement == .lin && lin.activation == .relu)
        let edit = try #require(
            MethodRegistry.make(
                "loreft",
                [
                    "positions": "f7+l7", "layers": "3,1-2,2", "tied-positions": "false",
                    "variant": "direft", "activation": "silu",
                ]) as? LoReFT)
        #expect(edit.rank == 4 && edit.positions == EditedPositions(first: 7, last: 7))
        #expect(edit.blocks == [1, 2, 3] && !edit.isTied)
        #expect(edit.variant == .direft && edit.activation == .silu)
        #expect(try (MethodRegistry.make("loreft", ["layers": "all"]) as? LoReFT)?.blocks == nil)
        let galore = try #require(
            MethodRegistry.make(
                "galore", ["rank": "4", "update_proj_gap": "7", "galore-scale": "0.25"])
                as? any WeightTrainingMethod)
        #expect(
            galore.gradientProjection
                == GradientProjection(rank: 4, scale: 0.25, gap: 7, basis: .singularVectors))
        let garare = try #require(
            MethodRegistry.make("garare", ["basis": "orthonormal", "proj-type": "left"])
                as? any WeightTrainingMethod)
        #expect(
            garare.gradientProjection
                == GradientProjection(
                    rank: 8, scale: 4, gap: 200, basis: .orthonormalRandom, side: .left))
    }
}
