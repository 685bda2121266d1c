# SPDX-License-Identifier: GPL-2.0-or-later
# For NAME.startup files: `. "$LAB_LIB/startup.sh"`.
# shellcheck shell=bash
set -eu

# daemon NAME CMD...: in the background, its output in the machine's
# /run/log/NAME.log, its process id in /run/lab/NAME.pid.
daemon() {
	local name=$1
	shift
	command -v "$1" >/dev/null || {
		echo "$name: $1 is not built" >&2
		return 1
	}
	mkdir -p /run/lab
	setsid "$@" </dev/null >>"/run/log/$name.log" 2>&1 &
	echo $! >"/run/lab/$name.pid"
}

# service NAME CMD...: a daemon that is started again whenever it ends (see
# supervise.sh); td-service(1) of the lab stops and starts it.
service() {
	command -v "$2" >/dev/null || {
		echo "$1: $2 is not built" >&2
		return 1
	}
	mkdir -p /run/lab
	setsid "$LAB_LIB/supervise.sh" "$@" </dev/null \
		>>"/run/log/$1.log" 2>&1 &
	until [ -s "/run/lab/$1.pid" ]; do
		sleep 0.02
	done
}

# await SECONDS WHAT CMD...: until CMD succeeds.
await() {
	local end=$((SECONDS + $1)) what=$2
	shift 2
	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -lt $end ] || {
			echo "$what: not there" >&2
			return 1
		}
		sleep 0.1
	done
}

# neighbours DEV < "address mac" lines: for good, so that no packet of a line
# waits for address resolution (and then comes as a burst).
neighbours() {
	local dev=$1 address mac
	while read -r address mac; do
		ip -o addr show dev "$dev" | grep -qF " $address/" ||
			ip neigh replace "$address" lladdr "$mac" dev "$dev" \
				nud permanent
	done
}
