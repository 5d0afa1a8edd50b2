/// The members of an object in their order; no key comes twice.
public struct JSONObject: Equatable, Sendable {
    public struct Member: Equatable, Sendable {
        public let key: String
        public let value: JSONValue

        package init(key: String, value: JSONValue) {
            self.key = key
            self.value = value
        }
    }

    public let members: [Member]

    package init(_ members: [Member]) { self.members = members }

    public var keys: [String] { members.map(\.key) }

    public subscript(key: String) -> JSONValue? { members.first { $0.key == key }?.value }
}
