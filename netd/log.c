/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purpose: log.h. */
#include "log.h"

#include <sys/stat.h>
#include <systemd/sd-journal.h>

static struct {
	bool journal;
	bool verbose;
} log_to;

void log_open(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long dev, ino;
	struct stat st;

	if (stream && sscanf(stream, "%lu:%lu", &dev, &ino) == 2 && fstat(STDERR_FILENO, &st) == 0)
		log_to.journal = st.st_dev == dev && st.st_ino == ino;
}

void log_set_verbose(bool verbose)
{
	log_to.verbose = verbose;
}

bool log_is_verbose(void)
{
	return log_to.verbose;
}

void log_print(int priority, const char *format, ...)
{
	static const char *const prefix[] = {[LOG_ERR] = "error: ", [LOG_WARNING] = "warning: "};
	va_list ap;

	if (priority == LOG_DEBUG && !log_to.verbose)
		return;
	va_start(ap, format);
	if (log_to.journal) {
		sd_journal_printv(priority, format, ap);
	} else {
		_cleanup_free_ char *text = xvasprintf(format, ap);

		fprintf(stderr, "kvmnetd: %s%s\n",
			(size_t)priority < ARRAY_SIZE(prefix) && prefix[priority] ? prefix[priority] : "", text);
	}
	va_end(ap);
}
