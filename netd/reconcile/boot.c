/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Purpose: a start: which configuration is to run, and when the daemon is ready. The first start after a boot applies
 * the files; a later one resumes what was last applied. A start never ends without network: files that do not check
 * fall back to the last applied generation, and absent devices are waited for a few seconds at most.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-id128.h>

#include "../log.h"
#include "journal.h"
#include "manager.h"
#include "state-file.h"
#include "subnets.h"

static bool concerns_host(const struct ledger *l)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->list[i]->common && (l->list[i]->common->set & LINK_SELF_ROWS))
			return true;
	return false;
}

/* Of the directory itself: that works where nothing can be written, too. */
static int lock_directory(const char *path, const char *what)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0) {
		log_error("%s: %s", path, strerror(errno));
		return -errno;
	}
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		log_error("%s: another kvmnetd runs with this %s directory", path, what);
		close(fd);
		return -EBUSY;
	}
	return fd;
}

static int take_locks(struct manager *m)
{
	m->runtime_lock = lock_directory(m->dirs.runtime, "runtime");
	if (m->runtime_lock < 0)
		return m->runtime_lock;
	m->state_lock = lock_directory(m->dirs.state, "state");
	return m->state_lock < 0 ? m->state_lock : 0;
}

static int make_directories(const struct manager *m)
{
	const char *const list[] = {m->dirs.runtime, m->dirs.state};

	for (size_t i = 0; i < ARRAY_SIZE(list); i++)
		if (mkdir(list[i], 0755) < 0 && errno != EEXIST) {
			log_error("%s: %s", list[i], strerror(errno));
			return -errno;
		}
	return 0;
}

void manager_log_diags(const struct diags *d)
{
	for (size_t i = 0; i < d->n; i++) {
		_cleanup_free_ char *text = PRINT_TEXT(diag_print_bare, &d->list[i]);

		log_print(d->list[i].severity == SEVERITY_ERROR ? LOG_ERR : LOG_WARNING, "%s", text);
	}
}

/* Parses; NULL when there are errors, which are logged. */
struct config *manager_parse(const struct manager *m, const struct config_files *files)
{
	struct diags d = DIAGS_NULL;
	struct config *c = config_parse(files, &d);

	subnets_settle(&m->dirs, c, m->kernel, host_libvirt(m->host), &d);
	manager_log_diags(&d);
	if (d.n_errors)
		c = config_free(c);
	diags_done(&d);
	return c;
}

bool manager_use_generation(struct manager *m, uint32_t number)
{
	struct config_files files = {0};
	struct config *c = NULL;
	int64_t when;

	if (number && generation_load(&m->dirs, number, &files, &when) == 0)
		c = manager_parse(m, &files);
	if (c)
		manager_set_config(m, c, &files, number, when);
	config_files_done(&files);
	return c != NULL;
}

static bool use_newest_generation(struct manager *m)
{
	_cleanup_free_ uint32_t *list = NULL;
	size_t n = generations_list(&m->dirs, &list);

	while (n-- > 0)
		if (manager_use_generation(m, list[n]))
			return true;
	return false;
}

static void store_if_new(struct manager *m, const struct config_files *files, struct config *c)
{
	_cleanup_free_ uint32_t *list = NULL;
	size_t n = generations_list(&m->dirs, &list);
	struct config_files newest = {0};
	char digest[17], newest_digest[17] = "";
	int64_t when = 0, number;

	config_files_digest(files, digest);
	if (n && generation_load(&m->dirs, list[n - 1], &newest, &when) == 0)
		config_files_digest(&newest, newest_digest);
	config_files_done(&newest);
	if (streq(digest, newest_digest)) {
		manager_set_config(m, c, files, list[n - 1], when);
		return;
	}
	m->fallback = n && m->is_boot ? list[n - 1] : 0;
	number = generation_store(&m->dirs, files, NULL, "the files of a start");
	if (number < 0)
		log_warning("the configuration could not be stored: %s", strerror((int)-number));
	manager_set_config(m, c, files, number < 0 ? 0 : (uint32_t)number, (int64_t)time(NULL));
}

static void tell_boot_problem(struct manager *m, const char *text)
{
	manager_problem(m, NULL, false, "%s; netctl apply ends this", text);
}

/* A problem that lasts until an apply: later starts of this boot that find the same generation tell it, too. */
static void boot_problem(struct manager *m, const char *text)
{
	struct json_object *json = json_object_new_object();
	int r;

	tell_boot_problem(m, text);
	json_object_object_add(json, "generation", json_object_new_int64(m->generation));
	json_object_object_add(json, "text", json_object_new_string(text));
	r = runtime_write(&m->dirs, BOOT_PROBLEM, json);
	if (r < 0)
		log_warning("%s/" BOOT_PROBLEM ".json: %s", m->dirs.runtime, strerror(-r));
}

