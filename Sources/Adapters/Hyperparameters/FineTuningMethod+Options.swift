extension FineTuningMethod {
    /// The options that a user may give, each with its help.
    public static var options: [MethodOption] { hyperparameters.compactMap(\.option) }

    /// Every option with the value that it has, the method's own defaults among them, so far as they do
    /// not wait for the model: what makes the same method again.
    public var settings: MethodOptions {
        var settings = MethodOptions()
        for row in Self.hyperparameters where row.obstacle(self) == nil {
            if let option = row.option { settings[option.name] = row.text(self) }
        }
        return settings
    }

    /// Checks the options and fills in the method's own defaults.
    /// - Throws: ``AdapterError/badOption(method:option:reason:)``.
    public init(_ options: MethodOptions) throws {
        self.init()
        let given = try options.of(Self.self)
        let unsaid = try Self.hyperparameters.filter { try !$0.takeOption(&self, given) }
        try resolve(given)
        for row in unsaid { row.setDefault(&self) }
        for row in Self.hyperparameters {
            guard let name = row.option?.name, given.has(name), let reason = row.obstacle(self)
            else { continue }
            throw given.bad(name, reason)
        }
    }
}
