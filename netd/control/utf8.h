/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: well-formed UTF-8, which JSON must be and which file names, interface names and configuration comments
 * need not be. Header only: the daemon and netctl both use it.
 */
#pragma once

#include "../util.h"

/* Bytes of the sequence that a first byte announces; 0: it cannot be first. */
static inline size_t utf8_announced(unsigned char first)
{
	if (first < 0x80)
		return 1;
	if (first >= 0xc2 && first <= 0xdf)
		return 2;
	if (first >= 0xe0 && first <= 0xef)
		return 3;
	return first >= 0xf0 && first <= 0xf4 ? 4 : 0;
}

/* Length of the well-formed character that s (n > 0 bytes) begins with; 0: there is none (Unicode, table 3-7). */
static inline size_t utf8_character(const char *s, size_t n)
{
	const unsigned char *u = (const unsigned char *)s;
	size_t len = utf8_announced(u[0]);

	if (!len || len > n)
		return 0;
	for (size_t i = 1; i < len; i++)
		if ((u[i] & 0xc0) != 0x80)
			return 0;
	/* Overlong forms, surrogates, and what lies above U+10FFFF. */
	if ((u[0] == 0xe0 && u[1] < 0xa0) || (u[0] == 0xed && u[1] > 0x9f) || (u[0] == 0xf0 && u[1] < 0x90) ||
	    (u[0] == 0xf4 && u[1] > 0x8f))
		return 0;
	return len;
}

/* n less the bytes of a character that has begun but not ended at the end of s. */
static inline size_t utf8_whole(const char *s, size_t n)
{
	for (size_t back = 1; back <= MIN(n, 3u); back++) {
		unsigned char byte = (unsigned char)s[n - back];

		if ((byte & 0xc0) == 0x80)
			continue;
		return utf8_announced(byte) > back ? n - back : n;
	}
	return n;
}

/* Bytes at the beginning of s that are ASCII, by eights: nearly all of what is sent is nothing else. */
static inline size_t utf8_ascii(const char *s, size_t n)
{
	uint64_t eight;
	size_t i = 0;

	for (; i + sizeof(eight) <= n; i += sizeof(eight)) {
		memcpy(&eight, s + i, sizeof(eight));
		if (eight & 0x8080808080808080u)
			break;
	}
	return i;
}

/* A copy in which each byte that is not part of a character is U+FFFD. *len is in and out. The caller frees it. */
static inline char *utf8_clean(const char *s, size_t *len)
{
	size_t ascii = utf8_ascii(s, *len), out = ascii, bad = 0;
	char *clean;

	for (size_t i = ascii, c; i < *len; i += c ? c : 1) {
		c = utf8_character(s + i, *len - i);
		bad += !c;
	}
	clean = xcalloc(*len + 2 * bad + 1, 1);
	memcpy(clean, s, ascii);
	for (size_t i = ascii, c; i < *len; i += c ? c : 1) {
		c = utf8_character(s + i, *len - i);
		memcpy(clean + out, c ? s + i : "\xef\xbf\xbd", c ? c : 3);
		out += c ? c : 3;
	}
	*len = out;
	return clean;
}
