/** Why the system refused, in its words: `no space left on device` of `ENOSPC: no space left on device, write`. */
export function systemReason({ message }: Error): string {
  return /^[A-Z]+: (.*), \w+(?: '.*')?$/.exec(message)?.[1] ?? message
}
