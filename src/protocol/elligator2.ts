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
  const x1 = modulo(-J * blind * invert(modulo(denominator * blind)))
  const gx1 = modulo(x1 * modulo(x1 * x1 + J * x1 + 1n))
  const isSquare = legendre(modulo(gx1 * modulo(blind * blind))) !== P - 1n
  return toLittleEndian(isSquare ? x1 : modulo(-x1 - J))
}

function randomFieldElement(): bigint {
  // 64 bytes reduced modulo P are uniform to 2^-256; zero would undo the blinding and never comes up.
  return modulo(fromLittleEndian(randomBytes(64)) + 1n) || 1n
}

/** 1 / x = x^(P-2) = x^(2^255 - 21). */
function invert(x: bigint): bigint {
  const x2 = modulo(x * x)
  const x11 = modulo(squareTimes(x2, 2) * modulo(x2 * x))
  return modulo(squareTimes(raiseToAllOnes(x), 5) * x11)
}

/** x^((P-1)/2) = x^(2^254 - 10): 1 for squares, -1 for others, 0 for 0. */
function legendre(x: bigint): bigint {
  const x2 = modulo(x * x)
  const x6 = modulo(modulo(x2 * x2) * x2)
  return modulo(squareTimes(raiseToAllOnes(x), 4) * x6)
}

/** x^(2^250 - 1): both exponents begin with as many ones, and half of the multiplications are spared by doubling up. */
function raiseToAllOnes(x: bigint): bigint {
  const to2 = modulo(modulo(x * x) * x)
  const to4 = modulo(squareTimes(to2, 2) * to2)
  const to5 = modulo(modulo(to4 * to4) * x)
  const to10 = modulo(squareTimes(to5, 5) * to5)
  const to20 = modulo(squareTimes(to10, 10) * to10)
  const to40 = modulo(squareTimes(to20, 20) * to20)
  const to50 = modulo(squareTimes(to40, 10) * to10)
  const to100 = modulo(squareTimes(to50, 50) * to50)
  const to200 = modulo(squareTimes(to100, 100) * to100)
  return modulo(squareTimes(to200, 50) * to50)
}

function squareTimes(x: bigint, times: number): bigint {
  let result = x
  for (let n = 0; n < times; n++) result = modulo(result * result)
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
