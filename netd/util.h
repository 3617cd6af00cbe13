/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: the few idioms every file uses: cleanup on scope exit, array sizes, and allocation that
 * does not return on failure. Leaf: includes nothing of the project.
 *
 * Memory: an allocation of ours that fails ends the program (abort). The sizes are bounded (files,
 * requests and dumps have limits), stopping changes nothing in the kernel, and the service manager
 * starts the daemon again; half-handled out-of-memory paths are what could leave a change half done.
 */
#pragma once

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))

#define _cleanup_(f) __attribute__((cleanup(f)))
#define _printf_(a, b) __attribute__((format(printf, a, b)))
#define _unused_ __attribute__((unused))

static inline void free_ptr(void *p)
{
	free(*(void **)p);
}

static inline void fclose_ptr(FILE **f)
{
	if (*f)
		fclose(*f);
}

static inline void close_ptr(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

#define _cleanup_free_ _cleanup_(free_ptr)
#define _cleanup_fclose_ _cleanup_(fclose_ptr)
#define _cleanup_close_ _cleanup_(close_ptr)

/* Takes the pointer out of a variable with a cleanup, so that the caller owns it. */
#define TAKE_PTR(p)                                                                                                    \
	({                                                                                                             \
		__typeof__(p) _taken = (p);                                                                            \
		(p) = NULL;                                                                                            \
		_taken;                                                                                                \
	})

/* Zeroed memory for n objects of the given size; never NULL. The caller frees it. */
void *xcalloc(size_t n, size_t size);
/* realloc() that never returns NULL for a nonzero size. */
void *xrealloc(void *p, size_t n, size_t size);
/* Copies; the caller frees them. */
char *xstrdup(const char *s);
void *xmemdup(const void *p, size_t len);
/* Formatted string the caller frees. */
char *xasprintf(const char *format, ...) _printf_(1, 2);
char *xvasprintf(const char *format, va_list ap) _printf_(1, 0);
/* A stream into memory; once it is closed, *ret_text is the text (never NULL), which the caller frees. */
FILE *xmemstream(char **ret_text, size_t *ret_len);

/*
 * Makes room for one more element at the end of a growing array: capacity doubles, the new element
 * is zeroed, the count goes up. Returns the new element.
 */
#define ARRAY_APPEND(array, count)                                                                                     \
	({                                                                                                             \
		(array) = array_grow((array), (count), sizeof(*(array)));                                              \
		&(array)[(count)++];                                                                                   \
	})
void *array_grow(void *array, size_t count, size_t size);
/* A copy that ARRAY_APPEND can go on with (xmemdup would leave no room): NULL for count 0. */
void *array_copy(const void *array, size_t count, size_t size);

/*
 * Where in a list that is sorted by name (strcmp) the first element of this name stands, or would stand: 0..n. size: of
 * an element; name_of: its name.
 */
size_t name_place(const void *list, size_t n, size_t size, const char *(*name_of)(const void *element),
		  const char *name);

/* What print(object, FILE *) prints, as a string the caller frees. */
#define PRINT_TEXT(print, object)                                                                                      \
	({                                                                                                             \
		char *_text;                                                                                           \
		size_t _len;                                                                                           \
		FILE *_f = xmemstream(&_text, &_len);                                                                  \
		print((object), _f);                                                                                   \
		fclose(_f);                                                                                            \
		_text;                                                                                                 \
	})

static inline bool streq(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}

static inline bool startswith(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}
