import Glibc
import LinuxIO

ProgramMemory.trim()
exit(Program.run())
