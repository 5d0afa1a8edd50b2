// swift-tools-version: 6.1
import PackageDescription

// A package beside this one, as a client has it: it sees what is public alone.
let libraryPath = Context.packageDirectory + "/../../.libtorch/torch/lib"

let package = Package(
    name: "client",
    platforms: [.macOS(.v15)],
    dependencies: [.package(name: "swift-dual-lora", path: "../..")],
    targets: [
        .executableTarget(
            name: "Client",
            dependencies: [.product(name: "FineTuning", package: "swift-dual-lora")],
            linkerSettings: [.unsafeFlags(["-Xlinker", "-rpath", "-Xlinker", libraryPath])])
    ],
    swiftLanguageModes: [.v6]
)
