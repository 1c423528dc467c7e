import Dispatch
import Glibc
import ProcessMemory
import ServerCommand
import StandardStreams

// Nothing here waits: what is above `Task` runs before the runtime opens descriptors of its own.
openStandardStreams()
limitAllocator()
Task {
    let status = await ServerProgram.run(Array(CommandLine.arguments.dropFirst()))
    fflush(nil)
    // Nothing is under way any more; libmongoc's watching threads would take half a second to end.
    _exit(status)
}
dispatchMain()
