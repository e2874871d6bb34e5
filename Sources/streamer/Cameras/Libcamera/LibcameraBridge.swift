import CLibcameraBridge
import LinuxIO

/// The functions of the bridge to libcamera, a shared object that is built against the libcamera of its machine and loaded
/// only where a camera of it is asked for.
struct LibcameraBridge {
  let functions: lcb_functions

  /// The shared object.
  static let file = "libstreamer-libcamera.so"

  /// Loads it.
  /// - Throws: where there is none, too, for a camera that needs it.
  init(for camera: String) throws(Failure) {
    guard let found = try Self.find() else {
      throw Failure(
        "\(camera): there is no bridge to libcamera: \(Self.file) is neither in"
          + " \(Self.places.joined(separator: " nor in ")), nor where the linker looks; 'sudo apt-get install"
          + " libcamera-dev' and 'make bridge' build it, 'make install' installs it")
    }
    self = found
  }

  private init(_ functions: lcb_functions) { self.functions = functions }

  /// Loads it: beside the program, where `make install` puts it, or by its name.
  /// - Returns: nil where there is none.
  static func find() throws(Failure) -> LibcameraBridge? {
    for folder in places where File.kind(of: "\(folder)/\(file)") != nil { return try load("\(folder)/\(file)") }
    return try load(file)
  }

  private static var places: [String] {
    let program = File.resolve("/proc/self/exe") ?? ""
    let folder = String(program[..<(program.lastIndex(of: "/") ?? program.startIndex)])
    let lib = "\(folder)/../lib/streamer"
    return [folder, File.resolve(lib) ?? lib]
  }

  private static func load(_ path: String) throws(Failure) -> LibcameraBridge? {
    let library: SharedLibrary
    do throws(SharedLibrary.LoadError) { library = try SharedLibrary(opening: path) } catch {
      if path == file, error.description.hasPrefix("\(file): cannot open") { return nil }
      throw Failure(
        "\(path): it can't be loaded: \(error); it was built against another libcamera than this machine has, or there"
          + " is none: \(rebuild)")
    }
    guard let version = library.symbol("libcamera_bridge_interface"),
      let table = library.symbol("libcamera_bridge_functions")
    else { throw Failure("\(path): it is no bridge to libcamera: \(rebuild)") }
    let interface = unsafeBitCast(version, to: lcb_interface_function.self)()
    guard interface == UInt32(LCB_INTERFACE) else {
      throw Failure(
        "\(path): it has interface \(interface), and this program needs \(LCB_INTERFACE): \(rebuild)")
    }
    guard let functions = unsafeBitCast(table, to: lcb_functions_function.self)() else {
      throw Failure("\(path): it has no functions: \(rebuild)")
    }
    return LibcameraBridge(functions.pointee)
  }

  private static var rebuild: String { "build it anew, with 'make bridge' ('sudo apt-get install libcamera-dev')" }
}

extension LibcameraBridge {
  /// Hands on all cameras that libcamera finds, by their ids. It is begun once for all that is done with them.
  func withIDs<Result>(_ body: ([String]) -> Result) throws(Failure) -> Result {
    var list: OpaquePointer?
    var count: UInt32 = 0
    let status = functions.list(&list, &count)
    guard status >= 0, let list else {
      throw Failure("libcamera: its cameras can't be listed: \(Errno(rawValue: -status))")
    }
    defer { functions.end_list(list) }
    return body((0..<count).map { String(cString: functions.listed(list, $0).id) })
  }
}
