import CLinux
import Glibc
import LinuxIO

/// A reset of a USB device, as if it were plugged in again: its driver gives up its device node and makes a new one.
enum USBReset {
  /// Resets a device (USBDEVFS_RESET). It must be closed; a device that does not answer takes seconds.
  /// - Parameter node: such as `/dev/bus/usb/001/004`.
  static func reset(_ node: String) throws(SystemCallError) {
    let descriptor: FileDescriptor
    do throws(SystemCallError) { descriptor = try FileDescriptor(opening: node, flags: O_WRONLY) } catch {
      throw error.withRemedy(remedy(error.errno))
    }
    var unused: Int32 = 0
    if let errno = descriptor.control(CLINUX_USBDEVFS_RESET, &unused) {
      throw SystemCallError("USBDEVFS_RESET", on: node, errno, remedy: remedy(errno))
    }
  }

  private static func remedy(_ errno: Errno) -> String? {
    switch errno {
    case .accessDenied, .notPermitted:
      "a camera that hangs cannot be reset: a udev rule for it allows that (SUBSYSTEM==\"usb\","
        + " ATTR{idVendor}==\"046d\", GROUP=\"video\", MODE=\"0660\", with its own vendor)"
    case .noEntry: "a camera that hangs cannot be reset: this container has no /dev/bus/usb, or it was unplugged"
    default: nil
    }
  }
}
