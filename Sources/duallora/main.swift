import DualCommands

DualLoRACommand.main()
