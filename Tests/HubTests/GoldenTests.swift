import Foundation
import Testing

@testable import DualHub

/// What huggingface_hub makes of random environments and names (`Tests/Parity/make_hub_goldens.py`).
private struct HubGoldens: Decodable {
    struct Environment: Decodable {
        let variables: [String: String]
        let cache: String
        let isOffline: Bool
    }

    struct Name: Decodable {
        let name: String
        let isName: Bool
    }

    let environments: [Environment]
    let names: [Name]

    static func load() throws -> HubGoldens {
        let url = try #require(
            Bundle.module.url(forResource: "hub", withExtension: "json", subdirectory: "Goldens"))
        return try JSONDecoder().decode(HubGoldens.self, from: Data(contentsOf: url))
    }
}

@Suite struct GoldenTests {
    @Test("The environment means what it means to huggingface_hub")
    func environments() throws {
        let cases = try HubGoldens.load().environments
        #expect(cases.count >= 50)
        for one in cases {
            let fixed = ["HOME": "/home/me", "PLACE": "/place"]
            let settings = try HubSettings(environment: fixed.merging(one.variables) { $1 })
            // A path without a beginning counts from the working directory.
            let cache = URL(fileURLWithPath: one.cache, isDirectory: true).standardizedFileURL
            #expect(settings.cache.path == cache.path)
            #expect(settings.isOffline == one.isOffline, "\(one.variables)")
        }
    }

    @Test("Names are those that huggingface_hub takes")
    func names() throws {
        let cases = try HubGoldens.load().names
        #expect(cases.count >= 200)
        for one in cases {
            #expect(try (RepositoryReference(one.name) != nil) == one.isName, "\(one.name)")
        }
    }
}
