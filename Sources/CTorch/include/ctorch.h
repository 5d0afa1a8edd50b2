/* The C face of LibTorch: a generic call through the ATen dispatcher, autograd, random numbers.
 *
 * Every call that can fail returns a ct_status and writes its result through an out-parameter, which
 * is untouched on failure; ct_last_error() then holds the message of the calling thread. No C++
 * exception leaves this library. A handle returned through an out-parameter belongs to the caller,
 * who frees it once; a handle given as an argument is borrowed for the call.
 */
#ifndef CTORCH_H
#define CTORCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ctorch_process.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct ct_tensor ct_tensor;
typedef struct ct_generator ct_generator;

typedef enum ct_status { CT_OK = 0, CT_FAILED = 1, CT_OUT_OF_MEMORY = 2 } ct_status;

/* The message of the last failure on this thread; valid until the next failing call on it. */
const char *ct_last_error(void);
/* For callbacks: what went wrong, before they return CT_FAILED. */
void ct_set_error(const char *message);

/* ---- values: what operators take and give ------------------------------------------------- */

typedef enum ct_kind {
    CT_NONE = 0,
    CT_TENSOR,    /* data: ct_tensor * */
    CT_INT,       /* integer */
    CT_DOUBLE,    /* real */
    CT_BOOL,      /* integer */
    CT_STRING,    /* data: char *, count bytes */
    CT_INTS,      /* data: int64_t *, count */
    CT_DOUBLES,   /* data: double *, count */
    CT_BOOLS,     /* data: uint8_t *, count */
    CT_TENSORS,   /* data: ct_tensor **, count; a NULL element is an absent tensor */
    CT_DTYPE,     /* integer: a c10::ScalarType */
    CT_DEVICE,    /* integer: a c10::DeviceType; device_index, -1 for the current one */
    CT_GENERATOR, /* data: ct_generator * */
} ct_kind;

typedef struct ct_value {
    const char *name; /* the argument's name in the schema, or NULL for the next position */
    const void *data;
    size_t count;
    int64_t integer;
    double real;
    int32_t kind;
    int32_t device_index;
} ct_value;

/* Calls an operator by its full name ("aten::add.Tensor"). Arguments that are not given take their
 * defaults from the operator's schema. At most `capacity` results are written to `results` (tuples
 * flattened, their number in *count); tensors in them belong to the caller, and the array of a
 * CT_TENSORS result is freed with ct_free_list. */
ct_status ct_call(const char *operator_name, const ct_value *arguments, size_t argument_count,
                  ct_value *results, size_t capacity, size_t *count);
void ct_free_list(const void *list);

/* Calls `visit` with the full name of each operator of a library ("duallora") that has a kernel of its
 * own for a kind of device (a c10::DeviceType), or, for -1, of each. */
ct_status ct_visit_operators(const char *library, int32_t device_type, void *context,
                             void (*visit)(void *context, const char *name));

/* ---- tensors -------------------------------------------------------------------------------- */

void ct_tensor_free(ct_tensor *tensor);
/* A second handle on the same tensor. */
ct_status ct_tensor_share(const ct_tensor *tensor, ct_tensor **out);
/* How many tensor handles are alive in the process. */
int64_t ct_live_tensors(void);

int64_t ct_tensor_dimensions(const ct_tensor *tensor);
int64_t ct_tensor_size(const ct_tensor *tensor, int64_t dimension);
int64_t ct_tensor_stride(const ct_tensor *tensor, int64_t dimension);
int64_t ct_tensor_count(const ct_tensor *tensor);
int32_t ct_tensor_dtype(const ct_tensor *tensor);
int32_t ct_tensor_device_type(const ct_tensor *tensor);
int32_t ct_tensor_device_index(const ct_tensor *tensor);
bool ct_tensor_is_contiguous(const ct_tensor *tensor);
/* Address of the first element, or NULL for a tensor that is not in this machine's memory. */
void *ct_tensor_data(const ct_tensor *tensor);

/* A tensor over memory it does not copy; `release(context)` runs once when the last tensor that
 * uses the memory is gone, and at once if the call fails. */
ct_status ct_tensor_over_memory(void *data, const int64_t *sizes, size_t dimensions, int32_t dtype,
                                void (*release)(void *context), void *context, ct_tensor **out);

/* ---- autograd ------------------------------------------------------------------------------- */

bool ct_grad_enabled(void);
void ct_set_grad_enabled(bool enabled);
bool ct_requires_grad(const ct_tensor *tensor);
ct_status ct_set_requires_grad(ct_tensor *tensor, bool value);
/* *out is NULL when there is no gradient. */
ct_status ct_gradient(const ct_tensor *tensor, ct_tensor **out);
/* NULL removes the gradient. */
ct_status ct_set_gradient(ct_tensor *tensor, const ct_tensor *gradient);
/* `seed` may be NULL for a scalar root. */
ct_status ct_backward(const ct_tensor *root, const ct_tensor *seed, bool retain_graph,
                      bool create_graph);
/* Gradients of the roots, each times its seed (NULL for a scalar's 1), with respect to `inputs`; an
 * unused input gives NULL. */
