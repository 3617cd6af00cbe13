# kvmnetd: build, install, test. `make help` lists the targets.
#
#   V=1           show the commands
#   CC=clang      another compiler
#   SANITIZE=1    address and undefined behaviour sanitizers (objects go to their own build directory)
#   WERROR=1      warnings are errors (CI)
#   BUILD=DIR     where everything that is made goes

VERSION := 0.1.0
.DEFAULT_GOAL := all
PREFIX ?= /usr
SYSCONFDIR ?= /etc
DESTDIR ?=
SBINDIR ?= $(PREFIX)/sbin
BINDIR ?= $(PREFIX)/bin
LIBDIR ?= $(PREFIX)/lib
DATADIR ?= $(PREFIX)/share
DOCDIR ?= $(DATADIR)/doc/kvmnetd

ifneq ($(V),1)
Q := @
say = @printf '  %-8s %s\n' '$(1)' '$(2)'
endif

ifeq ($(SANITIZE),1)
BUILD ?= build-san
SANFLAGS := -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
endif
BUILD ?= build
CFLAGS ?= -O2 -g
WARN := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wno-missing-field-initializers
ifeq ($(WERROR),1)
WARN += -Werror
endif

# Packages: see README.md, "What it is built from".
DAEMON_PKGS := libnl-3.0 libnl-route-3.0 libmnl libnftables inih libsystemd json-c
CLIENT_PKGS := inih json-c libmnl
ifneq ($(filter-out help clean deps-% uninstall,$(or $(MAKECMDGOALS),all)),)
$(BUILD)/pkgs.mk: Makefile
	@mkdir -p $(@D)
	@tests/deps build
	@{ echo "PKG_CFLAGS := $$(pkg-config --cflags $(DAEMON_PKGS))"; \
	   echo "DAEMON_LIBS := $$(pkg-config --libs $(DAEMON_PKGS))"; \
	   echo "CLIENT_LIBS := $$(pkg-config --libs $(CLIENT_PKGS))"; } > $@.tmp && mv $@.tmp $@
include $(BUILD)/pkgs.mk
endif

