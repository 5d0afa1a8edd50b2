/* What a process was started with, and what happens to it when a mapped file shrinks. */
#ifndef CTORCH_PROCESS_H
#define CTORCH_PROCESS_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The words that the process was started with, kept as the C library handed them over: where there is no
 * /proc, Swift's own have none. *count is 0 where the C library hands none over. */
char *const *ct_arguments(int *count);

/* From now on touching a page of the mapping that its file no longer has ends the process with a line on
 * standard error that names the file, and with status 1. Other faults go where they went before.
 * Returns false, and watches nothing, for want of memory. */
bool ct_watch_mapping(const void *start, size_t count, const char *path);
/* Called before the mapping is taken down. */
void ct_forget_mapping(const void *start);

#ifdef __cplusplus
}
#endif
#endif
