// swift-tools-version: 6.1
import PackageDescription

// LibTorch is found through .libtorch/libtorch.pc, which `make setup` writes; only what runs (the
// command and the tests) needs to know where its libraries lie.
let libraryPath = Context.packageDirectory + "/.libtorch/torch/lib"
let runPath: [LinkerSetting] = [.unsafeFlags(["-Xlinker", "-rpath", "-Xlinker", libraryPath])]

let package = Package(
    name: "swift-dual-lora",
    platforms: [.macOS(.v15)],
    products: [
        .library(name: "DualLoRA", targets: ["DualLoRA"]),
        .executable(name: "duallora", targets: ["DualLoRACommand"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    ],
    targets: [
        .systemLibrary(name: "CLibTorch", pkgConfig: "libtorch"),
        .target(name: "CTorch", dependencies: ["CLibTorch"]),
        .target(name: "DualTorch", dependencies: ["CTorch"], path: "Sources/Torch"),
        .target(name: "DualJSON", path: "Sources/JSON"),
        .target(
            name: "DualModules", dependencies: ["DualJSON", "DualTorch"], path: "Sources/Modules"),
        .target(
            name: "DualModels", dependencies: ["DualModules", "DualTorch"], path: "Sources/Models"),
        .target(
            name: "DualAdapters", dependencies: ["DualModules", "DualTorch"],
            path: "Sources/Adapters"),
        .target(name: "DualTokenization", path: "Sources/Tokenization"),
        .target(name: "DualHub", path: "Sources/Hub"),
        .target(name: "DualMetrics", path: "Sources/Metrics"),
        .target(name: "DualChat", dependencies: ["DualJSON"], path: "Sources/Chat"),
        .target(
            name: "DualTasks", dependencies: ["DualChat", "DualJSON", "DualMetrics"],
            path: "Sources/Tasks"),
        .target(name: "DualCharts", path: "Sources/Charts"),
        .target(name: "DualRecipes", dependencies: ["Yams"], path: "Sources/Recipes"),
        .target(
            name: "DualTraining",
            dependencies: [
                "DualAdapters", "DualCharts", "DualChat", "DualGeneration", "DualMetrics",
                "DualModels", "DualModules", "DualTasks", "DualTokenization", "DualTorch",
            ],
            path: "Sources/Training"),
        .target(
            name: "DualGeneration",
            dependencies: [
                "DualChat", "DualModels", "DualModules", "DualTokenization", "DualTorch",
            ],
            path: "Sources/Generation"),
        .target(
            name: "DualLoRA",
            dependencies: [
                "DualAdapters", "DualChat", "DualGeneration", "DualHub", "DualJSON", "DualMetrics",
                "DualModels", "DualModules", "DualTasks", "DualTokenization", "DualTorch",
                "DualTraining",
            ],
            path: "Sources/Umbrella"),
        .executableTarget(
            name: "DualLoRACommand",
            dependencies: [
                "DualJSON", "DualLoRA", "DualRecipes",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            path: "Sources/duallora", linkerSettings: runPath),
        .target(
            name: "TestSupport", dependencies: ["DualModels", "DualModules", "DualTorch"],
            path: "Tests/TestSupport"),
        .testTarget(
            name: "TorchTests", dependencies: ["DualTorch", "TestSupport"], linkerSettings: runPath),
        .testTarget(
            name: "ModulesTests", dependencies: ["DualModules", "DualTorch", "TestSupport"],
            linkerSettings: runPath),
        .testTarget(
            name: "ModelsTests",
            dependencies: ["DualModels", "DualModules", "DualTorch", "TestSupport"],
            resources: [.copy("Goldens")], linkerSettings: runPath),
        .testTarget(
            name: "AdaptersTests",
            dependencies: [
                "DualAdapters", "DualModels", "DualModules", "DualTorch", "TestSupport",
            ],
            linkerSettings: runPath),
        .testTarget(
            name: "TrainingTests",
            dependencies: [
                "DualAdapters", "DualModels", "DualModules", "DualTasks", "DualTokenization",
                "DualTorch", "DualTraining", "TestSupport",
            ],
            linkerSettings: runPath),
        .testTarget(
            name: "GenerationTests",
            dependencies: [
                "DualChat", "DualGeneration", "DualModels", "DualModules", "DualTokenization",
                "DualTorch",
                "TestSupport",
            ],
            linkerSettings: runPath),
        .testTarget(
            name: "UmbrellaTests", dependencies: ["DualLoRA"], path: "Tests/UmbrellaTests",
            linkerSettings: runPath),
        .testTarget(
            name: "TokenizationTests", dependencies: ["DualTokenization"],
            resources: [.copy("Goldens")], linkerSettings: runPath),
        .testTarget(
            name: "MetricsTests", dependencies: ["DualMetrics"], resources: [.copy("Goldens")],
            linkerSettings: runPath),
        .testTarget(
            name: "HubTests", dependencies: ["DualHub", "DualTokenization"],
            resources: [.copy("Goldens")], linkerSettings: runPath),
        .testTarget(
            name: "TasksTests",
            dependencies: ["DualChat", "DualJSON", "DualMetrics", "DualTasks", "DualTorch"],
            linkerSettings: runPath),
        .testTarget(
            name: "RecipesTests", dependencies: ["DualRecipes", "DualTorch"],
            linkerSettings: runPath),
        .testTarget(
            name: "ChatTests", dependencies: ["DualChat", "DualJSON"], linkerSettings: runPath),
        .testTarget(name: "ChartsTests", dependencies: ["DualCharts"], linkerSettings: runPath),
    ],
    swiftLanguageModes: [.v6],
    cxxLanguageStandard: .cxx20
)
