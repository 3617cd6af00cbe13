# SPDX-License-Identifier: GPL-2.0-or-later
# Completion of netctl for bash. Names of links come from sysfs: it must answer at once, also without the daemon.
# shellcheck shell=bash

# The first word that is no option and no option's argument. Sets `verb`.
_netctl_verb() {
	local i
	verb=
	for ((i = 1; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		--socket | --runtime-dir | --plan | --timeout | --confirm | --max-impact | --for) ((++i)) ;;
		-*) ;;
		*)
			verb=${COMP_WORDS[i]}
			return
			;;
		esac
	done
}

_netctl() {
	local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} verb
	local options='--json --socket --runtime-dir --no-color --no-pager --help --version'
	COMPREPLY=()
	case $previous in
	--socket)
		mapfile -t COMPREPLY < <(compgen -f -- "$current")
		return
		;;
	--runtime-dir)
		mapfile -t COMPREPLY < <(compgen -d -- "$current")
		return
		;;
	--plan | --timeout | --confirm | --max-impact | --for) return ;;
	esac
	_netctl_verb
	case $verb in
	status) options+=' --all --check' ;;
	apply) options+=' --plan --force --confirm --max-impact' ;;
	rollback) options+=' --force' ;;
	hold) options+=' --for' ;;
	wait) options+=' --timeout' ;;
	esac
	if [[ $current == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$options" -- "$current")
		return
	fi
	case $verb in
	'') mapfile -t COMPREPLY < <(compgen -W 'status check plan apply confirm rollback history hold release leases wait monitor' -- "$current") ;;
	status | wait) mapfile -t COMPREPLY < <(cd /sys/class/net 2>/dev/null && compgen -G "$current*") ;;
	check | plan) mapfile -t COMPREPLY < <(compgen -f -- "$current") ;;
	esac
}

complete -o filenames -F _netctl netctl
