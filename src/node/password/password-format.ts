import { createHash, randomInt } from 'node:crypto'

// A generated password: dn1-MMMMM-XXXXX-XXXXX-XXXXX-XXXXX-CC in Crockford's base 32. M names the mesh to people, X are
// 100 random bits, C catches typing errors. All of it together is the password.

/** No I, L, O, U to misread. */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
const GROUPS = 5
const GROUP_LENGTH = 5
const CHECK_LENGTH = 2
const SHAPE = /^DN1(?:-[0-9A-Z]{5}){5}-[0-9A-Z]{2}$/

/**
 * A strong password: `dn1-`, 5 characters that name the mesh, 100 random bits, 2 check characters.
 *
 * @example await storePassword(makePassword())
 */
export function makePassword(): string {
  const group = (): string => Array.from({ length: GROUP_LENGTH }, () => ALPHABET[randomInt(32)]).join('')
  const body = ['dn1', ...Array.from({ length: GROUPS }, group)].join('-')
  return `${body}-${checkCharacters(body)}`
}

/**
 * A password as it was meant: a generated one in upper case, with the letters that look like digits read as such; any
 * other unchanged but for white space around it.
 *
 * @returns `undefined` for a generated password with a typing error
 */
export function correctPassword(typed: string): string | undefined {
  const password = typed.trim()
  const upper = password.toUpperCase()
  if (!SHAPE.test(upper)) return password
  const groups = upper.slice('DN1-'.length).replaceAll('O', '0').replaceAll(/[IL]/g, '1')
  const body = `dn1-${groups.slice(0, -CHECK_LENGTH - 1)}`
  return groups.endsWith(`-${checkCharacters(body)}`) ? `dn1-${groups}` : undefined
}

/** The part of a generated password that may be shown, to tell meshes apart: `dn1-7K3QW`. */
export function publicPart(password: string): string | undefined {
  return SHAPE.test(password.toUpperCase()) ? password.slice(0, 'dn1-'.length + GROUP_LENGTH) : undefined
}

function checkCharacters(body: string): string {
  const hash = createHash('sha256').update(`dist-node/password-check\0${body}`).digest()
  return `${ALPHABET[(hash[0] ?? 0) & 31]}${ALPHABET[(hash[1] ?? 0) & 31]}`
}
