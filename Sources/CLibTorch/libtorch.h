// LibTorch has no C interface of its own: this module only carries the flags of libtorch.pc to the
// targets that depend on it.
