// Guessing goes through the network, a few tries a minute at best, so a password need not withstand a computer farm; but
// the first hundred thousand of every list must not be among them.

const MIN_LENGTH = 12

/** What must be left of a password when everything that comes first to mind is taken out. */
const MIN_UNUSUAL_CHARACTERS = 5

const COMMON_WORDS = [
  'administrator', 'password', 'passwort', 'football', 'baseball', 'princess', 'sunshine', 'superman', 'whatever',
  'computer', 'internet', 'iloveyou', 'trustnoi', 'distnode', 'changeme', 'starwars', 'pokemon', 'welcome', 'letmein',
  'default', 'charlie', 'freedom', 'michael', 'jordan', 'batman', 'dragon', 'monkey', 'shadow', 'master', 'secret',
  'hunter', 'summer', 'winter', 'cluster', 'qwerty', 'azerty', 'admin', 'guest', 'hello', 'login', 'mesh', 'root',
  'test', 'user', 'node'
] // prettier-ignore

const ROWS = [
  'abcdefghijklmnopqrstuvwxyz',
  'qwertyuiop',
  'qwertzuiop',
  'azertyuiop',
  'asdfghjkl',
  'zxcvbnm',
  '01234567890'
]
const MIN_RUN = 4

/** Letters that are commonly written as something else. */
const LOOKALIKES: Readonly<Record<string, string>> = {
  '0': 'o',
  '1': 'i',
  '3': 'e',
  '4': 'a',
  '5': 's',
  '7': 't',
  '@': 'a',
  $: 's',
  '!': 'i'
}

/** Why a password is too easy to guess, or `undefined` when it is not known to be. */
export function weakness(password: string): string | undefined {
  if (password.length < MIN_LENGTH)
    return `it has ${password.length} characters, expected at least ${MIN_LENGTH}`
  const plain = password.toLowerCase()
  if (new Set(plain).size < MIN_UNUSUAL_CHARACTERS) return 'it has only a few different characters'
  if (repeatedPart(plain).length < MIN_LENGTH / 2 + 1) return 'it repeats itself'
  const rest = withoutWords(withoutRuns(plain))
  if (new Set(rest.replaceAll(/[^a-z0-9]/g, '')).size < MIN_UNUSUAL_CHARACTERS) {
    return 'it is made of common words and rows of keys'
  }
  return undefined
}

/** The shortest start of the text that, repeated, gives the text. */
function repeatedPart(text: string): string {
  const period = (text + text).indexOf(text, 1)
  return text.slice(0, period)
}

/** Rows of the keyboard, the alphabet and the digits, forwards and backwards. */
function withoutRuns(text: string): string {
  let rest = text
  for (const row of ROWS.flatMap((row) => [row, row.split('').toReversed().join('')])) {
    for (let length = row.length; length >= MIN_RUN; length--) {
      for (let at = 0; at + length <= row.length; at++) rest = rest.replaceAll(row.slice(at, at + length), '')
    }
  }
  return rest
}

function withoutWords(text: string): string {
  let rest = Array.from(text, (character) => LOOKALIKES[character] ?? character).join('')
  // Digits that were no letters go as well: a year or a number behind a word adds little.
  for (const word of COMMON_WORDS) rest = rest.replaceAll(word, '')
  return rest
}
