/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: value types that are a time: bonding's milliseconds and seconds, and the bridge's clock_t (1/100 s), which
 * the kernel rounds to its own tick.
 */
#include <libmnl/libmnl.h>

#include "option.h"
#include "type.h"

struct time_unit {
	const char *name;
	uint64_t us;
};

static const struct time_unit units[] = {
	{"us", 1}, {"ms", 1000}, {"s", 1000000}, {"min", 60000000}, {"h", 3600000000},
};

static uint64_t unit_us(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(units); i++)
		if (streq(units[i].name, name))
			return units[i].us;
	return 0;
}

/*
 * "1.5s" to microseconds; a bare number counts in `bare` microseconds, or is -ENOTUNIQ when that is 0. -EINVAL: no
 * time. -ERANGE: too large. -EDOM: finer than a microsecond.
 */
static int parse_time(const char *text, uint64_t bare, uint64_t *ret)
{
	uint64_t whole = 0, fraction = 0, scale = 1, unit;
	const char *p = text;

	if (!isdigit_ascii(*p))
		return -EINVAL;
	for (; isdigit_ascii(*p); p++)
		if (__builtin_mul_overflow(whole, 10, &whole) || __builtin_add_overflow(whole, *p - '0', &whole))
			return -ERANGE;
	if (*p == '.' && !isdigit_ascii(*++p))
		return -EINVAL;
	for (; isdigit_ascii(*p); p++) {
		if (scale >= 1000000000)
			return -EDOM;
		fraction = fraction * 10 + (uint64_t)(*p - '0');
		scale *= 10;
	}
	unit = *p ? unit_us(p) : bare;
	if (unit == 0)
		return *p ? -EINVAL : -ENOTUNIQ;
	if (fraction * unit % scale)
		return -EDOM;
	if (__builtin_mul_overflow(whole, unit, &whole) ||
	    __builtin_add_overflow(whole, fraction * unit / scale, &whole))
		return -ERANGE;
	*ret = whole;
	return 0;
}

/* tick: microseconds of the value's unit. */
static int time_parse(const struct option *o, const char *text, union value *v, uint64_t tick, bool bare, char **why)
{
	uint64_t us = 0;
	int r = parse_time(text, bare ? tick : 0, &us);

	if (r == -ENOTUNIQ) {
		*why = xasprintf("'%s' needs a unit: %ss%s", text, text,
				 o->flags & OPTION_UNIT ? "" : " (brctl counts seconds, ip-link hundredths)");
		return -EINVAL;
	}
	if (r == -EINVAL) {
		_cleanup_free_ char *allowed = option_allowed(o);

		*why = xasprintf("'%s' is not a %s (units are us, ms, s, min, h)", text, allowed);
		return -EINVAL;
	}
	if (r == -EDOM || (r == 0 && us % tick)) {
		*why = xasprintf("'%s' is finer than the kernel counts: a multiple of %s is needed", text,
				 tick == 1000	 ? "1ms"
				 : tick == 10000 ? "10ms"
						 : "1s");
		return -EINVAL;
	}
	if (r < 0 || us / tick < (uint64_t)o->min || us / tick > (uint64_t)o->max)
		return type_refuse(o, text, "is out of range:", why);
	v->num = us / tick;
	return 0;
}

static void ms_text(uint64_t n, FILE *f)
{
	fprintf(f, "%llums", (unsigned long long)n);
}

static void s_text(uint64_t n, FILE *f)
{
	fprintf(f, "%llus", (unsigned long long)n);
}

static void cs_text(uint64_t n, FILE *f)
{
	unsigned rest = (unsigned)(n % 100);

	fprintf(f, "%llu", (unsigned long long)(n / 100));
	if (rest % 10)
		fprintf(f, ".%02u", rest);
	else if (rest)
		fprintf(f, ".%u", rest / 10);
	fputc('s', f);
}

static void range_text(const struct option *o, void (*text)(uint64_t n, FILE *f), FILE *f)
{
	fputs("time from ", f);
	text((uint64_t)o->min, f);
	fputs(" to ", f);
	text((uint64_t)o->max, f);
}

