// The words of the process, and mapped files that shrink while they are in use.
#include "include/ctorch_process.h"

#include <atomic>
#include <cstdint>
#include <cstring>
#include <mutex>
#include <new>

#include <signal.h>
#include <unistd.h>

namespace {

int argument_count = 0;
char **argument_words = nullptr;

#if defined(__GLIBC__)
/// The GNU C library calls what stands in .init_array with the arguments of main.
__attribute__((constructor)) void keep_arguments(int count, char **words, char **) {
    argument_count = count;
    argument_words = words;
}
#endif

/// A mapped file. Entries are used again and never freed, for a signal may come while one is read.
struct Mapping {
    std::atomic<uintptr_t> start{0}; // 0 while the entry is not in use
    std::atomic<size_t> count{0};
    char path[1024];
    Mapping *next = nullptr;
};

std::atomic<Mapping *> mappings{nullptr};
std::mutex changes;
struct sigaction earlier;

const char *file_at(uintptr_t address) {
    for (auto *entry = mappings.load(); entry != nullptr; entry = entry->next) {
        const uintptr_t start = entry->start.load();
        if (start != 0 && address >= start && address - start < entry->count.load()) {
            return entry->path;
        }
    }
    return nullptr;
}

/// Ends the process with a line; of several threads that come here, the first alone speaks.
[[noreturn]] void end(const char *path) {
    static std::atomic_flag is_ending = ATOMIC_FLAG_INIT;
    while (is_ending.test_and_set()) pause();
    const char *pieces[] = {
        "Error: ", path,
        " became shorter, or its disk failed, while it was in use: it must stay as it is until the "
        "command has ended\n"};
    char line[2048];
    size_t length = 0;
    for (const char *piece : pieces) {
        const size_t count = strlen(piece);
        memcpy(line + length, piece, count);
        length += count;
    }
    const ssize_t written = write(STDERR_FILENO, line, length);
    static_cast<void>(written);
    _exit(1);
}

void hear_bus_error(int number, siginfo_t *info, void *context) {
    const char *path = file_at(reinterpret_cast<uintptr_t>(info->si_addr));
    if (path != nullptr) end(path);
    if ((earlier.sa_flags & SA_SIGINFO) != 0 && earlier.sa_sigaction != nullptr) {
        return earlier.sa_sigaction(number, info, context);
    }
    if (earlier.sa_handler != SIG_DFL && earlier.sa_handler != SIG_IGN) {
        return earlier.sa_handler(number);
    }
    // The fault comes again when the instruction does, and then ends the process.
    signal(number, SIG_DFL);
}

void listen_once() {
    static std::once_flag once;
    std::call_once(once, [] {
        struct sigaction action = {};
        action.sa_sigaction = hear_bus_error;
        action.sa_flags = SA_SIGINFO;
        sigemptyset(&action.sa_mask);
        sigaction(SIGBUS, &action, &earlier);
    });
}

} // namespace

extern "C" {

char *const *ct_arguments(int *count) {
    *count = argument_count;
    return argument_words;
}

bool ct_watch_mapping(const void *start, size_t count, const char *path) {
    listen_once();
    const std::lock_guard<std::mutex> lock(changes);
    auto *entry = mappings.load();
    while (entry != nullptr && entry->start.load() != 0) entry = entry->next;
    const bool is_new = entry == nullptr;
    if (is_new) entry = new (std::nothrow) Mapping;
    if (entry == nullptr) return false;
    strncpy(entry->path, path, sizeof(entry->path) - 1);
    entry->path[sizeof(entry->path) - 1] = 0;
    entry->count.store(count);
    entry->start.store(reinterpret_cast<uintptr_t>(start));
    if (is_new) {
        entry->next = mappings.load();
        mappings.store(entry);
    }
    return true;
}

void ct_forget_mapping(const void *start) {
    const std::lock_guard<std::mutex> lock(changes);
    for (auto *entry = mappings.load(); entry != nullptr; entry = entry->next) {
        if (entry->start.load() == reinterpret_cast<uintptr_t>(start)) return entry->start.store(0);
    }
}

} // extern "C"
