/** Jobs that take time and no processor: COUNT of them, MS each; each returns its own number. */
import { setTimeout as delay } from 'node:timers/promises'

export default function naps([count, ms]: string[]): (() => Promise<number>)[] {
  const napMs = Number(ms)
  return Array.from({ length: Number(count) }, (_, index) => async () => {
    await delay(napMs)
    return index
  })
}
