internal import CISAL

/// CRC-64/XZ, as mongodump's archives carry it: polynomial 0x42F0E1EBA9EA3693, reflected, initial
/// value and final exclusive or all ones. The checksum of "123456789" is 0x995DC9BBDF1939FA, that
/// of nothing is 0.
public enum CRC64 {
    /// The checksum of `bytes`, going on from the checksum `previous` of what came before.
    ///
    /// Cost: memory speed (ISA-L, carry-less multiplication).
    public static func checksum(
        _ bytes: UnsafeRawBufferPointer, after previous: UInt64 = 0
    ) -> UInt64 {
        guard let base = bytes.baseAddress else { return previous }
        return crc64_ecma_refl(
            previous, base.assumingMemoryBound(to: UInt8.self), UInt64(bytes.count))
    }

    /// The checksum of A followed by B, from the checksums of A and of B and the length of B in
    /// bytes.
    ///
    /// The affine parts cancel, so crc(A‖B) = crc(A) · x^(8·|B|) + crc(B) in the field's ring.
    /// Parts can therefore be computed in parallel and folded in file order. Cost: at most 64
    /// multiplications of at most 64 steps.
    public static func combine(_ first: UInt64, _ second: UInt64, secondByteCount: UInt64) -> UInt64
    {
        multiply(first, powerOfX(bytes: secondByteCount)) ^ second
    }

    /// x^64 modulo the polynomial, bit-reflected: bit 63 stands for x^0.
    private static let reflectedPolynomial: UInt64 = 0xC96C_5795_D787_0F42

    /// x^(2^k) for k from 0 to 66: eight bits a byte make 3 more than a byte count has bits.
    private static let squares: [UInt64] = {
        var powers: [UInt64] = [1 << 62]
        for index in 0..<66 { powers.append(multiply(powers[index], powers[index])) }
        return powers
    }()

    private static func powerOfX(bytes: UInt64) -> UInt64 {
        var product: UInt64 = 1 << 63
        var remaining = bytes
        while remaining != 0 {
            product = multiply(squares[remaining.trailingZeroBitCount + 3], product)
            remaining &= remaining - 1
        }
        return product
    }

    private static func multiply(_ left: UInt64, _ right: UInt64) -> UInt64 {
        var product: UInt64 = 0
        var factor = right
        var mask: UInt64 = 1 << 63
        while mask != 0, left & (mask << 1 &- 1) != 0 {
            if left & mask != 0 { product ^= factor }
            factor = factor >> 1 ^ (factor & 1 != 0 ? reflectedPolynomial : 0)
            mask >>= 1
        }
        return product
    }
}
