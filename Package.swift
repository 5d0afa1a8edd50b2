// swift-tools-version: 6.1
import PackageDescription

// LibTorch is found through .libtorch/libtorch.pc, which `make setup` writes; only what runs (the
// command and the tests) needs to know where its libraries lie.
let libraryPath = Context.packageDirectory + "/.libtorch/torch/lib"
let runPath: [LinkerSetting] = [.unsafeFlags(["-Xlinker", "-rpath", "-Xlinker", libraryPath])]

/// A module in a folder of `Sources`, named `Dual` and the folder's name.
func module(_ folder: String, _ dependencies: [String], _ products: [Target.Dependency] = [])
    -> Target
{
    .target(
        name: "Dual" + folder, dependencies: named(dependencies) + products,
        path: "Sources/" + folder)
}

/// The tests of a module in a folder of `Tests`, named after the folder.
func tests(_ folder: String, _ dependencies: [String], goldens: Bool = false) -> Target {
    .testTarget(
        name: folder + "Tests", dependencies: named(dependencies),
        resources: goldens ? [.copy("Goldens")] : [], linkerSettings: runPath)
}

/// Modules by their folders, and the targets that are named otherwise.
func named(_ folders: [String]) -> [Target.Dependency] {
    let own: Set = ["CTorch", "FineTuning", "Mutations", "TestSupport", "ToyTasks"]
    return folders.map { .byName(name: own.contains($0) ? $0 : "Dual" + $0) }
}

let package = Package(
    name: "swift-dual-lora",
    platforms: [.macOS(.v15)],
    products: [
        .library(name: "FineTuning", targets: ["FineTuning"]),
        .executable(name: "duallora", targets: ["duallora"]),
        // Of the tests alone: a device in this machine's memory, which a process of the command loads.
        .library(name: "SecondDevice", type: .dynamic, targets: ["SecondDevice"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    ],
    targets: [
        .systemLibrary(name: "CLibTorch", pkgConfig: "libtorch"),
        .target(name: "CTorch", dependencies: ["CLibTorch"]),
        module("Torch", ["CTorch", "JSON"]),
        module("JSON", []),
        module("Names", []),
        module("Modules", ["JSON", "Torch"]),
        module("GGUF", ["JSON", "Tokenization", "Torch"]),
        module("Models", ["GGUF", "JSON", "Modules", "Torch"]),
        module("Adapters", ["Modules", "Names", "Torch"]),
        module("Training", ["Adapters", "Models", "Modules", "Torch"]),
        module("Tokenization", ["JSON"]),
        module("Hub", []),
        module("Metrics", []),
        module("Chat", ["JSON", "Names"]),
        module("Datasets", ["Chat", "JSON", "Metrics", "Names"]),
        module("Generation", ["Chat", "Models", "Modules", "Tokenization", "Torch"]),
        module(
            "Tasks",
            [
                "Adapters", "Chat", "Datasets", "Generation", "JSON", "Metrics", "Models",
                "Modules",
                "Names", "Tokenization", "Torch", "Training",
            ]),
        module("Charts", []),
        module(
            "Runs",
            [
                "Adapters", "Charts", "Chat", "Datasets", "GGUF", "Generation", "JSON", "Models",
                "Modules", "Tasks", "Tokenization", "Torch", "Training",
            ]),
        module("Benchmark", ["Adapters", "Models", "Modules", "Torch", "Training"]),
        .target(
            name: "FineTuning",
            dependencies: named([
                "Adapters", "Chat", "Datasets", "GGUF", "Generation", "Hub", "JSON", "Metrics",
                "Models",
                "Modules", "Runs", "Tasks", "Tokenization", "Torch", "Training",
            ]), path: "Sources/Umbrella"),
        module("Recipes", ["JSON", "Names"], ["Yams"]),
        module(
            "Commands", ["Benchmark", "FineTuning", "JSON", "Names", "Recipes"],
            [.product(name: "ArgumentParser", package: "swift-argument-parser")]),
        .executableTarget(
            name: "duallora", dependencies: ["DualCommands"], linkerSettings: runPath),
        .target(
            name: "TestSupport", dependencies: named(["Models", "Modules", "Torch"]),
            path: "Tests/TestSupport"),
        .target(name: "Mutations", path: "Tests/Mutations"),
        .target(
            name: "SecondDevice", dependencies: ["CLibTorch"], path: "Tests/SecondDevice",
            publicHeadersPath: ".", linkerSettings: runPath),
        .target(
            name: "ToyTasks",
            dependencies: named([
                "Adapters", "Datasets", "Models", "Runs", "Tasks", "Torch", "Training",
                "TestSupport",
            ]), path: "Tests/ToyTasks"),
        tests("Torch", ["Torch", "TestSupport"], goldens: true),
        tests("Modules", ["Modules", "Torch", "TestSupport"]),
        tests("Models", ["Models", "Modules", "Torch", "TestSupport"], goldens: true),
        tests("Adapters", ["Adapters", "Models", "Modules", "Torch", "TestSupport"]),
        tests(
            "Training",
            [
                "Adapters", "Datasets", "Models", "Modules", "Runs", "Tasks", "Torch", "Training",
                "TestSupport", "ToyTasks",
            ]),
        tests(
            "Tasks",
            [
                "Datasets", "Models", "Modules", "Tasks", "Tokenization", "Torch", "Training",
                "TestSupport",
            ]),
        tests(
            "Runs",
            [
                "Adapters", "Chat", "Datasets", "Models", "Modules", "Runs", "Tasks", "Torch",
                "Training", "TestSupport", "ToyTasks",
            ]),
        tests(
            "Benchmark",
            [
                "Adapters", "Benchmark", "Models", "Modules", "Runs", "Torch", "Training",
                "TestSupport",
            ]),
        tests(
            "Generation",
            ["Chat", "Generation", "Models", "Modules", "Tokenization", "Torch", "TestSupport"]),
        tests("Umbrella", ["FineTuning"]),
        tests("Tokenization", ["Mutations", "Tokenization"], goldens: true),
        tests("GGUF", ["Chat", "GGUF", "JSON", "Tokenization", "Torch", "TestSupport"]),
        tests("Metrics", ["Metrics"], goldens: true),
        tests("Hub", ["Hub", "Tokenization"], goldens: true),
        tests("Datasets", ["Chat", "JSON", "Metrics", "Mutations", "Datasets", "Torch"]),
        tests("Recipes", ["Mutations", "Names", "Recipes", "Torch"]),
        tests(
            "Commands",
            [
                "Commands", "FineTuning", "Names", "Recipes", "Torch", "Training", "TestSupport",
            ]),
        tests("Chat", ["Chat", "JSON", "Mutations"]),
        tests("Charts", ["Charts"]),
    ],
    swiftLanguageModes: [.v6],
    cxxLanguageStandard: .cxx20
)