BASE_CFLAGS = -std=gnu11 -D_GNU_SOURCE -DKVMNETD_VERSION='"$(VERSION)"' -DKVMNETD_LIBDIR='"$(LIBDIR)/kvmnetd"' -I$(BUILD)/gen $(PKG_CFLAGS)
ALL_CFLAGS = $(BASE_CFLAGS) $(WARN) $(CFLAGS) $(SANFLAGS) -MMD -MP
LINK = $(Q)$(CC) $(CFLAGS) $(SANFLAGS) $(LDFLAGS) -o $@ $^
CORE_DIRS := netd/config netd/model netd/plan
CORE_SRC := netd/file.c netd/util.c $(foreach d,$(CORE_DIRS),$(wildcard $(d)/*.c))
DAEMON_SRC := $(filter-out $(CORE_SRC),$(wildcard netd/*.c)) $(foreach d,netd/kernel netd/host netd/probe netd/reconcile netd/control,$(wildcard $(d)/*.c))
CLIENT_SRC := $(wildcard netctl/*.c)
MANUAL_SRC := $(wildcard netd/manual/*.c)
obj = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))

.PHONY: all
all: $(BUILD)/kvmnetd $(BUILD)/netctl $(BUILD)/man/kvmnetd.ini.5

# The pure core: no descriptor, clock, log or mutable global; daemon, client, tests and fuzzers link it.
$(BUILD)/core.a: $(call obj,$(CORE_SRC))
	$(call say,AR,$@)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$(BUILD)/kvmnetd: $(call obj,$(DAEMON_SRC)) $(BUILD)/core.a
	$(call say,LD,$@)
	$(LINK) $(DAEMON_LIBS)

$(BUILD)/netctl: $(call obj,$(CLIENT_SRC)) $(BUILD)/core.a
	$(call say,LD,$@)
	$(LINK) $(CLIENT_LIBS)

$(BUILD)/obj/%.o: %.c Makefile | $(BUILD)/pkgs.mk $(BUILD)/gen/interface.h
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -c -o $@ $<

# The Varlink interface's text, which the daemon gives to who asks for its description.
$(BUILD)/gen/interface.h: netd/control/io.kvmnetd.Network.varlink Makefile
	$(call say,GEN,$@)
	@mkdir -p $(@D)
	$(Q){ echo '/* Made from $<. */'; echo '#pragma once'; echo 'static const char interface_text[] ='; \
	   sed 's/[\\"]/\\&/g; s/.*/"&\\n"/' $<; echo ';'; } > $@.tmp && mv $@.tmp $@

# The manual of the configuration: its tables come from the option rows themselves.
$(BUILD)/manual: $(call obj,$(MANUAL_SRC)) $(BUILD)/core.a
	$(call say,LD,$@)
	$(LINK) $(CLIENT_LIBS)

$(BUILD)/man/kvmnetd.ini.5: netd/kvmnetd.ini.5 $(BUILD)/manual
	$(call say,MAN,$@)
	@mkdir -p $(@D)
	$(Q)$(BUILD)/manual < $< > $@.tmp && mv $@.tmp $@

# Unit tests: one program per file of that name. A test that needs more than the core says so: LINK_test-NAME := netd/...c
UNIT_SRC := $(wildcard tests/unit/test-*.c)
UNIT_HELPERS := $(filter-out $(UNIT_SRC) tests/unit/toy.c,$(wildcard tests/unit/*.c))
UNIT := $(UNIT_SRC:%.c=$(BUILD)/%)
LINK_test-varlink := tests/unit/toy.c $(wildcard netd/control/varlink*.c)
LINK_test-varlink-limits := $(LINK_test-varlink)
LINK_test-varlink-socket := $(LINK_test-varlink)
LINK_test-encode := $(wildcard netd/kernel/decode*.c netd/kernel/encode*.c)
LINK_test-decode := $(LINK_test-encode)
LINK_test-lacp := netd/kernel/lacp.c
LINK_test-rtnl := netd/kernel/rtnl.c
LINK_test-release := netd/kernel/release.c netd/kernel/rtnl.c
# What the helpers need is linked to every test.
UNIT_HELPERS += netd/kernel/compare.c
LINK_test-ledger := netd/reconcile/ledger-json.c netd/reconcile/values-json.c
LINK_test-restore := netd/reconcile/effective-json.c netd/reconcile/values-json.c
LINK_test-problems := netd/reconcile/problems.c netd/reconcile/left-out.c netd/log.c
LINK_test-state := netd/reconcile/state.c netd/reconcile/state-file.c netd/reconcile/ledger-json.c netd/reconcile/values-json.c

define unit_rule
$(BUILD)/tests/unit/$(1): $(call obj,tests/unit/$(1).c $(UNIT_HELPERS) $(LINK_$(1))) $(BUILD)/core.a
	$$(call say,LD,$$@)
	@mkdir -p $$(@D)
	$$(LINK) $$(DAEMON_LIBS) -lcmocka
endef
$(foreach t,$(UNIT_SRC:tests/unit/%.c=%),$(eval $(call unit_rule,$(t))))

.PHONY: unit
unit: $(UNIT)

# Fuzzers (clang's libFuzzer), built apart with the sanitizers on. FUZZ_SECONDS: for each of them.
FUZZ_SECONDS ?= 20
FUZZ := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/fuzz/*.c))
LINK_fuzz-decode := $(wildcard netd/kernel/decode*.c)
LINK_fuzz-varlink := netd/control/varlink-message.c
LINK_seeds := $(wildcard netd/kernel/encode*.c)

define fuzz_rule
$(BUILD)/tests/fuzz/$(1): $(call obj,tests/fuzz/$(1).c $(LINK_$(1))) $(BUILD)/core.a
	$$(call say,LD,$$@)
	@mkdir -p $$(@D)
	$$(LINK) $(if $(filter fuzz-%,$(1)),-fsanitize=fuzzer) $$(DAEMON_LIBS)
endef
$(foreach t,$(FUZZ:$(BUILD)/tests/fuzz/%=%),$(eval $(call fuzz_rule,$(t))))

.PHONY: fuzz fuzzers
fuzzers: $(FUZZ)
fuzz:
	@$(MAKE) --no-print-directory BUILD=$(BUILD)/fuzz CC=clang CFLAGS='-O1 -g' \
		SANFLAGS='-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined' fuzzers
	@BUILD=$(BUILD)/fuzz FUZZ_SECONDS=$(FUZZ_SECONDS) tests/fuzz/run

-include $(patsubst %.o,%.d,$(call obj,$(CORE_SRC) $(DAEMON_SRC) $(CLIENT_SRC) $(MANUAL_SRC) $(UNIT_SRC) $(UNIT_HELPERS) tests/unit/toy.c $(wildcard tests/fuzz/*.c)))

# What install puts where, as SOURCE:DESTINATION:MODE. uninstall removes exactly these.
UNITS := kvmnetd.service kvmnetd-wait-online.service
MANUALS := netd/kvmnetd.8 $(BUILD)/man/kvmnetd.ini.5 $(wildcard netctl/*.8)
INSTALLED := \
	$(BUILD)/kvmnetd:$(SBINDIR)/kvmnetd:755 \
	$(BUILD)/netctl:$(BINDIR)/netctl:755 \
	$(foreach u,$(UNITS),$(BUILD)/systemd/$(u):$(LIBDIR)/systemd/system/$(u):644) \
	systemd/mark-links:$(LIBDIR)/kvmnetd/mark-links:755 \
	netd/host/dhcp-event:$(LIBDIR)/kvmnetd/dhcp-event:755 \
	systemd/05-kvmnetd.network:$(LIBDIR)/systemd/network/05-kvmnetd.network:644 \
	systemd/85-kvmnetd.rules:$(LIBDIR)/udev/rules.d/85-kvmnetd.rules:644 \
	systemd/firewalld-kvmnetd.xml:$(LIBDIR)/firewalld/zones/kvmnetd.xml:644 \
	systemd/firewalld-kvmnetd-in.xml:$(LIBDIR)/firewalld/policies/kvmnetd-in.xml:644 \
	systemd/modprobe-kvmnetd.conf:$(LIBDIR)/modprobe.d/kvmnetd.conf:644 \
	systemd/rt_protos-kvmnetd.conf:$(SYSCONFDIR)/iproute2/rt_protos.d/kvmnetd.conf:644 \
	netd/control/io.kvmnetd.Network.varlink:$(DATADIR)/varlink/io.kvmnetd.Network.varlink:644 \
	$(foreach m,$(MANUALS),$(m):$(DATADIR)/man/man$(lastword $(subst ., ,$(m)))/$(notdir $(m)):644) \
	$(foreach c,$(wildcard netctl/netctl.bash),$(c):$(DATADIR)/bash-completion/completions/netctl:644) \
	README.md:$(DOCDIR)/README.md:644 \
	$(foreach e,$(wildcard conf/README conf/*/*.ini),$(e):$(DOCDIR)/examples/$(e:conf/%=%):644)
entry = $(subst :, ,$(1))
target = "$(DESTDIR)$(word 2,$(entry))"

# Made anew by every install: PREFIX may be another than the last time. Two installs at once must not read each other's halves.
.PHONY: force
$(BUILD)/systemd/%.service: systemd/%.service force
	@mkdir -p $(@D)
	$(Q)sed 's|@SBINDIR@|$(SBINDIR)|g; s|@BINDIR@|$(BINDIR)|g; s|@LIBDIR@|$(LIBDIR)|g' $< > $@.$$$$ && mv $@.$$$$ $@

define newline


endef

.PHONY: install uninstall
install: all $(UNITS:%=$(BUILD)/systemd/%)
	$(foreach i,$(INSTALLED),$(Q)install -D -m $(word 3,$(call entry,$(i))) $(word 1,$(call entry,$(i))) $(call target,$(i))$(newline)	)
	$(Q)install -d "$(DESTDIR)$(SYSCONFDIR)/kvmnetd"

# The configuration directory goes only when it is empty: what is in it is the operator's.
uninstall:
	$(foreach i,$(INSTALLED),$(Q)rm -f $(call target,$(i))$(newline)	)
	$(Q)for dir in $(LIBDIR)/kvmnetd $(patsubst conf/%/,$(DOCDIR)/examples/%,$(sort $(dir $(wildcard conf/*/*.ini)))) \
		$(DOCDIR)/examples $(DOCDIR) $(SYSCONFDIR)/kvmnetd; do \
		rmdir --ignore-fail-on-non-empty "$(DESTDIR)$$dir" 2>/dev/null || true; done

# Tests are scripts of their own, which say what they do; these are their names for make.
.PHONY: check soak demo lint
check soak: all unit deps-check
	@BUILD=$(BUILD) $(if $(filter soak,$@),SOAK=1) tests/check

demo: all deps-check
	@BUILD=$(BUILD) tests/demo

# What the bench compares with: the cheapest messages known for the same end state.
$(BUILD)/floor: $(call obj,tests/bench/floor.c)
	$(call say,LD,$@)
	$(LINK) $(CLIENT_LIBS)

# A packet a millisecond, for the outage.
$(BUILD)/pulse: $(call obj,tests/bench/pulse.c)
	$(call say,LD,$@)
	$(LINK)

.PHONY: bench bench-outage
bench: all $(BUILD)/floor deps-bench
	@BUILD=$(BUILD) tests/bench/run

bench-outage: all $(BUILD)/pulse deps-check
	@BUILD=$(BUILD) tests/bench/outage

lint: $(BUILD)/core.a $(BUILD)/man/kvmnetd.ini.5 deps-lint
	@BUILD=$(BUILD) CFLAGS="-I$(BUILD)/gen $(PKG_CFLAGS)" tests/lint

.PHONY: deps-build deps-check deps-bench deps-lint
deps-build deps-check deps-bench deps-lint: deps-%:
	@tests/deps $*

.PHONY: clean
clean:
	rm -rf $(BUILD)

.PHONY: help
help:
	@printf '%s\n' \
		'make             builds $(BUILD)/kvmnetd and $(BUILD)/netctl' \
		'make demo        shows it at work on a throw-away network, in under a minute' \
		'make check       runs all tests; the last line counts them' \
		'make soak        runs the long forms of the tests' \
		'make bench       measures it beside ip -batch in a guest, within 40 minutes' \
		'make bench-outage  measures how long a host is out of reach while its NIC moves into a bridge' \
		'make fuzz        feeds rubbish to the parsers, FUZZ_SECONDS=$(FUZZ_SECONDS) each (needs clang)' \
		'make lint        clang-format, clang-tidy, cppcheck, shellcheck, manuals' \
		'make install     installs (DESTDIR= PREFIX=$(PREFIX) SYSCONFDIR=$(SYSCONFDIR))' \
		'make uninstall   removes what install put there' \
		'make deps-build  installs what building needs; deps-check and deps-lint: what testing needs' \
		'make clean       removes $(BUILD)' \
		'Variables: V=1 CC=clang SANITIZE=1 WERROR=1 BUILD=DIR (see the top of the Makefile)'
