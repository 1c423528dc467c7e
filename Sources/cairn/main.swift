import CairnCommand
import Glibc

limitAllocator()
exit(await Program.run(Array(CommandLine.arguments.dropFirst())))