/* Nothing is as long in any unit. */
static bool bare_is_allowed(const struct option *o, const char *text)
{
	return !(o->flags & OPTION_UNIT) || streq(text, "0");
}

static int ms_parse(const struct option *o, const char *text, union value *v, char **why)
{
	return time_parse(o, text, v, 1000, bare_is_allowed(o, text), why);
}

static void ms_print(const struct option *o _unused_, union value v, FILE *f)
{
	ms_text(v.num, f);
}

static void ms_allowed(const struct option *o, FILE *f)
{
	range_text(o, ms_text, f);
}

static int s_parse(const struct option *o, const char *text, union value *v, char **why)
{
	if (o->names && streq(text, o->names[0])) {
		v->num = UINT32_MAX;
		return 0;
	}
	return time_parse(o, text, v, 1000000, bare_is_allowed(o, text), why);
}

static void s_print(const struct option *o, union value v, FILE *f)
{
	if (o->names && v.num == UINT32_MAX)
		fputs(o->names[0], f);
	else
		s_text(v.num, f);
}

static void s_allowed(const struct option *o, FILE *f)
{
	range_text(o, s_text, f);
	if (o->names)
		fprintf(f, ", or %s", o->names[0]);
}

static int cs_parse(const struct option *o, const char *text, union value *v, char **why)
{
	return time_parse(o, text, v, 10000, false, why);
}

static void cs_print(const struct option *o _unused_, union value v, FILE *f)
{
	cs_text(v.num, f);
}

static void cs_allowed(const struct option *o, FILE *f)
{
	range_text(o, cs_text, f);
}

/*
 * What a kernel of that HZ shows for cs: clock_t_to_jiffies() and back by jiffies_to_clock_t(), kernel/time/time.c, for
 * USER_HZ = 100. Both directions round down, so 123.45 s reads back as 123.44 s where HZ = 250.
 */
static uint64_t through_jiffies(uint64_t cs, uint64_t hz)
{
	uint64_t tick_nsec = (1000000000 + hz / 2) / hz;
	uint64_t jiffies = hz % 100 ? cs * hz / 100 : cs * (hz / 100);

	return jiffies * tick_nsec / 10000000;
}

/* HZ cannot be asked for; every choice of the kernel's configuration is a right answer. */
static bool cs_equal(const struct option *o _unused_, union value want, union value have)
{
	static const uint64_t choices[] = {100, 250, 300, 1000};

	for (size_t i = 0; i < ARRAY_SIZE(choices); i++)
		if (through_jiffies(want.num, choices[i]) == have.num)
			return true;
	return false;
}

static void cs64_put(const struct option *o, union value v, struct nlmsghdr *m)
{
	mnl_attr_put_u64(m, o->attr, v.num);
}

static int cs64_get(const struct option *o _unused_, const struct nlattr *a, union value *v)
{
	if (mnl_attr_get_payload_len(a) != sizeof(uint64_t))
		return -EINVAL;
	memcpy(&v->num, mnl_attr_get_payload(a), sizeof(uint64_t));
	return 0;
}

/* clang-format off */
const struct type type_ms = {
	.name = "time", .parse = ms_parse, .print = ms_print, .allowed = ms_allowed,
	.equal = type_num_equal, .put = type_u32_put, .get = type_u32_get,
};
const struct type type_s = {
	.name = "time", .parse = s_parse, .print = s_print, .allowed = s_allowed,
	.equal = type_num_equal, .put = type_u32_put, .get = type_u32_get,
};
const struct type type_cs = {
	.name = "time with unit", .parse = cs_parse, .print = cs_print, .allowed = cs_allowed,
	.equal = cs_equal, .put = type_u32_put, .get = type_u32_get,
};
const struct type type_cs64 = {
	.name = "time with unit", .parse = cs_parse, .print = cs_print, .allowed = cs_allowed,
	.equal = cs_equal, .put = cs64_put, .get = cs64_get,
};
/* clang-format on */
