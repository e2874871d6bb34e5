// swift-tools-version: 6.0
import PackageDescription

/// glibc shows `sendmmsg`, `mmsghdr`, `strerrorname_np` and others only with this; every target that sees CLinux
/// must have it, or glibc's structures differ between the two.
let gnu: [CSetting] = [.define("_GNU_SOURCE")]

/// C functions check the sizes that they know. Of our C alone: Swift can't import what glibc's headers become by it.
let fortified: [CSetting] = [.define("_FORTIFY_SOURCE", to: "3", .when(configuration: .release))]

let package = Package(
  name: "streamer",
  products: [.executable(name: "streamer", targets: ["streamer"])],
  targets: [
    .target(name: "CLinux", cSettings: fortified),
    .systemLibrary(
      name: "CTurboJPEG", pkgConfig: "libturbojpeg", providers: [.apt(["libturbojpeg0-dev"])]),
    .systemLibrary(name: "CLibJPEG", pkgConfig: "libjpeg", providers: [.apt(["libjpeg62-turbo-dev"])]),
    .target(name: "CJPEG", dependencies: ["CLibJPEG"], cSettings: fortified),
    // Its header alone: scripts/bridge builds the rest.
    .systemLibrary(name: "CLibcameraBridge", path: "Sources/LibcameraBridge"),
    .target(name: "LinuxIO", dependencies: ["CLinux"], cSettings: gnu),
    .target(name: "RTPCore"),
    .target(name: "Statistics"),
    .target(name: "V4L2Capture", dependencies: ["LinuxIO", "CLinux"], cSettings: gnu),
    .target(name: "JPEGCodec", dependencies: ["CTurboJPEG", "CJPEG"]),
    .executableTarget(
      name: "streamer",
      dependencies: ["LinuxIO", "RTPCore", "Statistics", "V4L2Capture", "JPEGCodec", "CLibcameraBridge"],
      cSettings: gnu),
    .executableTarget(
      name: "benchmarks", dependencies: ["LinuxIO", "RTPCore", "Statistics", "V4L2Capture", "JPEGCodec"],
      path: "bench/micro",
      cSettings: gnu),
    .executableTarget(name: "encoding", dependencies: ["JPEGCodec", "CTurboJPEG"], path: "bench/encoding"),
    // A driver that tests script; in the shipped program there is none of it.
    .target(name: "CScriptedDriver", dependencies: ["CLinux"], path: "Tests/CScriptedDriver", cSettings: gnu),
    .target(
      name: "ScriptedDriver", dependencies: ["CScriptedDriver", "CLinux"], path: "Tests/ScriptedDriver", cSettings: gnu),
    .testTarget(name: "LinuxIOTests", dependencies: ["LinuxIO"], cSettings: gnu),
    .testTarget(name: "StatisticsTests", dependencies: ["Statistics"]),
    .testTarget(
      name: "RTPCoreTests", dependencies: ["RTPCore", "JPEGCodec", "CTurboJPEG", "LinuxIO"], cSettings: gnu),
    .testTarget(
      name: "V4L2CaptureTests", dependencies: ["V4L2Capture", "LinuxIO", "ScriptedDriver", "CScriptedDriver"],
      cSettings: gnu),
    .testTarget(name: "V4L2DeviceTests", dependencies: ["V4L2Capture", "LinuxIO"], cSettings: gnu),
    .testTarget(name: "JPEGCodecTests", dependencies: ["JPEGCodec", "CTurboJPEG"]),
    .testTarget(
      name: "streamerTests",
      dependencies: [
        "streamer", "LinuxIO", "RTPCore", "Statistics", "V4L2Capture", "JPEGCodec", "CLibcameraBridge",
        "ScriptedDriver", "CScriptedDriver",
      ],
      cSettings: gnu),
  ]
)
