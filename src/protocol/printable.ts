// Names, labels and output of peers end up on somebody's terminal. Escape sequences could rewrite what stands there or
// put commands into the input; direction marks and invisible characters could make one name look like another.

/* oxlint-disable no-control-regex -- control characters are what these expressions look for */
const CONTROL = /[\0-\x1f\x7f-\x9f]/g
const CONTROL_IN_TEXT = /[\0-\x08\x0b-\x1f\x7f-\x9f]/g
/* oxlint-enable no-control-regex */
const INVISIBLE =
  /[\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]/gu
const REPLACEMENT = '\ufffd'

/**
 * One line that is safe to print: control, direction and invisible characters become U+FFFD.
 *
 * @param maxLength in UTF-16 units; what is longer is cut and ends in an ellipsis
 */
export function toPrintableLine(text: string, maxLength: number = 255): string {
  const clean = text.toWellFormed().replace(CONTROL, REPLACEMENT).replace(INVISIBLE, REPLACEMENT)
  return clean.length <= maxLength ? clean : `${clean.slice(0, maxLength - 1).toWellFormed()}…`
}

/** Text of several lines that is safe to print: like {@link toPrintableLine}, but newlines and tabs stay. */
export function toPrintableText(text: string): string {
  return text
    .toWellFormed()
    .replaceAll('\r\n', '\n')
    .replace(CONTROL_IN_TEXT, REPLACEMENT)
    .replace(INVISIBLE, REPLACEMENT)
}