ct_status ct_grad(ct_tensor *const *roots, ct_tensor *const *seeds, size_t root_count,
                  ct_tensor *const *inputs, size_t count, bool retain_graph, bool create_graph,
                  ct_tensor **gradients);
/* Within a backward: whether the graph may be run backward once more. */
bool ct_backward_keeps_graph(void);
/* The leaves that the outputs' graph accumulates gradients in, but for those in `except`: an array of
 * handles that the caller owns, freed with ct_free_list. */
ct_status ct_graph_leaves(ct_tensor *const *outputs, size_t count, ct_tensor *const *except,
                          size_t except_count, const void **leaves, size_t *leaf_count);

/* A function's backward. `output_gradients` are borrowed, NULL where zero. For each input with
 * needed[i], the callback stores a handle that it gives away, or leaves NULL for zero. */
typedef struct ct_backward_function {
    void *context;
    ct_status (*run)(void *context, ct_tensor *const *output_gradients, size_t outputs,
                     const bool *needed, ct_tensor **input_gradients, size_t inputs);
    void (*release)(void *context);
} ct_backward_function;

/* Makes `outputs`, computed outside the graph, differentiable functions of `inputs`. The context is
 * released when the graph is freed, or at once if no input requires a gradient or the call fails. */
ct_status ct_attach_backward(const char *name, ct_tensor *const *inputs, size_t input_count,
                             ct_tensor *const *outputs, size_t output_count,
                             ct_backward_function function);

/* ---- instruction sets ----------------------------------------------------------------------- */

/* What kernels are compiled for, from the least to the most able. */
typedef enum ct_instruction_set {
    CT_PORTABLE = 0,
    CT_AVX2,
    CT_AVX512,
    CT_AVX512_BF16,
} ct_instruction_set;

/* The best that the machine has. */
ct_instruction_set ct_instruction_set_of_machine(void);
/* For tests: kernels that are started from this thread use no more than `most`. */
void ct_limit_instruction_set(ct_instruction_set most);

/* ---- products of few rows ------------------------------------------------------------------- */

/* x (..., in) · weight (out, in)ᵀ + bias (out), which may be NULL, for each of `count` weights, in one
 * start of the threads. A weight is of float32, bfloat16 or float16 where its format is -1; else it is
 * (out, bytes of a row) of quantised blocks in the format of that number. All of `outs` are NULL where the
 * kernel does not apply: unless all tensors are contiguous on the CPU, x and biases are of one type, float32
 * or bfloat16, and no gradient is recorded. */
ct_status ct_narrow_products(const ct_tensor *x, ct_tensor *const *weights, const int64_t *formats,
                             ct_tensor *const *biases, size_t count, ct_tensor **outs);

/* Attention of one new token a row to a cache of keys and values, which takes the token's own. */
typedef struct ct_decoding_attention {
    const ct_tensor *query;      /* (B, H, D) */
    const ct_tensor *key;        /* (B, G, D), H a multiple of G */
    const ct_tensor *value;      /* (B, G, D) */
    const ct_tensor *cosine;     /* D numbers, or B times D; NULL for no rotary positions */
    const ct_tensor *sine;       /* as many; those of the first half of a head negated */
    const ct_tensor *keys;       /* (B, G, capacity, D) */
    const ct_tensor *values;     /* (B, G, capacity, D) */
    int64_t count;               /* tokens that the cache has */
    const int64_t *first;        /* the first token that each row sees */
    float scale;                 /* of the scores */
} ct_decoding_attention;

/* *out (B, H, D) is NULL, and the cache as it was, where the kernel does not apply: unless all is on
 * the CPU and of one type, float32 or bfloat16, heads are contiguous, and no gradient is recorded. */
ct_status ct_attend_to_cache(const ct_decoding_attention *call, ct_tensor **out);

/* ---- random numbers ------------------------------------------------------------------------- */

ct_status ct_generator_new(uint64_t seed, int32_t device_type, int32_t device_index,
                           ct_generator **out);
void ct_generator_free(ct_generator *generator);
/* The state as a byte tensor: bit-exact, for checkpoints. */
ct_status ct_generator_state(ct_generator *generator, ct_tensor **out);
ct_status ct_generator_set_state(ct_generator *generator, const ct_tensor *state);

/* ---- the machine ---------------------------------------------------------------------------- */

/* The LibTorch version this was compiled with, "2.13.0". */
const char *ct_version(void);
int ct_threads(void);
ct_status ct_set_threads(int count);
/* From now on memory that is freed stays with the process, where the C library can be told so: a
 * training step frees and takes the same blocks over and over, and the system clears every page that
 * it gives out anew. */
void ct_keep_freed_memory(void);
/* Fails, and says why, if LibTorch cannot compute on a device here: a c10::DeviceType, and which of its kind,
 * -1 for any. Loads the library of the device's kernels, which lies beside LibTorch. */
ct_status ct_device_check(int32_t device_type, int32_t device_index);
/* Waits until the device has done what it was given. */
ct_status ct_device_wait(int32_t device_type, int32_t device_index);

#ifdef __cplusplus
}
#endif
#endif