static void retell_boot_problem(struct manager *m)
{
	_cleanup_json_ struct json_object *json = runtime_read(&m->dirs, BOOT_PROBLEM);
	_cleanup_free_ char *text = json_string_of(json, "text");

	if (text && json_object_get_int64(json_object_object_get(json, "generation")) == m->generation)
		tell_boot_problem(m, text);
}

bool manager_fall_back(struct manager *m, const char *why)
{
	uint32_t number = m->fallback;
	_cleanup_free_ char *text = NULL;

	m->fallback = 0;
	if (!number || m->ready || !manager_use_generation(m, number))
		return false;
	generations_forget(&m->dirs, number);
	manager_unsettle(m);
	text = xasprintf("degraded: the files in %s, which were not applied before, do not come up (%s); the last "
			 "applied configuration (generation %" PRIu32 ") runs instead",
			 m->dirs.config, why, number);
	boot_problem(m, text);
	return true;
}

void manager_use_nothing(struct manager *m)
{
	const struct config_files none = {0};

	manager_set_config(m, config_new(), &none, 0, 0);
}

static void use_files(struct manager *m)
{
	struct config_files files = {0};
	struct diags d = DIAGS_NULL;
	int r = config_files_read_dir(&files, m->dirs.config, &d);
	_cleanup_free_ char *text = NULL;
	struct config *c = NULL;

	manager_log_diags(&d);
	diags_done(&d);
	if (r == 0)
		c = manager_parse(m, &files);
	if (c) {
		store_if_new(m, &files, c);
		subnets_keep(&m->dirs, m->config, NULL);
	} else if (use_newest_generation(m)) {
		text = xasprintf("degraded: the files in %s do not check; the last applied configuration (generation "
				 "%" PRIu32 ") runs instead",
				 m->dirs.config, m->generation);
		boot_problem(m, text);
	} else {
		manager_use_nothing(m);
		manager_problem(m, NULL, false, "degraded: the files in %s do not check and none were applied before",
				m->dirs.config);
	}
	config_files_done(&files);
}

static void count_missing(const char *name _unused_, void *userdata)
{
	++*(size_t *)userdata;
}

/* Of what the kernel refused its problem was logged. */
static void log_missing(const char *name, void *userdata)
{
	const struct manager *m = userdata;

	if (names_has(&m->left_out, name))
		return;
	log_warning("%s is not there; it is taken in when it appears", name);
}

/*
 * Told to later starts of this boot: that everything which was there has been configured. One that finds a start cut
 * short goes on with it, and what that left half done is no drift.
 */
static void note_ready(const struct manager *m)
{
	int r = runtime_write(&m->dirs, "ready", json_object_new_boolean(true));

	if (r < 0)
		log_warning("%s/ready.json: %s: a restart would put back drift", m->dirs.runtime, strerror(-r));
}

static bool was_ready(const struct manager *m)
{
	_cleanup_json_ struct json_object *ready = runtime_read(&m->dirs, "ready");

	return json_object_get_boolean(ready);
}

static void become_ready(struct manager *m)
{
	const struct diags *problems;

	if (m->ready)
		return;
	problems = &manager_wanted(m)->problems;
	m->ready = true;
	if (!m->was_ready)
		note_ready(m);
	sd_event_source_set_enabled(m->boot_timer, SD_EVENT_OFF);
	manager_missing(m, log_missing, m);
	manager_schedule_repair(m); /* what udev had not finished with is taken in now */
	for (size_t i = 0; i < problems->n; i++) {
		_cleanup_free_ char *text = PRINT_TEXT(diag_print_bare, &problems->list[i]);

		/* A warning is one as long as it holds. */
		if (problems->list[i].severity == SEVERITY_ERROR)
			manager_problem(m, NULL, false, "%s", text);
		else
			log_warning("%s", text);
	}
	manager_forget_wanted(m);
	if (m->became_ready)
		m->became_ready(m, m->userdata);
	if (m->changed)
		m->changed(m, m->userdata);
}

static int waited_enough(sd_event_source *s _unused_, uint64_t usec _unused_, void *userdata)
{
	struct manager *m = userdata;

	/* While a transaction runs, this is asked for when it is done. */
	if (!m->transaction)
		become_ready(m);
	return 0;
}

/* No event of the kernel tells that udev has finished with a NIC, so while something is missing one looks again. */
#define LOOK_AGAIN_USEC (100 * 1000)

static int look_again(sd_event_source *s, uint64_t usec, void *userdata)
{
	struct manager *m = userdata;

	if (m->ready)
		return 0;
	if (access("/run/udev/control", F_OK) == 0)
		manager_schedule_repair(m);
	sd_event_source_set_time(s, usec + LOOK_AGAIN_USEC);
	return sd_event_source_set_enabled(s, SD_EVENT_ONESHOT);
}

