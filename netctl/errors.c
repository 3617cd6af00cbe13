/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: see errors.h.
 */
#include "errors.h"

#include "json.h"
#include "term.h"

int error_connect(const char *path, int error)
{
	fprintf(stderr, "netctl: cannot reach kvmnetd at %s: %s\n", path, strerror(-error));
	if (error == -EACCES || error == -EPERM)
		return EXIT_DENIED;
	if (error == -ENOENT || error == -ECONNREFUSED)
		fprintf(stderr, "netctl: it does not run; try: systemctl status kvmnetd\n");
	return EXIT_UNREACHABLE;
}

int error_receive(int error)
{
	switch (error) {
	case -ETIMEDOUT:
		fprintf(stderr, "netctl: kvmnetd does not answer\n");
		return EXIT_UNREACHABLE;
	case -EBADMSG:
		fprintf(stderr, "netctl: what answers is not kvmnetd: the reply is no Varlink message\n");
		return EXIT_UNREACHABLE;
	default:
		fprintf(stderr, "netctl: kvmnetd closed the connection: it is stopping, or has too many clients\n");
		return EXIT_UNREACHABLE;
	}
}

char *place_text(struct json_object *o)
{
	const char *file = json_text(o, "file");
	int64_t line = json_int(o, "line", 0);

	if (!file)
		return xstrdup("");
	return line > 0 ? xasprintf(" (%s:%lld)", file, (long long)line) : xasprintf(" (%s)", file);
}

char *place_short(struct json_object *o)
{
	const char *file = json_text(o, "file"), *slash = file ? strrchr(file, '/') : NULL;
	int64_t line = json_int(o, "line", 0);

	if (!file)
		return xstrdup("");
	file = slash && slash[1] ? slash + 1 : file;
	return line > 0 ? xasprintf(" (%s:%lld)", file, (long long)line) : xasprintf(" (%s)", file);
}

/* The same form as the core's diag_print(). */
static void diagnostic_print(struct json_object *d, FILE *f)
{
	const char *file = json_text(d, "file"), *section = json_text(d, "section"), *key = json_text(d, "key");
	int64_t line = json_int(d, "line", 0);

	if (file) {
		print_safe(file, f);
		if (line > 0)
			fprintf(f, ":%lld", (long long)line);
		fputs(": ", f);
	}
	print_safe(json_text_or(d, "severity", "error"), f);
	fputs(": ", f);
	if (section) {
		fputc('[', f);
		print_safe(section, f);
		fputs("] ", f);
	}
	if (key) {
		print_safe(key, f);
		fputs(": ", f);
	}
	print_safe(json_text_or(d, "text", ""), f);
	fputc('\n', f);
}

void diagnostics_print(struct json_object *list, FILE *f)
{
	for (size_t i = 0; list && i < json_object_array_length(list); i++)
		diagnostic_print(json_object_array_get_idx(list, i), f);
}

static int configuration_invalid(struct json_object *p)
{
	diagnostics_print(json_get(p, "diagnostics", json_type_array), stderr);
	fprintf(stderr, "netctl: the configuration has errors; nothing was changed\n");
	return EXIT_ERROR;
}

static int refused(struct json_object *p)
{
	_cleanup_free_ char *place = place_text(p);
	const char *step = json_text(p, "step");

	fputs("netctl: the change failed: ", stderr);
	if (step) {
		print_safe(step, stderr);
		fputs(": ", stderr);
	}
	print_safe(json_text_or(p, "text", "no reason given"), stderr);
	print_safe(place, stderr);
	fputc('\n', stderr);
	fputs(json_flag(p, "restored") ? "netctl: everything is as it was before\n"
				       : "netctl: the state before could NOT be put back\n",
	      stderr);
	if (json_count(p, "differences"))
		fputs("what differs:\n", stderr);
	for (size_t i = 0; i < json_count(p, "differences"); i++) {
		fputs("  ", stderr);
		print_safe(json_item_text(p, "differences", i), stderr);
		fputc('\n', stderr);
	}
	return EXIT_ERROR;
}

static int needs_force(struct json_object *p)
{
	fputs("netctl: refused: ", stderr);
	print_safe(json_text_or(p, "text", "it would cut off ports that are not kvmnetd's"), stderr);
	fputc('\n', stderr);
	if (json_count(p, "ports"))
		fputs("netctl: this would be lost:", stderr);
	for (size_t i = 0; i < json_count(p, "ports"); i++) {
		fputc(' ', stderr);
		print_safe(json_item_text(p, "ports", i), stderr);
	}
	fputs(json_count(p, "ports") ? "\nnetctl: --force does it all the same\n"
				     : "netctl: --force does it all the same\n",
	      stderr);
	return EXIT_REFUSED;
}

