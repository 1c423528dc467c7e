import ArgumentParser
import Dispatch
import Glibc
import StandardStreams

// Nothing here waits: what is above `Task` runs before the runtime opens descriptors of its own.
openStandardStreams()
Task {
    await DemoCommand.main()
    exit(0)
}
dispatchMain()
