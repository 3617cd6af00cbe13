# shellcheck shell=bash
# Sourced by tests/guest/run and tests/guest/systemd: fetches the kernel, makes the initrd, starts QEMU.
#
# Leaves behind, in ${KVMNETD_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/kvmnetd}: kernel/ (what is needed of Debian's package) and
# initrd-*.img. Both are reused without network for as long as they are there; remove kernel/ to get a newer one.

# The distribution's own tools, not what a developer's PATH has in front of them.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin

guest=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
name=$(basename "$0")
cpus=2 mem=1536 prealloc=off seconds=600 results=
qemu_args=() append=()

say() { printf '%s: %s\n' "$name" "$*" >&2; }
die() { say "$*"; exit 125; }

# Whatever fails here is no result of the command to be run.
set -E
trap 'die "failed: ${BASH_SOURCE[0]} line $LINENO"' ERR

# option NAME VALUE: takes one of the options that both scripts know; false when it is another.
option() {
	case $1 in
	--cpus) cpus=$2 ;;
	--mem) mem=$2 ;;
	--prealloc) [[ $2 == on || $2 == off ]] && prealloc=$2 ;;
	--timeout) seconds=$2 ;;
	--results) mkdir -p "$2" && results=$(cd "$2" && pwd -P) ;;
	*) return 1 ;;
	esac
}

# Opens the cache and holds its lock (file descriptor 9) until unlock, so that two runs do not fill it at once.
lock() {
	cache=${KVMNETD_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/kvmnetd}
	mkdir -p "$cache" || die "cannot make the cache directory $cache; set KVMNETD_CACHE"
	cache=$(cd "$cache" && pwd -P)
	exec 9>"$cache/lock"
	flock 9
	# What is being made stands here until it is complete. Holding the lock, whatever is here was left by a killed run.
	new=$cache/new
	rm -rf "$new"
	mkdir "$new"
}

unlock() {
	rm -rf "$new"
	exec 9>&-
}

# Fetches the package that linux-image-amd64 depends on and unpacks it; nothing is installed.
fetch_kernel() {
	local package
	package=$(apt-cache depends linux-image-amd64 2>/dev/null | sed -n 's/^ *Depends: *\(linux-image-[^ ]*\).*/\1/p' | head -n 1)
	[[ $package ]] || return 1
	say "first run: fetching $package (about 70 MB) into $cache"
	(cd "$new" && apt-get -qq download "$package" 2>"$new/log") || { cat "$new/log" >&2; return 1; }
	dpkg -x "$new"/linux-image-*.deb "$new/kernel"
}

# unpack_vmlinux VMLINUZ VMLINUX: takes the kernel out of its xz. Left to the guest, emulated, that takes five seconds.
unpack_vmlinux() {
	local sectors offset
	# The fields setup_sects and payload_offset of the boot protocol.
	sectors=$(od -An -tu1 -j $((0x1f1)) -N 1 "$1")
	offset=$(od -An -tu4 -j $((0x248)) -N 4 "$1")
	# cat takes what follows the xz stream, for tail would fail if nobody did.
	tail -c +$(((sectors + 1) * 512 + offset + 1)) "$1" | { xz -dc --single-stream >"$2" && cat >/dev/null; }
}

