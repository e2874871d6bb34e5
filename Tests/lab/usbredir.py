#!/usr/bin/env python3
"""The usb-redir protocol, as the side that has the device speaks it to QEMU's usb-redir device.

A packet is a header (type, length, id) and a body. QEMU asks with an id; every question gets one answer with that id.
"""

import collections
import socket
import struct

HELLO, DEVICE_CONNECT, DEVICE_DISCONNECT, RESET, INTERFACE_INFO, EP_INFO = range(6)
SET_CONFIGURATION, GET_CONFIGURATION, CONFIGURATION_STATUS = 6, 7, 8
SET_ALT_SETTING, GET_ALT_SETTING, ALT_SETTING_STATUS = 9, 10, 11
CANCEL_DATA_PACKET = 21
CONTROL_PACKET, BULK_PACKET = 100, 101

SUCCESS, CANCELLED, INVALID, IO_ERROR, STALL = range(5)
SPEED_HIGH = 2
TYPE_CONTROL, TYPE_BULK, TYPE_INVALID = 0, 2, 255

# QEMU refuses a device on xHCI unless these are announced: connect_device_version, ep_info_max_packet_size,
# 64bits_ids, 32bits_bulk_length.
CAPABILITIES = 1 << 1 | 1 << 4 | 1 << 5 | 1 << 6

HELLO_HEADER = struct.Struct("<III")        # only the hello has an id of 32 bits
HEADER = struct.Struct("<IIQ")
CONTROL = struct.Struct("<BBBBHHH")         # endpoint, request, type, status, value, index, length
BULK = struct.Struct("<BBHIH")              # endpoint, status, length, stream, high half of the length
BULK_REPLY = struct.Struct("<IIQBBHIH")     # both headers in one, for speed
ENDPOINTS = 32                              # the tables of ep_info: 16 out, then 16 in

Packet = collections.namedtuple("Packet", "type id body")
Setup = collections.namedtuple("Setup", "endpoint request type status value index length")


class Connection:
    """The line to QEMU. To make one is to plug the device in; to close it, to pull it out."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)
        self.buffer = b""
        self.greeted = False
        hello = b"streamer lab camera".ljust(64, b"\0") + struct.pack("<I", CAPABILITIES)
        self.socket.sendall(HELLO_HEADER.pack(HELLO, len(hello), 0) + hello)

    def fileno(self):
        return self.socket.fileno()

    def close(self):
        self.socket.close()

    def send(self, kind, id=0, body=b""):
        self.socket.sendall(HEADER.pack(kind, len(body), id) + body)

    def receive(self):
        """The packets that have arrived, at least one read's worth of bytes later; ConnectionError at the end."""
        data = self.socket.recv(65536)
        if not data:
            raise ConnectionResetError("QEMU has gone")
        self.buffer += data
        packets = []
        while packet := self.cut():
            packets.append(packet)
        return packets

    def cut(self):
        """The first whole packet of the buffer, or None."""
        header = HEADER if self.greeted else HELLO_HEADER
        if len(self.buffer) < header.size:
            return None
        kind, length, id = header.unpack_from(self.buffer)
        if len(self.buffer) < header.size + length:
            return None
        body = self.buffer[header.size:header.size + length]
        self.buffer = self.buffer[header.size + length:]
        self.greeted = True
        return Packet(kind, id, body)

    def introduce(self, device_class, ids, interfaces, bulk_in):
        """Tells what is plugged in. interfaces: [(class, subclass, protocol)]; bulk_in: (number, interface, packet size)."""
        number, interface, packet_size = bulk_in
        place = 16 + number
        types = bytearray([TYPE_INVALID] * ENDPOINTS)
        types[0] = types[16] = TYPE_CONTROL
        types[place] = TYPE_BULK
        owners = bytearray(ENDPOINTS)
        owners[place] = interface
        sizes = [0] * ENDPOINTS
        sizes[0] = sizes[16] = 64
        sizes[place] = packet_size
        self.send(EP_INFO, body=struct.pack("<32s32s32s32H", types, bytes(ENDPOINTS), owners, *sizes))
        columns = [bytes(column) for column in zip(*interfaces)]
        self.send(INTERFACE_INFO, body=struct.pack("<I32s32s32s32s", len(interfaces), bytes(range(len(interfaces))), *columns))
        self.send(DEVICE_CONNECT, body=struct.pack("<BBBBHHH", SPEED_HIGH, *device_class, *ids))

    # --- answers

    def answer_control(self, id, setup, data, status=SUCCESS):
        """data: what was read, or how many bytes were written."""
        length = len(data) if isinstance(data, bytes) else data
        header = CONTROL.pack(*setup._replace(status=status, length=length))
        self.send(CONTROL_PACKET, id, header + (data if isinstance(data, bytes) else b""))

    def answer_bulk(self, id, endpoint, data, status=SUCCESS):
        size = len(data)
        self.socket.sendall(BULK_REPLY.pack(BULK_PACKET, BULK.size + size, id, endpoint, status,
                                            size & 0xFFFF, 0, size >> 16) + data)
