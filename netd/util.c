/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: the allocation helpers of util.h. Leaf. */
#include "util.h"

static void *checked(void *p, size_t size)
{
	if (!p && size) {
		fputs("kvmnetd: out of memory\n", stderr);
		abort();
	}
	return p;
}

void *xcalloc(size_t n, size_t size)
{
	return checked(calloc(n ? n : 1, size ? size : 1), 1);
}

void *xrealloc(void *p, size_t n, size_t size)
{
	return checked(reallocarray(p, n, size), n && size);
}

char *xstrdup(const char *s)
{
	return checked(strdup(s), 1);
}

void *xmemdup(const void *p, size_t len)
{
	void *copy = checked(malloc(len ? len : 1), 1);

	if (len)
		memcpy(copy, p, len);
	return copy;
}

char *xvasprintf(const char *format, va_list ap)
{
	char *s;

	if (vasprintf(&s, format, ap) < 0)
		s = NULL;
	return checked(s, 1);
}

char *xasprintf(const char *format, ...)
{
	va_list ap;
	char *s;

	va_start(ap, format);
	s = xvasprintf(format, ap);
	va_end(ap);
	return s;
}

void *array_grow(void *array, size_t count, size_t size)
{
	/* Capacity is the next power of two, so it need not be stored beside the count. */
	if ((count & (count - 1)) == 0)
		array = xrealloc(array, count ? count * 2 : 1, size);
	memset((char *)array + count * size, 0, size);
	return array;
}

void *array_copy(const void *array, size_t count, size_t size)
{
	size_t capacity = 1;
	void *copy;

	if (count == 0)
		return NULL;
	while (capacity < count)
		capacity *= 2;
	copy = xcalloc(capacity, size);
	memcpy(copy, array, count * size);
	return copy;
}

FILE *xmemstream(char **ret_text, size_t *ret_len)
{
	FILE *f;

	*ret_text = NULL;
	f = open_memstream(ret_text, ret_len);
	if (!f)
		abort();
	return f;
}

size_t name_place(const void *list, size_t n, size_t size, const char *(*name_of)(const void *element),
		  const char *name)
{
	size_t low = 0, high = n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(name_of((const char *)list + middle * size), name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}