need_kernel() {
	if [[ ! -d $cache/kernel ]]; then
		# Package lists that are absent or out of date are the usual reason for a failure; only root can renew them.
		fetch_kernel || { ((EUID == 0)) && apt-get -o DPkg::Lock::Timeout=600 -qq update >&2 && fetch_kernel; } ||
			die "cannot fetch the kernel; try 'apt-get update' as root"
		# The package leaves modules.dep to its installation.
		depmod -b "$new/kernel" "$(basename "$new"/kernel/lib/modules/*)"
		unpack_vmlinux "$new"/kernel/boot/vmlinuz-* "$new/kernel/vmlinux"
		rm -r "$new"/kernel/{boot,usr}
		mv "$new/kernel" "$cache/kernel"
	fi
	release=$(basename "$cache"/kernel/lib/modules/*)
}

# add_modules KIND MODULES...: copies them and what they need, and writes the order to load them in.
add_modules() {
	local file kind=$1
	shift
	modprobe -d "$cache/kernel" -S "$release" -a --show-depends "$@" |
		sed -n 's/^insmod \(.*\.ko\).*/\1/p' | awk '!seen[$0]++' >"$new/modules"
	while read -r file; do
		cp "$file" "$root/modules/"
		basename "$file" >>"$root/modules/$kind"
	done <"$new/modules"
}

# A static busybox, the modules that lead to the root file system, and the init script.
need_initrd() {
	local hash root=$new/initrd
	hash=$(cat "$guest/lib.sh" "$guest/init" | sha256sum | cut -c1-16)
	initrd=$cache/initrd-$release-$hash.img
	[[ -e $initrd ]] && return
	mkdir -p "$root"/{bin,modules,proc,sys,dev,lower,upper,root}
	cp "$(command -v busybox)" "$root/bin/busybox"
	install -m 755 "$guest/init" "$root/init"
	add_modules host virtio_pci 9pnet_virtio 9p overlay
	add_modules image virtio_pci 9pnet_virtio 9p overlay virtio_blk ext4
	(cd "$root" && find . | cpio --quiet -o -H newc -R 0:0 | gzip -1) >"$new/initrd.img"
	# Older ones stay: a run that is just starting may be about to read one.
	mv "$new/initrd.img" "$initrd"
}

# share TAG DIR [OPTIONS]: offers a directory of this machine to the guest. Without root the owner of a file cannot be set;
# security_model=none lets that pass.
share() {
	qemu_args+=(-virtfs "local,path=${2//,/,,},mount_tag=$1,security_model=none,multidevs=remap${3:+,$3}")
}

# Makes the directory through which a job goes in (script "job") and its exit status comes out (file "status").
make_job() {
	job=$(mktemp -d)
	trap 'stop; rm -rf "$job"' EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP
}

stop() {
	[[ ${qemu_pid:-} ]] && kill "$qemu_pid" 2>/dev/null && wait "$qemu_pid"
	return 0
}

# write_job DIRECTORY COMMAND ARGS...: what the guest runs, and what brings output and status out of it.
write_job() {
	local var
	{
		printf 'export PATH=%s HOME=/root TERM=dumb LANG=C.UTF-8 RESULTS=/run/results\n' "$PATH"
		for var in ${GUEST_ENV:-}; do
			if [[ -v $var ]]; then printf 'export %s=%q\n' "$var" "${!var}"; fi
		done
		printf 'cd %q || exit 125\nexec' "$1"
		printf ' %q' "${@:2}"
		echo
	} >"$job/job"

	cat >"$job/init" <<'END'
#!/bin/bash
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
ip link set lo up
# Output unchanged: no carriage returns.
stty -F /dev/ttyS1 115200 raw -echo
setsid --wait /bin/bash /run/guest/job </dev/null >/dev/ttyS1 2>&1
status=$?
# stty waits until the port has sent everything.
stty -F /dev/ttyS1 raw -echo
[[ -d /run/systemd/system && $status != 0 ]] && journalctl -b >/run/results/journal.log 2>&1
echo "$status" >/run/guest/status
# Off at once.
echo o >/proc/sysrq-trigger
exec sleep 1000
END
	chmod 755 "$job/init"
}

# Starts QEMU and waits for its end. First serial port: the kernel's console, into a file. Second: the job's output, to our stdout.
run_qemu() {
	local rc=0
	timeout --kill-after=5 "$seconds" qemu-system-x86_64 "$@" -smp "$cpus" -m "$mem" \
		-object "memory-backend-ram,id=memory,size=${mem}M,prealloc=$prealloc" -machine memory-backend=memory \
		-nodefaults -display none -no-reboot \
		-kernel "$cache/kernel/vmlinux" -initrd "$initrd" \
		-append "console=ttyS0 quiet panic=-1 oops=panic watchdog_thresh=30 sysctl.kernel.softlockup_panic=1 ${append[*]}" \
		-chardev "file,id=console,path=${console//,/,,}" -serial chardev:console \
		-chardev stdio,id=output -serial chardev:output \
		"${qemu_args[@]}" </dev/null &
	qemu_pid=$!
	wait "$qemu_pid" || rc=$?
	qemu_pid=
	return "$rc"
}

# Boots the guest, streams what the job prints, and exits with its status.
boot() {
	local accel=(-accel "tcg,thread=multi" -cpu max) rc=0 status tries console=$job/console
	# /dev/kvm is not enough: it can be there without the processor's support, and the guest then hangs.
	if grep -qE '\<(vmx|svm)\>' /proc/cpuinfo && [[ -w /dev/kvm ]]; then
		accel=(-accel kvm -cpu host)
	fi
	share job "$job"
	share modules "$cache/kernel/lib/modules" readonly=on
	if [[ $results ]]; then
		share results "$results"
		console=$results/console.log
	fi
	# The kernel counts ten ticks of the timer as its very first deed (arch/x86/kernel/apic/io_apic.c, timer_irq_works), and
	# panics when this machine gave the emulator no processor meanwhile. Nothing of the job has run then. The kernel can be
	# told not to count (no_timer_check), but emulated it is then two to three times as slow.
	for tries in {1..10}; do
		rc=0
		run_qemu "${accel[@]}" || rc=$?
		grep -qs "IO-APIC + timer doesn't work" "$console" || break
		say "the guest's kernel missed ticks of its timer ($tries of 10); booting it again"
	done
	status=$(cat "$job/status" 2>/dev/null) || status=
	[[ $status ]] && exit "$status"
	if grep -qs 'Kernel panic - not syncing: softlockup' "$console"; then
		say "the guest's kernel locked up; the end of its console:"
		rc=126
	elif ((rc == 124 || rc == 137)); then
		say "no end after $seconds seconds; the end of the guest's console:"
		rc=124
	else
		say "the guest did not come up, or crashed (qemu: $rc); the end of its console:"
		rc=125
	fi
	tail -n 40 "$console" >&2 || true
	exit "$rc"
}
