/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: files that tests compare what they get with, word for word. */
#pragma once

/* The file's text, or "" when there is none. The caller frees it. */
char *golden_read(const char *path);
/*
 * The test fails when the file has another text, and shows the difference. With UPDATE=1 in the environment the file is
 * written instead, or removed when the text is "".
 */
void golden_compare(const char *path, const char *text);
