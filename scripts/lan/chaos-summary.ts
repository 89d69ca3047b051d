import type { ChaosReport } from './chaos.ts'

/** The report in a few lines, for people. */
export function summarise(seed: number, minutes: number, report: ChaosReport): string {
  const { runs, jobs, repeated, faults, nodes, witness, defects } = report
  const count = (value: number): string => value.toLocaleString('en')
  const kinds = Object.entries(faults).toSorted(([, a], [, b]) => b - a)
  const total = kinds.reduce((sum, [, times]) => sum + times, 0)
  return [
    `seed ${seed}, ${minutes} min: ${count(runs)} runs, ${count(jobs)} results, ${count(repeated)} of them at a second attempt or later`,
    `${count(total)} faults: ${kinds.map(([kind, times]) => `${kind} ${times}`).join(', ')}`,
    `witness, first and last: ${witness.first.residentMb} -> ${witness.last.residentMb} MiB, ${witness.first.openFiles} -> ${witness.last.openFiles} open files, ${witness.first.children} -> ${witness.last.children} children`,
    'nodes at the end (age; memory and open files 20 s after their start, and last):',
    ...nodes.map(
      ({ name, ageS, first, last }) =>
        `  ${name.padEnd(4)} ${String(ageS).padStart(5)} s  ${first.residentMb} -> ${last.residentMb} MiB  ${first.openFiles} -> ${last.openFiles} files`
    ),
    defects.length === 0
      ? 'nothing lost, nothing doubled, nothing wrong, nothing left behind'
      : `${defects.length} DEFECTS:\n${defects.map((defect) => `  ${defect}`).join('\n')}`
  ].join('\n')
}
