/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: the one reader of INI text. inih takes a key line apart (comment lines, key, `=`, value, white space);
 * lines and headers are cut out of the file here, because of what inih, as distributions build it, does to them:
 *
 * - it reads 200 bytes at a time and takes the rest of a longer line for a new line. So it gets each logical line
 *   alone, and one that does not fit goes in pieces, as its own continuation lines, cut between words;
 * - its handler learns no line number, nothing of a section without keys, 49 bytes of a section's name, and not
 *   that a section starts a second time; after a broken header, keys land in the section before. So headers are ours;
 * - it takes `key: value`, indented lines and ` # text` for something this format does not have. These are refused
 *   before it sees them, and so is what it would cut short without a word: NUL bytes and endless words.
 *
 * Each file starts outside any section. One bad line is one message; the next line is read as if nothing was wrong.
 */
#include <ini.h>

#include "config.h"
#include "ini.h"

#define BLANK " \t"
/* No word of a configuration is longer: an altname, the longest name there is, has 127 bytes. */
#define WORD_MAX 128

struct reader {
	const struct ini_receiver *to;
	struct diags *diags;
	struct loc loc;	     /* of the line being read */
	char *section;	     /* owned: "bond bond0", for messages; NULL before the first header */
	bool skip;	     /* under a broken header; section is NULL then */
	bool told_no_header; /* "key before the first section" is said once a file */
};

static void bad_line(struct reader *r, const char *text)
{
	diag_add(r->diags, SEVERITY_ERROR, r->loc, r->section, NULL, "%s", text);
}

/* A line on its way through inih, and what inih made of it. */
struct key_line {
	const char *rest; /* not yet given to inih */
	bool started;
	bool stuck; /* inih's buffer is too small for one word */
	char *key, *value;
};

/* How much of the line fits in `max` bytes without cutting a word; 0: not even one word. */
static size_t piece_len(const char *s, size_t max)
{
	size_t len = strlen(s);

	if (len <= max)
		return len;
	for (len = max; len > 0 && s[len] != ' '; len--)
		;
	return len;
}

/* An ini_reader: like fgets(). Pieces after the first are indented: inih then takes them for more of the value. */
static char *next_piece(char *buf, int size, void *userdata)
{
	struct key_line *line = userdata;
	const char *indent = line->started ? " " : "";
	size_t len;

	if (line->stuck || !*line->rest)
		return NULL;
	len = piece_len(line->rest, (size_t)MAX(size - 4, 0));
	if (len == 0) {
		line->stuck = true;
		return NULL;
	}
	snprintf(buf, (size_t)size, "%s%.*s\n", indent, (int)len, line->rest);
	line->rest += len;
	line->rest += *line->rest == ' ';
	line->started = true;
	return buf;
}

/* An ini_handler: called for the first piece and for each that continues it. Returns nonzero: go on. */
static int take_piece(void *userdata, const char *section _unused_, const char *key, const char *value)
{
	struct key_line *line = userdata;
	char *joined;

	if (!line->key) {
		line->key = xstrdup(key);
		line->value = xstrdup(value);
		return 1;
	}
	joined = xasprintf("%s%s%s", line->value, *line->value ? " " : "", value);
	free(line->value);
	line->value = joined;
	return 1;
}

/* Turns white space into single spaces, and takes it off both ends. */
static void tidy(char *s)
{
	char *to = s;

	for (const char *from = s + strspn(s, BLANK); *from;) {
		if (!strchr(BLANK, *from)) {
			*to++ = *from++;
			continue;
		}
		from += strspn(from, BLANK);
		if (*from)
			*to++ = ' ';
	}
	*to = '\0';
}

/* What a tidied key line must not have; NULL: nothing is wrong. The caller frees it. */
static char *key_line_fault(const char *s)
{
	size_t key_len = strcspn(s, "=:");

	if (s[key_len] == ':')
		return xasprintf("only '=' separates a key from its value: '%.*s = ...', not '%.*s: ...'",
				 (int)MIN(key_len, 64), s, (int)MIN(key_len, 64), s);
	if (!s[key_len])
		return xasprintf("'%.64s' is neither 'KEY = VALUE' nor '[KIND NAME]'", s);
	if (key_len > WORD_MAX)
		return xasprintf("the key before '=' has %zu bytes, which is no key", key_len);
	for (size_t len = 0; *s; s += len + (s[len] == ' ')) {
		len = strcspn(s, " ");
		if (len > WORD_MAX)
			return xasprintf("a word of %zu bytes, '%.16s...': no value is longer than %d", len, s,
					 WORD_MAX);
	}
	return NULL;
}

static void give_key(struct reader *r, const struct key_line *line)
{
	if (!*line->key) {
		bad_line(r, "there is no key before '='");
		return;
	}
	if (!r->section && !r->skip) {
		if (!r->told_no_header)
			diag_add(r->diags, SEVERITY_ERROR, r->loc, NULL, line->key,
				 "is before the first section header, [KIND NAME]");
		r->told_no_header = true;
		return;
	}
	if (!*line->value) {
		diag_add(r->diags, SEVERITY_ERROR, r->loc, r->section, line->key,
			 "has no value (to leave an option as it is, remove the line)");
		return;
	}
	if (!r->skip)
		r->to->key(r->to->userdata, r->loc, line->key, line->value);
}

