import Glibc
import ProcessMemory
import ServerCommand

limitAllocator()
let status = await ServerProgram.run(Array(CommandLine.arguments.dropFirst()))
fflush(nil)
// Nothing is under way any more; libmongoc's watching threads would take half a second to end.
_exit(status)
