import { randomBytes } from 'node:crypto'

// Elligator 2 onto Curve25519 (RFC 9380 section 6.7.1, x coordinate alone): 32 bytes of a hash become a point whose
// logarithm nobody knows. BigInt arithmetic does not run in constant time, so the two long computations work on values
// multiplied by a random number: what they take does not depend on the password.

const P = 2n ** 255n - 19n
const J = 486662n

export function mapToCurve25519(hash: Uint8Array): Buffer {
  const u = fromLittleEndian(hash) & (2n ** 255n - 1n)
  const blind = randomFieldElement()
  // 1 + 2u² is never 0: 2 is not a square modulo P, -1 is, so -1/2 is not.
  const denominator = modulo(1n + 2n * u * u)
  const x1 = modulo(-J * blind * power(modulo(denominator * blind), P - 2n))
  const gx1 = modulo(x1 * modulo(x1 * x1 + J * x1 + 1n))
  const isSquare = power(modulo(gx1 * modulo(blind * blind)), (P - 1n) / 2n) !== P - 1n
  return toLittleEndian(isSquare ? x1 : modulo(-x1 - J))
}

function randomFieldElement(): bigint {
  // 64 bytes reduced modulo P are uniform to 2^-256; zero would undo the blinding and never comes up.
  return modulo(fromLittleEndian(randomBytes(64)) + 1n) || 1n
}

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n
  let square = base
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if ((rest & 1n) === 1n) result = modulo(result * square)
    square = modulo(square * square)
  }
  return result
}

function modulo(value: bigint): bigint {
  const rest = value % P
  return rest < 0n ? rest + P : rest
}

function fromLittleEndian(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes.toReversed()).toString('hex')}`)
}

function toLittleEndian(value: bigint): Buffer {
  return Buffer.from(Buffer.from(value.toString(16).padStart(64, '0'), 'hex').toReversed())
}
