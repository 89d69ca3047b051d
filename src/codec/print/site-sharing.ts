import { findBinding } from '../source/file-scopes.ts'
import type { Site } from '../source/site.ts'
import type { Sharing, SharedVariable } from './shared-state.ts'

const known = new WeakMap<Site, Sharing>()

/** What functions of a site share with others: nothing, when nothing of it changes. */
export function sharingOf(site: Site): Sharing {
  let sharing = known.get(site)
  if (sharing === undefined) {
    sharing = { label: labelOf(site), variables: site.isConstant ? new Map() : findVariables(site) }
    known.set(site, sharing)
  }
  return sharing
}

function findVariables(site: Site): Map<string, SharedVariable> {
  const variables = new Map<string, SharedVariable>()
  for (const name of site.unit.captured) {
    const binding = findBinding(site.file, site.start, name)
    if (binding !== undefined) variables.set(name, { ...binding, isWritten: site.writes.includes(name) })
  }
  return variables
}

function labelOf({ unit }: Site): string {
  return unit.name === '' ? `the function at line ${unit.line + 1}` : unit.name
}
