/**
 * `run --resume jobs.ts`: what follows is no id of a run, so it is the file. The parser of arguments would take it for the
 * option's value, so the option goes behind it.
 *
 * @param args as typed
 */
export function separateResume(args: readonly string[]): string[] {
  const end = args.includes('--') ? args.indexOf('--') : args.length
  const at = args.indexOf('--resume')
  const next = args[at + 1]
  const isBare = at === -1 || at + 1 >= end || next === undefined || /^-|^[0-9a-f]{1,32}$/.test(next)
  if (isBare || at > end) return [...args]
  return [...args.slice(0, at), ...args.slice(at + 1, end), '--resume', ...args.slice(end)]
}
