/**
 * `lv_cat` of draft-irtf-cfrg-cpace-20: every part behind its length (LEB128), so that no two lists of parts give the
 * same bytes.
 */
export function concatWithLengths(...parts: readonly (string | Uint8Array)[]): Buffer {
  return Buffer.concat(
    parts.flatMap((part) => {
      const bytes = typeof part === 'string' ? Buffer.from(part, 'utf8') : part
      return [encodeLength(bytes.byteLength), bytes]
    })
  )
}

function encodeLength(length: number): Buffer {
  const bytes: number[] = []
  let rest = length
  while (rest > 0x7f) {
    bytes.push((rest & 0x7f) | 0x80)
    rest >>>= 7
  }
  bytes.push(rest)
  return Buffer.from(bytes)
}
