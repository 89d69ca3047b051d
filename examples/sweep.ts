/**
 * A parameter sweep: how many people an epidemic reaches, for many combinations of how contagious it is and how many
 * are vaccinated. Each combination is a job; the map of them all is drawn in the terminal.
 *
 *     dist-node run examples/sweep.ts -- 60
 */
import { job, type JobResult } from 'dist-node'

interface Outcome {
  readonly contagion: number
  readonly vaccinated: number
  /** Share of all people who were ever infected. */
  readonly reached: number
}

const CONTAGION = { from: 1, to: 6, rows: 16 }
const DAYS_ILL = 7
const STEP_DAYS = 0.01

/** The model of Kermack and McKendrick: susceptible people become infected, infected people recover. */
function spread(contagion: number, vaccinated: number): Outcome {
  let infected = 1e-5
  let susceptible = 1 - vaccinated - infected
  const start = susceptible
  while (infected > 1e-7) {
    const infections = (contagion / DAYS_ILL) * susceptible * infected * STEP_DAYS
    susceptible -= infections
    infected += infections - (infected / DAYS_ILL) * STEP_DAYS
  }
  return { contagion, vaccinated, reached: start - susceptible }
}

/** Every combination, row by row. */
export default function* combinations([columns = '60']: string[]): Generator {
  for (let row = 0; row < CONTAGION.rows; row++) {
    const contagion = CONTAGION.to - ((CONTAGION.to - CONTAGION.from) * row) / (CONTAGION.rows - 1)
    for (let column = 0; column < Number(columns); column++) {
      yield job(spread, [contagion, column / Number(columns)])
    }
  }
}

export const options = { ordered: true }

export async function collect(results: AsyncIterable<JobResult<Outcome>>): Promise<void> {
  const rows = new Map<number, number[]>()
  for await (const { value } of results) {
    rows.set(value.contagion, [...(rows.get(value.contagion) ?? []), value.reached])
  }
  console.log('infected by one ill person   (dark: nearly nobody is reached, bright: nearly everybody)')
  for (const [contagion, row] of rows) {
    const shades = row.map((reached) => ' ░▒▓█'[Math.min(4, Math.floor(reached * 5.5))])
    console.log(`${contagion.toFixed(1).padStart(6)} │${shades.join('')}`)
  }
  console.log(`       └ 0 % vaccinated … 100 %`)
}
