#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Why a file cannot be read, in words that another sentence can hold.
package enum ReadFault {
    /// What is wrong with opening and reading a file; nil for one that opens now.
    package static func words(for path: String) -> String? {
        // Without waiting: a FIFO's other end may never come.
        let descriptor = open(path, O_RDONLY | O_NONBLOCK)
        guard descriptor >= 0 else { return words(for: errno) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { return words(for: errno) }
        switch status.st_mode & S_IFMT {
        case S_IFREG: return nil
        case S_IFDIR: return "it is a folder"
        default: return "it is not a regular file"
        }
    }

    /// An error number of the system.
    package static func words(for code: Int32) -> String {
        switch code {
        case ENOENT: "there is no such file"
        case ELOOP: "its symbolic links lead back to where they began"
        case EACCES: "its permissions do not let it be read"
        case ENOMEM: "there is not enough memory"
        case ENAMETOOLONG: "its name is longer than the file system has names"
        case EMFILE, ENFILE: "too many files are open"
        default: String(cString: strerror(code))
        }
    }
}
