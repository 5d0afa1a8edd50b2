// One import for clients: `import FineTuning`. No type has the module's name, so that each of its names
// can be qualified: `FineTuning.Linear`.

@_exported import DualAdapters
@_exported import DualChat
@_exported import DualDatasets
@_exported import DualGGUF
@_exported import DualGeneration
@_exported import DualHub
@_exported import DualJSON
@_exported import DualMetrics
@_exported import DualModels
@_exported import DualModules
@_exported import DualRuns
@_exported import DualTasks
@_exported import DualTokenization
@_exported import DualTorch
@_exported import DualTraining
