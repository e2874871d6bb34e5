# What can be made. Each target says what it is for: make help. WRITE=--write has kinds, bench-peers, bench-pace and bench-early
# put their tables into README.md.
PREFIX ?= /usr/local
SECONDS ?= 600
BUILT := .build/install/streamer
BRIDGE := .build/release/libstreamer-libcamera.so
SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help deps build bridge demo test unit tsan lint bench bench-gate bench-peers bench-send bench-pace bench-early bench-measuring bench-encode kinds pictures soak soak-fuzz soak-faults soak-stream soak-early soak-replug lab debian13 debian13-libcamera install uninstall clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "make %-16s %s\n", $$1, $$2 }' Makefile

deps: ## install the Debian packages that building needs, and Swift where Debian has it
	@scripts/deps build

build: deps ## build the program: .build/release/streamer
	scripts/build streamer

bridge: ## build the bridge to libcamera, for libcamera: cameras: .build/release/libstreamer-libcamera.so
	@scripts/deps bridge
	@scripts/bridge

demo: build ## build, and stream a camera (or the test picture) to a receiver here
	@rm -rf out/demo && mkdir -p out/demo && scripts/demo $(CAMERA)

test: ## all tests: lint, units, the program, the camera lab
	@scripts/deps build bridge test
	@Tests/run

unit: ## the unit tests alone
	swift test --skip V4L2DeviceTests

soak: soak-fuzz soak-faults soak-stream soak-early soak-replug ## what is too long for every day: all of these, for SECONDS (600) each

soak-fuzz: ## each fuzz target for SECONDS (600)
	@Tests/fuzz/run $(SECONDS)

soak-faults: ## random faults of cameras and receivers for SECONDS (600), half of it with each sanitizer; SEED=... for the same ones
	@scripts/deps build test
	@SEED=$(SEED) Tests/soak/run $$(($(SECONDS) / 2))

soak-stream: ## 1080p at 60 frames a second for SECONDS (600): nothing lost, nothing left out, memory that stays flat
	@scripts/deps build test
	scripts/build streamer
	@bench/soak $(SECONDS)

soak-early: ## early packets of 1080p30 in the camera lab for SECONDS (600), compared bit for bit with what the camera sent
	@scripts/deps build test
	scripts/build streamer
	@SOAK_SECONDS=$(SECONDS) python3 Tests/suite.py test_a_long_stream_bit_for_bit

soak-replug: ## cameras unplugged and plugged in again in the camera lab: 20 times at random moments, 200 times quickly
	@scripts/deps build test
	scripts/build streamer
	@REPLUG_ROUNDS=20 QUICK_ROUNDS=200 python3 Tests/suite.py test_replug

tsan: ## the unit tests and real streams with ThreadSanitizer, which finds data races
	@scripts/deps build test
	@Tests/tsan/run

lint: ## check the format of the sources
	swift format lint --strict --recursive Sources Tests bench Package.swift

bench: ## what it costs here: instructions, time and allocations of the parts; CPU time and memory of a stream
	@scripts/deps build test
	scripts/build streamer
	scripts/build benchmarks
	@bench/micro.py
	@bench/cost

bench-send: ## what sending costs beside a bare loop in C: CPU time a packet, with UDP GSO and without, and how it is spread
	@scripts/deps build test
	scripts/build streamer
	@bench/send

bench-peers: ## the program beside GStreamer, FFmpeg, ustreamer and a bare loop in C, in the camera lab: latency, CPU, memory
	@scripts/deps build test
	scripts/build streamer
	@bench/peers $(WRITE)

bench-pace: ## what spreading a frame's packets costs and saves, on ways of several kinds, in the camera lab
	@scripts/deps build test
	scripts/build streamer
	@bench/pace $(WRITE)

bench-early: ## packets that leave while the camera sends the frame, beside whole frames and a bare loop in C, in the camera lab
	@scripts/deps build test
	scripts/build streamer
	@bench/early --svg docs/early.svg $(WRITE)

bench-measuring: ## what it costs to measure always: CPU time beside a build that does not (-D UNMEASURED)
	@scripts/deps build test
	scripts/build streamer
	scripts/build streamer -Xswiftc -DUNMEASURED --scratch-path .build/unmeasured
	@bench/measuring

bench-encode: ## what encoding raw pictures costs beside libjpeg-turbo's own call, by format, size and colours
	@scripts/deps build
	scripts/build encoding
	@.build/release/encoding

bench-gate: ## fail where a part takes over 5 % more instructions than bench/thresholds.json has, or allocates
	@scripts/deps build test
	scripts/build benchmarks
	@bench/micro.py --gate

kinds: ## what becomes of each kind of JPEG, and what players receive; WRITE=--write puts such a table into the README
	@scripts/deps build test
	scripts/build streamer
	@Tests/program/kinds_table.py $(WRITE)

pictures: ## what becomes of each JPEG among Pillow's test images: a table
	@scripts/deps build test
	scripts/build streamer
	@Tests/program/pictures_table.py

lab: ## a shell in a virtual machine with a virtual UVC camera; CMD="..." runs one command there
	@scripts/deps build test
	@Tests/lab/lab $(CMD)

debian13: ## build and run the unit tests with Debian 13's own Swift, in a tree of its own
	@scripts/deps debian13
	@Tests/debian13/run

debian13-libcamera: ## stream from libcamera 0.4's virtual pipeline and a UVC camera in a virtual machine with Debian 13
	@scripts/deps build test debian13
	@Tests/debian13/libcamera

install: ## install what was built to PREFIX (/usr/local), with the bridge to libcamera if that was built
	@[ -e $(BUILT) ] || { echo "install: nothing was built yet: 'make build' does that, without sudo" >&2; exit 1; }
	install -D -m 755 $(BUILT) $(DESTDIR)$(PREFIX)/bin/streamer
	if [ -e $(BRIDGE) ]; then install -D -m 644 $(BRIDGE) $(DESTDIR)$(PREFIX)/lib/streamer/$(notdir $(BRIDGE)); fi

uninstall: ## remove from PREFIX (/usr/local) what install put there
	rm -f $(DESTDIR)$(PREFIX)/bin/streamer $(DESTDIR)$(PREFIX)/lib/streamer/$(notdir $(BRIDGE))
	if [ -d $(DESTDIR)$(PREFIX)/lib/streamer ]; then rmdir --ignore-fail-on-non-empty $(DESTDIR)$(PREFIX)/lib/streamer; fi

clean: ## remove all that was made
	rm -rf .build out
