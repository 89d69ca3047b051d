import type { Site } from '../source/site.ts'
import type { Sharing } from './shared-state.ts'

const known = new WeakMap<Site, Sharing>()

/** What functions of a site share with others: nothing, when nothing of it changes. */
export function sharingOf(site: Site): Sharing {
  let sharing = known.get(site)
  if (sharing === undefined) {
    const { unit, variables, writes } = site
    const label = unit.name === '' ? `the function at line ${unit.line + 1}` : unit.name
    const shared = [...variables].map(
      ([name, binding]) => [name, { ...binding, isWritten: writes.includes(name) }] as const
    )
    sharing = { label, variables: new Map(shared) }
    known.set(site, sharing)
  }
  return sharing
}
