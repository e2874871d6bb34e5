import CLinux
import CScriptedDriver
import Glibc
import Synchronization

/// The scripted drivers of this process: by the paths that open them, by open file descriptors, by mapped memory.
enum Registry {
  private struct Entries {
    var paths: [String: ScriptedDriver] = [:]
    var files: [Int32: ScriptedDriver] = [:]
    var maps: [UInt: ScriptedDriver] = [:]
    var count = 0
  }

  private static let entries = Mutex(Entries())

  /// The functions that the interposer asks. They are set once.
  private static let interposer: Void = {
    scripted_begin(
      scripted_calls(
        open: { path in Registry.open(path.map { String(cString: $0) } ?? "") },
        exists: { path in Registry.driver(at: path.map { String(cString: $0) } ?? "") != nil },
        ioctl: { file, request, argument in
          guard let argument, let driver = Registry.entries.withLock({ $0.files[file] }) else { return ENODEV }
          return driver.control(request, argument)
        },
        map: { file, length, offset in
          guard let driver = Registry.entries.withLock({ $0.files[file] }) else { return nil }
          let memory = driver.map(length, offset: offset)
          if let memory { Registry.entries.withLock { $0.maps[UInt(bitPattern: memory)] = driver } }
          return memory
        },
        unmap: { start, _ in
          guard let start,
            let driver = Registry.entries.withLock({ $0.maps.removeValue(forKey: UInt(bitPattern: start)) })
          else { return false }
          driver.unmap(start)
          return true
        }))
  }()

  /// - Returns: the path that opens the driver.
  static func add(_ driver: ScriptedDriver) -> String {
    interposer
    return entries.withLock { entries in
      entries.count += 1
      let path = "/dev/scripted\(entries.count)"
      entries.paths[path] = driver
      return path
    }
  }

  /// Has another path open a driver, too.
  static func add(_ driver: ScriptedDriver, at path: String) { entries.withLock { $0.paths[path] = driver } }

  /// Forgets a driver. Its open file descriptors fail from now on, as those of an unplugged camera do.
  static func remove(_ driver: ScriptedDriver) {
    entries.withLock { entries in
      entries.paths = entries.paths.filter { $0.value !== driver }
      entries.files = entries.files.filter { $0.value !== driver }
    }
  }

  private static func driver(at path: String) -> ScriptedDriver? { entries.withLock { $0.paths[path] } }

  private static func open(_ path: String) -> Int32 {
    guard let driver = driver(at: path) else { return 0 }
    let file = driver.open()
    if file > 0 { entries.withLock { $0.files[file] = driver } }
    return file
  }
}
