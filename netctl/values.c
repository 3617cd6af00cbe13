/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: values of the command line that are written as in the files. On their own, as getopt has a struct option,
 * too.
 */
#include "../netd/model/option.h"
#include "../netd/plan/plan.h"
#include "netctl.h"

int parse_time_option(const char *what, const char *text, int max, int *ret)
{
	const struct option row = {.key = what, .type = &type_s, .min = 1, .max = max};
	_cleanup_free_ char *why = NULL;
	union value v = {0};

	if (type_s.parse(&row, text, &v, &why) < 0) {
		fprintf(stderr, "netctl: %s: %s\n", what, why);
		return -EINVAL;
	}
	*ret = (int)v.num;
	return 0;
}

int parse_impact(const char *text, const char **ret)
{
	for (int i = IMPACT_NONE; i < IMPACT_GUESTS; i++) {
		if (!streq(impact_name((enum impact)i), text))
			continue;
		*ret = text;
		return 0;
	}
	fprintf(stderr, "netctl: --max-impact is none, live, link-flap, link-gone or recreate, not '%s'\n", text);
	return -EINVAL;
}
