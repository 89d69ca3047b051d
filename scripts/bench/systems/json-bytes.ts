/** BullMQ carries JSON, which has no bytes: they travel as base64. */

export function toJson(value: unknown): unknown {
  if (value instanceof Uint8Array) return { base64: Buffer.from(value).toString('base64') }
  return value === undefined ? null : value
}

export function fromJson(value: unknown): unknown {
  if (typeof value === 'object' && value !== null && 'base64' in value) {
    return new Uint8Array(Buffer.from((value as { base64: string }).base64, 'base64'))
  }
  return value
}
