#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# supervise.sh NAME CMD...: what systemd does for CMD under Restart=always,
# RestartSec=100ms: whatever ends it, it is started again, until
# /run/lab/NAME.stop is there (td-service makes it). In NAME.pid the program's
# own process, in NAME.restarts how often it was started again.
set -u
name=$1 restarts=0
shift
cd /run/lab || exit 1
printf '%s\0' "$@" >"$name.cmd"
echo $$ >"$name.sup"
echo 0 >"$name.restarts"
while :; do
	"$@" &
	echo $! >"$name.pid"
	wait $!
	rc=$?
	rm -f "$name.pid"
	[ ! -e "$name.stop" ] || break
	echo "supervise: $name ended with status $rc; it is started again"
	sleep 0.1
	[ ! -e "$name.stop" ] || break
	restarts=$((restarts + 1))
	echo $restarts >"$name.restarts"
done
rm -f "$name.sup"
