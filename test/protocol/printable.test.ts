import { expect, test } from 'vitest'
import { toPrintableLine, toPrintableText } from '../../src/protocol/printable.ts'

test.each([
  ['escape sequences', '\x1b[2J\x1b]52;c;cm0gLXJm\x07', '�[2J�]52;c;cm0gLXJm�'],
  ['C1 controls', 'a\u009bb', 'a�b'],
  ['newlines and tabs', 'a\r\nb\tc', 'a��b�c'],
  ['direction overrides', 'user\u202egnp.exe', 'user�gnp.exe'],
  ['invisible characters', 'ad\u200bmin\ufeff', 'ad�min�'],
  ['lone surrogates', 'a\ud800b', 'a�b'],
  ['ordinary text of any language', 'Küche 厨房 مطبخ 🍳', 'Küche 厨房 مطبخ 🍳']
])('a line without %s', (_, text, clean) => {
  expect(toPrintableLine(text)).toBe(clean)
})

test('a long line is cut', () => {
  expect(toPrintableLine('x'.repeat(300), 10)).toBe(`${'x'.repeat(9)}…`)
})

test('text keeps newlines and tabs', () => {
  expect(toPrintableText('a\r\n\tb\x1b[31m\rc')).toBe('a\n\tb�[31m�c')
})
