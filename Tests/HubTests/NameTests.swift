import Foundation
import Testing

@testable import DualHub

@Suite struct NameTests {
    @Test(
        "A repository is org/name, with a revision or without",
        arguments: [
            ("org/name", "org/name", nil), ("org/name@v1.0", "org/name", "v1.0"),
            ("Org-1/na_me.7b", "Org-1/na_me.7b", nil), ("a/b@refs/pr/1", "a/b", "refs/pr/1"),
            ("_a/b_", "_a/b_", nil),
        ] as [(String, String, String?)])
    func good(_ text: String, _ name: String, _ revision: String?) throws {
        let reference = try #require(try RepositoryReference(text))
        #expect(reference.name == name)
        #expect(reference.revision == revision)
    }

    @Test(
        "Paths are no repositories",
        arguments: [
            "name", "./name", "../name", "/org/name", "org/name/", "a/b/c", "~/name", "org/",
            "/name",
            "org/na me", "org/-name", "org/name-", "org/.name", "org/a--b", "org/a..b",
            "org/name.git",
            "örg/name", "org/na\u{0}me", "", "/", "org\\name/x", "@main",
            "org/" + String(repeating: "x", count: 97),
        ])
    func paths(_ text: String) throws {
        #expect(try RepositoryReference(text) == nil)
    }

    @Test(
        "A revision is no way out of the cache",
        arguments: [
            "..", "../../x", "a/../b", "/etc", "a//b", ".", "a b", "a\u{0}", "", "x/", "a\\b",
        ])
    func badRevision(_ text: String) {
        #expect(
            message { _ = try RepositoryReference("org/name", revision: text) }
                == "'\(text)' is no revision: it must be a branch, a tag or a commit")
        #expect(throws: ReferenceError.badRevision(text)) {
            try RepositoryReference("org/name@\(text)")
        }
    }

    @Test("Two different revisions are refused")
    func twoRevisions() throws {
        #expect(
            message { _ = try RepositoryReference("org/name@a", revision: "b") }
                == "the revision is given twice: @a and `revision` b")
        #expect(try RepositoryReference("org/name@a", revision: "a")?.revision == "a")
    }

    @Test("A folder wins, costs no request and has no revision")
    func folder() throws {
        let hub = try LoopbackHub(modelFiles())
        let path = hub.folder.file("here").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        let place = try hub.resolver().locate(path)
        #expect(place.url.path == path)
        #expect(place.reference == nil)
        #expect(hub.hub.requests.isEmpty)
        #expect(
            message { _ = try hub.resolver().locate(path, revision: "main") }
                == "`revision` main: \(path) is no repository of the hub (org/name), and only those "
                + "have revisions")
    }

    @Test("What is neither a folder nor a repository's name is left to who opens it")
    func neither() throws {
        let hub = try LoopbackHub(modelFiles())
        let place = try hub.resolver(["HF_ENDPOINT": "nonsense"]).locate("no-such-folder")
        #expect(place.url.relativePath == "no-such-folder")
        #expect(hub.hub.requests.isEmpty)
    }
}

@Suite struct SettingsTests {
    private func settings(_ variables: [String: String]) throws -> HubSettings {
        try HubSettings(environment: ["HOME": "/home/me"].merging(variables) { $1 })
    }

    @Test(
        "The cache is where huggingface_hub has it",
        arguments: [
            ([:], "/home/me/.cache/huggingface/hub"),
            (["XDG_CACHE_HOME": "/x"], "/x/huggingface/hub"),
            (["HF_HOME": "/h", "XDG_CACHE_HOME": "/x"], "/h/hub"),
            (["HF_HOME": "~/h"], "/home/me/h/hub"), (["HF_HOME": "/h//i/"], "/h/i/hub"),
            (["HF_HOME": "$PLACE/h", "PLACE": "/p"], "/p/h/hub"),
            (["HF_HOME": "/${PLACE}_$NONE", "PLACE": "p"], "/p_$NONE/hub"),
            (["HUGGINGFACE_HUB_CACHE": "/old", "HF_HOME": "/h"], "/old"),
            (["HF_HUB_CACHE": "/new", "HUGGINGFACE_HUB_CACHE": "/old"], "/new"),
        ] as [([String: String], String)])
    func cache(_ variables: [String: String], _ path: String) throws {
        #expect(try settings(variables).cache.path == path)
    }

    @Test("The token is that of the environment, else the stored one, else none")
    func token() throws {
        let folder = try TemporaryFolder()
        let file = folder.file("token")
        try Data(" stored\r\n".utf8).write(to: file)
        let stored = ["HF_TOKEN_PATH": file.path]
        #expect(try settings(["HF_TOKEN": " a\n"]).token == "a")
        #expect(try settings(["HUGGING_FACE_HUB_TOKEN": "b"]).token == "b")
        #expect(try settings(["HF_TOKEN": "a", "HUGGING_FACE_HUB_TOKEN": "b"]).token == "a")
        #expect(try settings(stored).token == "stored")
        #expect(try settings(["HF_HOME": folder.url.path]).token == "stored")
        #expect(try settings([:]).token == nil)
        let disabled = ["HF_HUB_DISABLE_IMPLICIT_TOKEN": "1", "HF_TOKEN": "a"]
        #expect(try settings(disabled.merging(stored) { $1 }).token == nil)
    }

    @Test(
        "Offline is what huggingface_hub takes for it",
        arguments: [
            ([:], false), (["HF_HUB_OFFLINE": "1"], true), (["HF_HUB_OFFLINE": "yes"], true),
            (["HF_HUB_OFFLINE": "0", "TRANSFORMERS_OFFLINE": "1"], false),
            (["HF_HUB_OFFLINE": "", "TRANSFORMERS_OFFLINE": "True"], true),
            (["HF_HUB_OFFLINE": "2"], false),
        ] as [([String: String], Bool)])
    func offline(_ variables: [String: String], _ isOffline: Bool) throws {
        #expect(try settings(variables).isOffline == isOffline)
    }

    @Test("An endpoint without a scheme and a timeout that is no number are refused by name")
    func refused() throws {
        #expect(
            message { _ = try settings(["HF_ENDPOINT": "mirror.org"]) }
                == "HF_ENDPOINT is 'mirror.org', but must be an address such as https://huggingface.co"
        )
        #expect(
            message { _ = try settings(["HF_HUB_DOWNLOAD_TIMEOUT": "ten"]) }
                == "HF_HUB_DOWNLOAD_TIMEOUT is 'ten', but must be a whole number of seconds")
        let mirror = try settings(["HF_ENDPOINT": "http://mirror.org/hf//"])
        #expect(mirror.endpoint.absoluteString == "http://mirror.org/hf")
    }
}
