#!/usr/bin/env python3
"""The running camera: answers USB requests and sends frames at their time. It fills its own process (see camera.py)."""

import collections
import hashlib
import json
import random
import select
import time

import faults
import usbredir
import uvc
from frame import Frame

CLEAR_FEATURE, GET_DESCRIPTOR = 1, 6


class Device:
    def __init__(self, path, paper, frames, plan, log, settings):
        self.path, self.paper, self.frames, self.log = path, paper, frames, log
        self.plan = plan if callable(plan) else plan.get
        self.spread = settings["spread"]
        self.payload = settings["payload"]          # (least, most)
        self.refused = settings["refused"]
        self.connection = None
        self.plug_at = 0                            # when to plug in; None: not until told
        self.injected = None
        self.stalled = None                         # the index of the frame whose stall is over
        self.index = self.streams = 0
        self.random = random.Random(0)
        self.old = b""
        self.running = True
        self.forget_stream()

    def forget_stream(self):
        self.format = self.frame = self.due = None
        self.requests = collections.deque()         # transfers that wait for data: (id, length)
        self.toggle = False

    # --- the loop

    def run(self, orders):
        """Serves until the pipe of orders ends."""
        while self.running:
            inputs = [orders] if self.connection is None else [orders, self.connection]
            ready, _, _ = select.select(inputs, [], [], self.patience())
            if orders in ready:
                self.obey(orders)
            if self.connection in ready:
                self.serve()
            now = time.monotonic_ns()
            if self.connection is None and self.plug_at is not None and now >= self.plug_at:
                self.plug()
            if self.format and now >= self.due:
                self.begin()
            self.advance()

    def patience(self):
        """Seconds until something is to be done, if nothing arrives before."""
        times = [self.due] if self.format else []
        if self.frame and self.frame.transfers and self.requests:
            times.append(self.frame.due(self.spread))
        if self.connection is None and self.plug_at is not None:
            times.append(self.plug_at)
        return max(0, min(times) - time.monotonic_ns()) / 1e9 if times else None

    def obey(self, orders):
        try:
            name, *values = orders.recv()
        except EOFError:
            self.running = False
        else:
            getattr(self, name)(*values)

    def inject(self, fault):
        self.injected = fault

    def spread_over(self, milliseconds):
        self.spread = milliseconds

    # --- the plug

    def plug(self):
        self.plug_at = None
        if self.connection is None:
            self.connection = usbredir.Connection(self.path)
            ids = (*self.paper.ids, uvc.DEVICE_VERSION)
            self.connection.introduce(uvc.DEVICE_CLASS, ids, uvc.INTERFACES, (1, 1, uvc.PACKET_SIZE))
            self.controls = uvc.Controls(self.paper, self.payload[1], self.refused)

    def unplug(self, seconds=None):
        self.end_frame("aborted")
        self.forget_stream()
        if self.connection:
            self.connection.close()
        self.connection = None
        self.plug_at = None if seconds is None else time.monotonic_ns() + int(seconds * 1e9)

    # --- USB requests

    def serve(self):
        try:
            for packet in self.connection.receive():
                self.handle(packet)
        except OSError:     # the guest has been switched off
            self.unplug()

    def handle(self, packet):
        kind, id, body = packet
        if kind == usbredir.BULK_PACKET:
            _, _, low, _, high = usbredir.BULK.unpack_from(body)
            self.requests.append((id, low | high << 16))
        elif kind == usbredir.CONTROL_PACKET:
            setup = usbredir.Setup(*usbredir.CONTROL.unpack_from(body))
            self.control(id, setup, body[usbredir.CONTROL.size:])
        elif kind == usbredir.CANCEL_DATA_PACKET:
            self.cancel(id)
        elif kind in (usbredir.SET_CONFIGURATION, usbredir.GET_CONFIGURATION):
            self.connection.send(usbredir.CONFIGURATION_STATUS, id, bytes([usbredir.SUCCESS, 1]))
        elif kind in (usbredir.SET_ALT_SETTING, usbredir.GET_ALT_SETTING):
            self.connection.send(usbredir.ALT_SETTING_STATUS, id, bytes([usbredir.SUCCESS, body[0], 0]))
        elif kind == usbredir.RESET:
            self.stop()

    def cancel(self, id):
        """The answer to a request that still waits. Ids are used again, so one that has its answer is forgotten."""
        for request in self.requests:
            if request[0] == id:
                self.requests.remove(request)
                self.connection.answer_bulk(id, uvc.ENDPOINT, b"", usbredir.CANCELLED)
                return

    def control(self, id, setup, data):
        answer = self.read(setup) if setup.type & 0x80 else self.write(setup, data)
        if answer is None:
            self.connection.answer_control(id, setup, b"", usbredir.STALL)
        elif isinstance(answer, bytes):
            self.connection.answer_control(id, setup, answer[:setup.length])
        else:
            self.connection.answer_control(id, setup, len(data))

    def read(self, setup):
        if setup.type & 0x60 == 0x20:       # of the class
            return self.controls.read(setup.request, setup.index >> 8, setup.value >> 8, setup.index & 0xFF)
        if setup.request == GET_DESCRIPTOR:
            return self.paper.get(setup.value >> 8, setup.value & 0xFF)
        return bytes(setup.length)          # GET_STATUS and its like: all is well

    def write(self, setup, data):
        """True if taken, None if not."""
        if setup.type & 0x60 == 0x20:
            selector, interface = setup.value >> 8, setup.index & 0xFF
            taken = self.controls.write(setup.index >> 8, selector, interface, data)
            if taken and interface == 1 and selector == uvc.COMMIT:
                self.start()
            return taken or None
        if setup.request == CLEAR_FEATURE and setup.index == uvc.ENDPOINT:
            self.stop()
        return True

    # --- frames

    def start(self):
        self.stop()
        self.format = self.controls.committed()
        self.interval = round(1e9 / self.format.fps)
        self.due = time.monotonic_ns() + self.interval
        self.streams += 1

    def stop(self):
        self.end_frame("aborted")
        self.format = self.due = None

    def begin(self):
        """A frame's time has come. Like a real camera this one has memory for one frame: it drops a frame that no
        transfer has asked for when the next one comes, and the next one if the last is still on its way."""
        fault = self.injected or self.plan(self.index)
        name, number = faults.split(fault)
        if name == "stall" and self.stalled != self.index:
            self.stalled = self.index
            self.due += int(number * 1e9)
            return
        self.injected = None
        self.due += self.interval
        picture = self.frames(self.format, self.index)
        data = faults.apply(name, picture.data, self.old or picture.data)
        record = {"index": self.index, "stream": self.streams, "format": self.format,
                  "picture": picture.name, "fault": fault, "size": len(data)}
        self.index += 1
        if self.frame and self.frame.transfers:
            self.write_log(record, data, "dropped: busy")
            return
        self.end_frame("dropped: no transfer")
        self.frame = Frame(record, data, fault)
        self.old = picture.data

    def advance(self):
        """Hands over what is due, as far as transfers wait for it."""
        while self.frame and self.requests:
            frame = self.frame
            if not frame.transfers:
                self.toggle = not self.toggle
                frame.begin(self.toggle, self.random.randint, self.payload, self.requests[0][1])
            if time.monotonic_ns() < frame.due(self.spread):
                return
            id, _ = self.requests.popleft()
            now = time.monotonic_ns()
            frame.record.setdefault("first", now)
            frame.record["last"] = now
            try:
                self.connection.answer_bulk(id, uvc.ENDPOINT, frame.transfers.pop(0))
            except OSError:
                self.unplug()
                return
            if not frame.transfers:
                self.finish()

    def finish(self):
        name, number = faults.split(self.frame.fault)
        if name == "unplug":
            self.unplug(number)
        else:
            self.end_frame("sent")

    def end_frame(self, fate):
        if self.frame:
            frame, self.frame = self.frame, None
            self.write_log(frame.record, frame.data, fate)

    def write_log(self, record, data, fate):
        record = {"first": None, "last": None, **record, "sha256": hashlib.sha256(data).hexdigest(), "fate": fate}
        self.log.write(json.dumps(record) + "\n")
        self.log.flush()
