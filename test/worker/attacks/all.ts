import type { Attack } from './attack.ts'
import { escapeAttacks } from './escapes.ts'
import { fileAttacks } from './files.ts'
import { networkAttacks } from './network.ts'
import { processAttacks } from './processes.ts'

export const ATTACKS: readonly Attack[] = [
  ...fileAttacks,
  ...processAttacks,
  ...networkAttacks,
  ...escapeAttacks
]
