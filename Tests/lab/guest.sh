#!/bin/sh
# Process 1 of the guest, in its real root: devices, network, and the agent that runs the host's commands.
# The environment comes from init.sh: LAB_MODULES, LAB_PYTHON, LAB_AGENT, LAB_VERSION, PATH.

file_systems() {
    busybox mount -t sysfs sysfs /sys
    busybox mount -t devtmpfs devtmpfs /dev
    mkdir -p /dev/pts /dev/shm /lab "/lib/modules/$LAB_VERSION"
    busybox mount -t devpts -o gid=5,mode=620,ptmxmode=666 devpts /dev/pts
    busybox mount -t tmpfs tmpfs /dev/shm
    busybox mount -t tmpfs tmpfs /run
    busybox mount -t 9p -o trans=virtio,version=9p2000.L,msize=262144 lab /lab
    busybox mount --bind "$LAB_MODULES/$LAB_VERSION" "/lib/modules/$LAB_VERSION"
}

devices() {
    # udev names the cameras (/dev/v4l/by-id); only what tests touch is sent through it, the rest costs seconds.
    if test -x /lib/systemd/systemd-udevd; then
        /lib/systemd/systemd-udevd --daemon
        udevadm trigger --subsystem-match=usb --subsystem-match=video4linux --subsystem-match=media
    fi
}

network() {
    busybox hostname lab
    busybox ip link set lo up
    number=2
    for card in /sys/class/net/eth*; do
        test -e "$card" || return
        busybox ip link set "${card##*/}" up
        busybox ip address add "10.0.$number.15/24" dev "${card##*/}"
        number=$((number + 1))
    done
    busybox ip route add default via 10.0.2.2
    for card in /sys/class/net/eth*; do         # see init.sh
        tenths=0
        while test "$(cat "$card/carrier")" = 0; do
            sleep 0.1
            tenths=$((tenths + 1))
            if test $((tenths % 100)) = 0; then
                echo "lab: ${card##*/} has no link after $((tenths / 10)) s: it is taken down and up" >&2
                busybox ip link set "${card##*/}" down
                busybox ip link set "${card##*/}" up
                busybox ip route replace default via 10.0.2.2
            fi
        done
    done
}

file_systems
echo "lab: agent"
mkfifo /run/prepared
{ devices; echo "lab: devices are there" >&2; network; echo "lab: network is there" >&2; } > /run/prepared &     # Python takes 2 s to start: meanwhile …

# -I -S: nothing of the user's Python set-up, and half a second less.
"$LAB_PYTHON" -I -S "$LAB_AGENT"
busybox poweroff -f
