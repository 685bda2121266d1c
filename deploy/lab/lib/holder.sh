#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# holder.sh NAME DIR ROOT: runs inside a machine's new namespaces, makes what
# is private to it, then keeps the namespaces open. It is the machine's metal:
# a power-off kills everything but this.
set -eu
name=$1 dir=$2 root=$3
hostname "$name"
cd /
mount --make-rprivate /
ip link set lo up
# no address but the lab's own
echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6 2>/dev/null || :
echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6 2>/dev/null || :

run=$dir/run
mkdir -p "$run" "$dir/lib" "$dir/etc" "$dir/log"
mount -t tmpfs -o mode=755 tmpfs "$run"
mkdir "$run/netns" "$run/tandem-lab" "$run/log" "$run/lock" "$run/postgresql" \
	"$run/lab"
mount --rbind /run/netns "$run/netns"
mount --bind "$root" "$run/tandem-lab"
mount --bind "$dir/log" "$run/log"
mount --bind "$dir/lib" /var/lib
mount --bind "$dir/etc" /etc/tandem
mount -t tmpfs -o mode=1777 tmpfs /dev/shm
mount -n --move "$run" /run

echo ready
exec >/dev/null
exec sleep infinity
