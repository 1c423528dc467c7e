import Glibc
import Kernels

// Runs one kernel a number of times, for a tool that counts instructions from outside:
//
//     cairn-kernels                lists the kernels, each with the unit its cost is told for
//     cairn-kernels NAME RUNS      prints how much of the unit one run works through, and a sum
//                                  of what the runs answered

/// About a quarter of a chunk: enough for a codec to settle, and little for a tool that slows
/// everything down fifty times.
let sampleByteCount = 1_000_000

/// The kernel's amount and the sum of its answers.
func run(_ kernel: Kernel, runCount: Int) throws -> (amount: Double, sum: UInt64) {
    let prepared = try kernel.prepare(KernelSample(byteCount: sampleByteCount))
    var sum: UInt64 = 0
    for _ in 0..<runCount { sum &+= try prepared.run() }
    return (prepared.amount, sum)
}

let arguments = Array(CommandLine.arguments.dropFirst())
if arguments.isEmpty {
    for kernel in Kernel.all { print(kernel.name, kernel.unit.rawValue) }
} else if arguments.count == 2, let kernel = Kernel.named(arguments[0]),
    let runCount = Int(arguments[1]), runCount > 0
{
    let (amount, sum) = try run(kernel, runCount: runCount)
    print(amount, sum)
} else {
    print("usage: cairn-kernels [NAME RUNS], where NAME is one that it lists")
    exit(64)
}
