import Foundation

/// Reads files that a user names.
package enum GivenFile {
    /// What is wrong with a file, in the system's words and with what helps.
    package struct Fault: Error, Equatable {
        package let reason: String

        package init(reason: String) { self.reason = reason }

        /// - Parameters:
        ///   - error: of Foundation, or of the system.
        ///   - code: the system's, where Foundation does not pass it on; 0 for none.
        package init(_ error: any Error, code: Int32 = 0) {
            let underlying = (error as NSError).userInfo[NSUnderlyingErrorKey] as? NSError
            let system = underlying ?? (error as NSError)
            reason =
                system.domain == NSPOSIXErrorDomain
                ? GivenFile.reason(Int32(system.code))
                : code != 0 ? GivenFile.reason(code) : error.localizedDescription
        }
    }

    /// The bytes of a file, or of a pipe that has a name of the system's, as `/dev/stdin` is.
    ///
    /// Any other pipe, or a device, is refused: it might never end, or never begin.
    /// - Parameter limit: bytes that are read at most; nil for all.
    package static func data(
        of file: URL, options: Data.ReadingOptions = [], atMost limit: Int? = nil
    ) throws(Fault) -> Data {
        errno = 0
        do {
            guard try isPipe(file) || limit != nil else {
                return try Data(contentsOf: file, options: options)
            }
            let handle = try FileHandle(forReadingFrom: file)
            defer { try? handle.close() }
            return try (limit.map { try handle.read(upToCount: $0) } ?? handle.readToEnd())
                ?? Data()
        } catch let fault as Fault {
            throw fault
        } catch {
            throw Fault(error, code: errno)
        }
    }

    /// Whether it is no file but a pipe that may be read.
    private static func isPipe(_ file: URL) throws(Fault) -> Bool {
        var status = stat()
        guard stat(file.path, &status) == 0 else { throw Fault(reason: reason(errno)) }
        switch status.st_mode & S_IFMT {
        case S_IFREG: return false
        case S_IFDIR: throw Fault(reason: "it is a folder, not a file")
        case S_IFIFO, S_IFSOCK, S_IFCHR:
            let path = file.standardizedFileURL.path
            if ["/dev/stdin", "/dev/null"].contains(path) || path.hasPrefix("/dev/fd/") {
                return true
            }
            throw Fault(
                reason: "it is a pipe or a device, not a file; what comes through a pipe is "
                    + "/dev/stdin")
        default: throw Fault(reason: "it is not a regular file")
        }
    }

    /// The system's words for an error, and what helps where that is plain.
    package static func reason(_ code: Int32) -> String {
        let words = String(cString: strerror(code))
        switch code {
        case ENOENT: return "there is no such file"
        case ELOOP: return "its symbolic links lead back to where they began"
        case EACCES, EPERM: return "\(words); check its permissions"
        case ENOMEM: return "\(words): there is not enough memory for it"
        case EMFILE, ENFILE: return "\(words); a higher limit (ulimit -n) helps"
        default: return words
        }
    }
}