void manager_check_waited(struct manager *m)
{
	if (sd_event_source_get_enabled(m->boot_timer, NULL) == 0)
		become_ready(m);
}

/* Ready as soon as nothing is missing, or the wait is over. */
void manager_check_ready(struct manager *m)
{
	size_t missing = 0;

	if (m->ready)
		return;
	manager_missing(m, count_missing, &missing);
	if (!missing)
		become_ready(m);
	else
		manager_check_waited(m);
}

/*
 * What runs without a number is nothing, or files that could not be stored (a full disk): those made something, unless
 * that is what is being undone.
 */
static bool ran_nothing(const struct manager *m, uint32_t generation)
{
	return !m->is_boot && generation == 0 && (m->going_back || m->ledger.n == 0);
}

static void choose_config(struct manager *m, uint32_t generation)
{
	_cleanup_free_ char *text = NULL;

	if (!m->is_boot && manager_use_generation(m, generation)) {
		log_info("resuming generation %" PRIu32 " of this boot", generation);
		retell_boot_problem(m);
	} else if (ran_nothing(m, generation)) {
		manager_use_nothing(m);
		manager_problem(m, NULL, false,
				"nothing was applied in this boot, so a restart applies nothing; netctl apply applies "
				"the files in %s",
				m->dirs.config);
	} else if (m->is_boot && unconfirmed_is_marked(&m->dirs) && !generation_newest(&m->dirs)) {
		manager_use_nothing(m);
		manager_problem(m, NULL, false,
				"started with no configuration: the files in %s were never confirmed, and none were "
				"applied before; netctl apply ends this",
				m->dirs.config);
	} else if (m->is_boot && unconfirmed_is_marked(&m->dirs) && use_newest_generation(m)) {
		text = xasprintf("started with the last confirmed configuration (generation %" PRIu32
				 "), not with the files in %s, which were never confirmed",
				 m->generation, m->dirs.config);
		boot_problem(m, text);
	} else {
		/* They may have been edited since: the operator is told. */
		if (!m->is_boot && generation)
			manager_problem(m, NULL, false,
					"degraded: generation %" PRIu32 ", which ran before this restart, cannot be "
					"read in %s, so the files are used as at a boot; netctl apply ends this",
					generation, m->dirs.state);
		use_files(m);
	}
	/* A later start of this boot finds that this was one, also when it had nothing to do. */
	if (m->is_boot && state_save(&m->dirs, &m->ledger, m->generation) < 0)
		log_error("the ledger could not be written");
}

void manager_extend_start(uint64_t usec)
{
	sd_notifyf(false, "EXTEND_TIMEOUT_USEC=%" PRIu64, usec);
}

int manager_start(struct manager *m)
{
	sd_id128_t id = SD_ID128_NULL;
	uint64_t wait, at;
	uint32_t generation;
	bool recovered;
	int r;

	r = make_directories(m);
	if (r == 0)
		r = take_locks(m);
	if (r < 0)
		return r;
	if (sd_id128_get_machine(&id) < 0)
		log_warning("/etc/machine-id cannot be read: addresses of `mac = stable` depend on the name alone");
	memcpy(m->machine_id, id.bytes, sizeof(m->machine_id));
	r = kernel_open(&m->kernel, m->event, manager_kernel_changed, m);
	if (r < 0) {
		log_error("rtnetlink: %s", strerror(-r));
		return r;
	}
	m->is_boot = state_load(&m->dirs, &m->ledger, &generation) < 0;
	m->concerned_host = concerns_host(&m->ledger);
	m->was_ready = !m->is_boot && was_ready(m);
	manager_load_guests(m);
	m->host = host_new(m->event, &(struct host_setup){
					     .state_dir = m->dirs.state,
					     .runtime_dir = m->dirs.runtime,
					     .lib_dir = m->lib_dir,
					     .is_boot = m->is_boot,
					     .changed = manager_host_changed,
					     .userdata = m,
				     });
	kernel_set_host(m->kernel, manager_host_write, m);
	manager_resume_holds(m);
	recovered = manager_recover(m, generation);
	if (!m->config)
		choose_config(m, generation);
	wait = values_num(m->config->daemon, DAEMON_BOOT_WAIT, 5000) * 1000;
	manager_extend_start(wait + 60ull * 1000 * 1000);
	sd_event_now(m->event, CLOCK_MONOTONIC, &at);
	r = sd_event_add_time(m->event, &m->boot_timer, CLOCK_MONOTONIC, at + wait, 1000, waited_enough, m);
	if (r >= 0)
		r = sd_event_add_time(m->event, &m->udev_timer, CLOCK_MONOTONIC, at + LOOK_AGAIN_USEC, 1000, look_again,
				      m);
	if (r < 0)
		return r;
	/* What was cut short is undone first; what is wanted comes after that (manager_transaction_done()). */
	if (!recovered || !m->transaction)
		manager_run(m);
	return 0;
}