static int plan_changed(struct json_object *p)
{
	fputs("netctl: refused: files or kernel have moved since that plan was made; it is now ", stderr);
	print_safe(json_text_or(p, "id", "another one"), stderr);
	fputs(" (netctl plan shows it)\n", stderr);
	return EXIT_REFUSED;
}

static int busy(struct json_object *p)
{
	fputs("netctl: refused: ", stderr);
	print_safe(json_text_or(p, "text", "another change is running"), stderr);
	fputc('\n', stderr);
	return EXIT_REFUSED;
}

static int too_much_impact(struct json_object *p)
{
	fputs("netctl: refused: a step of it costs ", stderr);
	print_safe(json_text_or(p, "impact", "more than allowed"), stderr);
	fputs(", which is more than --max-impact or [daemon] max_impact allows\n", stderr);
	return EXIT_REFUSED;
}

static int confirmation_pending(struct json_object *p)
{
	fputs("netctl: refused: an apply by ", stderr);
	print_safe(json_text_or(p, "by", "someone"), stderr);
	fprintf(stderr, " waits for its confirmation, %lld s more (netctl confirm, or netctl rollback)\n",
		(long long)json_int(p, "seconds_left", 0));
	return EXIT_REFUSED;
}

static int confirm_too_short(struct json_object *p)
{
	fprintf(stderr, "netctl: refused: --confirm needs at least %lld s for this change\n",
		(long long)json_int(p, "least", 0));
	for (size_t i = 0; i < json_count(p, "waits"); i++) {
		fputs("  ", stderr);
		print_safe(json_item_text(p, "waits", i), stderr);
		fputc('\n', stderr);
	}
	return EXIT_REFUSED;
}

static int nothing_to_confirm(struct json_object *p _unused_)
{
	fputs("netctl: nothing waits for a confirmation\n", stderr);
	return EXIT_ERROR;
}

static int no_such_generation(struct json_object *p _unused_)
{
	fputs("netctl: there is no such generation (netctl history lists them)\n", stderr);
	return EXIT_ERROR;
}

static int no_such_link(struct json_object *p)
{
	fputs("netctl: there is no link ", stderr);
	print_safe(json_text_or(p, "name", ""), stderr);
	fputs(", and none of that name is declared\n", stderr);
	return EXIT_ERROR;
}

static int permission_denied(struct json_object *p _unused_)
{
	fputs("netctl: not permitted: changing is for root and the group [daemon] admin_group, reading for those and "
	      "read_group\n",
	      stderr);
	return EXIT_DENIED;
}

static int not_known(struct json_object *p)
{
	fputs("netctl: this kvmnetd does not know the request: ", stderr);
	print_safe(json_text_or(p, "method", json_text_or(p, "interface", json_text_or(p, "parameter", "?"))), stderr);
	fputs("; netctl and kvmnetd may be of different versions\n", stderr);
	return EXIT_ERROR;
}

static int invalid_parameter(struct json_object *p)
{
	fputs("netctl: kvmnetd does not accept the request: ", stderr);
	print_safe(json_text_or(p, "parameter", "?"), stderr);
	fputc('\n', stderr);
	return EXIT_ERROR;
}

static const struct {
	const char *name;
	int (*tell)(struct json_object *parameters);
} errors[] = {
	{INTERFACE ".ConfigurationInvalid", configuration_invalid},
	{INTERFACE ".Refused", refused},
	{INTERFACE ".NeedsForce", needs_force},
	{INTERFACE ".PlanChanged", plan_changed},
	{INTERFACE ".Busy", busy},
	{INTERFACE ".TooMuchImpact", too_much_impact},
	{INTERFACE ".ConfirmationPending", confirmation_pending},
	{INTERFACE ".ConfirmTooShort", confirm_too_short},
	{INTERFACE ".NothingToConfirm", nothing_to_confirm},
	{INTERFACE ".NoSuchGeneration", no_such_generation},
	{INTERFACE ".NoSuchLink", no_such_link},
	{"org.varlink.service.PermissionDenied", permission_denied},
	{"org.varlink.service.InvalidParameter", invalid_parameter},
	{"org.varlink.service.MethodNotFound", not_known},
	{"org.varlink.service.MethodNotImplemented", not_known},
	{"org.varlink.service.InterfaceNotFound", not_known},
};

int error_reply(const char *error, struct json_object *parameters)
{
	for (size_t i = 0; i < ARRAY_SIZE(errors); i++)
		if (streq(errors[i].name, error))
			return errors[i].tell(parameters);
	fputs("netctl: kvmnetd reports ", stderr);
	print_safe(error, stderr);
	if (parameters) {
		fputc(' ', stderr);
		print_safe(json_object_to_json_string_ext(parameters, JSON_C_TO_STRING_PLAIN), stderr);
	}
	fputc('\n', stderr);
	return EXIT_ERROR;
}
