import CairnCommand
import Glibc
import ProcessMemory

limitAllocator()
let status = await Program.run(Array(CommandLine.arguments.dropFirst()))
// Everything is written by now. Waiting for threads that libmongoc keeps to watch servers would
// take up to half a second.
fflush(nil)
_exit(status)
