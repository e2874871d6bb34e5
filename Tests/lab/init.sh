#!/bin/busybox sh
# The first program of the guest, in its initramfs: makes the host's files the guest's root, and goes there.
# /settings (kernel.py writes it) tells where things are.
set -e
export PATH=/bin
. /settings

busybox mount -t proc proc /proc
echo "lab: modules"         # on the console, which is looked at where a guest does not get far
for module in /modules/*; do busybox insmod "$module"; done

for card in eth0 eth1; do busybox ip link set $card up 2>/dev/null || true; done      # an e1000e needs 3 s to find its link

echo "lab: files"
# The host's files are read-only; whatever the guest writes lands in memory and is gone with it.
busybox mount -t 9p -o trans=virtio,version=9p2000.L,ro,cache=loose,msize=262144 root /host
busybox mount -t tmpfs -o size=75% tmpfs /cover
busybox mkdir /cover/upper /cover/work
busybox mount -t overlay -o lowerdir=/host,upperdir=/cover/upper,workdir=/cover/work overlay /merged

busybox mount --move /proc /merged/proc
echo "lab: guest.sh"
exec busybox switch_root /merged /bin/sh "$LAB_GUEST"
