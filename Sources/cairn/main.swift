import CairnCommand
import Dispatch
import Glibc
import ProcessMemory
import StandardStreams

// Nothing here waits: what is above `Task` runs before the runtime opens descriptors of its own.
openStandardStreams()
limitAllocator()
Task {
    let status = await Program.run(Array(CommandLine.arguments.dropFirst()))
    // Everything is written by now. Waiting for threads that libmongoc keeps to watch servers would
    // take up to half a second.
    fflush(nil)
    _exit(status)
}
dispatchMain()
