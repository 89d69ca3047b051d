import type { ByteReader } from '../read/byte-reader.ts'

/**
 * Goes past the next item of printed bytes without making a value of it.
 *
 * @param tagged goes past what follows a tag
 */
export function walkItem(reader: ByteReader, tagged: (tag: number) => void): void {
  const first = reader.first()
  const major = first >> 5
  if (major === 2 || major === 3) reader.skip(reader.count(first, 1))
  else if (major === 4) walkItems(reader, reader.argument(first), tagged)
  else if (major === 5) walkItems(reader, reader.argument(first) * 2, tagged)
  else if (major === 6) tagged(reader.argument(first))
  else if (first === 0xfb) reader.skip(8)
  else if (major !== 7) reader.argument(first)
}

/** The same of several. */
export function walkItems(reader: ByteReader, count: number, tagged: (tag: number) => void): void {
  for (let index = 0; index < count; index++) walkItem(reader, tagged)
}