static void read_key(struct reader *r, char *s)
{
	struct key_line line = {.rest = s};
	_cleanup_free_ char *fault = NULL;

	tidy(s);
	fault = key_line_fault(s);
	if (fault) {
		bad_line(r, fault);
		return;
	}
	if (ini_parse_stream(next_piece, &line, take_piece, &line) != 0 || line.stuck || !line.key)
		bad_line(r, "inih, as it is built here, cannot read this line");
	else
		give_key(r, &line);
	free(line.key);
	free(line.value);
}

/* Splits the text between the brackets in place. Returns what is wrong with it, or NULL. */
static const char *split_header(char *s, const char **kind, const char **name)
{
	char *save = NULL;

	*kind = strtok_r(s, BLANK, &save);
	*name = *kind ? strtok_r(NULL, BLANK, &save) : NULL;
	if (!*kind)
		return "the section header is empty: it is [KIND NAME]";
	if (*name && strtok_r(NULL, BLANK, &save))
		return "the section header has more than two words: it is [KIND NAME]";
	if (!*name)
		*name = "";
	return NULL;
}

static void leave_section(struct reader *r)
{
	free(r->section);
	r->section = NULL;
	r->skip = true;
}

/* s: at the opening bracket; the section before is left. */
static void read_header(struct reader *r, char *s)
{
	char *end = strchr(s, ']');
	const char *kind, *name, *fault;

	if (!end) {
		bad_line(r,
			 "the section header has no closing ']'; what follows is not looked at up to the next header");
		return;
	}
	*end++ = '\0';
	if (end[strspn(end, BLANK)]) {
		bad_line(r, "text after the ']' of a section header; a comment there starts with ' ;'");
		return;
	}
	fault = split_header(s + 1, &kind, &name);
	if (fault) {
		bad_line(r, fault);
		return;
	}
	r->skip = false;
	r->section = xasprintf("%s%s%s", kind, *name ? " " : "", name);
	r->to->section(r->to->userdata, r->loc, kind, name);
}

/*
 * Outside comments everything is printable ASCII: names and values have nothing else, and bytes that look like
 * something they are not (a no-break space, a typographic dash) come with text pasted from elsewhere.
 */
static bool check_bytes(struct reader *r, const char *s)
{
	for (size_t i = 0; s[i]; i++) {
		unsigned char c = (unsigned char)s[i];

		if (c == '\t' || (c >= ' ' && c < 0x7f))
			continue;
		diag_add(r->diags, SEVERITY_ERROR, r->loc, r->section, NULL,
			 "byte 0x%02x in column %zu: only comments may have other than printable ASCII characters", c,
			 i + 1);
		return false;
	}
	return true;
}

/* Cuts off what starts with ` ;` or ` #`. Returns which of them, or '\0'. */
static char cut_comment(char *s)
{
	char mark;

	for (char *p = s + 1; *s && *p; p++) {
		if ((*p != ';' && *p != '#') || !strchr(BLANK, p[-1]))
			continue;
		mark = *p;
		*p = '\0';
		return mark;
	}
	return '\0';
}

/* One line without its end, NUL-terminated; len tells of NUL bytes inside. */
static void read_line(struct reader *r, char *s, size_t len)
{
	size_t indent = strspn(s, BLANK);
	char mark;

	/* Whatever is wrong with a header: what follows does not belong to the section before. */
	if (s[indent] == '[')
		leave_section(r);
	if (strlen(s) < len) {
		bad_line(r, "the line has a NUL byte");
		return;
	}
	if (!s[indent] || strchr(";#", s[indent]))
		return;
	if (len > CONFIG_LINE_MAX) {
		bad_line(r, "the line is longer than 65536 bytes");
		return;
	}
	mark = cut_comment(s);
	if (!check_bytes(r, s))
		return;
	if (mark == '#')
		bad_line(r, "a comment after a value or a header starts with ' ;', and with '#' only at the start of a "
			    "line");
	if (indent)
		bad_line(r, "the line is indented: keys and headers start in the first column, and a value does not "
			    "go on in a next line (repeat the key)");
	if (s[indent] == '[')
		read_header(r, s + indent);
	else if (!indent && mark != '#')
		read_key(r, s);
}

void ini_read(const char *text, size_t len, int file, const struct ini_receiver *to, struct diags *d)
{
	static const char bom[] = {'\xef', '\xbb', '\xbf'}, utf16[][2] = {{'\xff', '\xfe'}, {'\xfe', '\xff'}};
	struct reader r = {.to = to, .diags = d, .loc = {.file = (uint32_t)file}};
	const char *end = text + len;

	if (len >= sizeof(bom) && memcmp(text, bom, sizeof(bom)) == 0)
		text += sizeof(bom);
	for (size_t i = 0; i < ARRAY_SIZE(utf16); i++)
		if (len >= sizeof(utf16[i]) && memcmp(text, utf16[i], sizeof(utf16[i])) == 0) {
			r.loc.line = 1;
			bad_line(&r, "the file is in UTF-16: save it as UTF-8");
			return;
		}
	while (text < end && d->n <= DIAGS_MAX) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		size_t line_len = (size_t)((newline ? newline : end) - text);
		const char *next = newline ? newline + 1 : end;
		_cleanup_free_ char *line = NULL;

		if (line_len > 0 && text[line_len - 1] == '\r')
			line_len--;
		if (r.loc.line < LOC_LINE_MAX)
			r.loc.line++;
		line = xcalloc(line_len + 1, 1);
		memcpy(line, text, line_len);
		read_line(&r, line, line_len);
		text = next;
	}
	free(r.section);
}
