/** Competitors from npm. They live in a folder of their own, so that nobody who installs dist-node installs them. */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { MissingError } from './system.ts'

const FOLDER = join(import.meta.dirname, '..', 'competitors')

/** Imports a package of the competitors' folder, which is installed first if need be. */
export async function loadCompetitor(name: string): Promise<Record<string, unknown>> {
  install()
  const { load } = (await import(pathToFileURL(join(FOLDER, 'load.mjs')).href)) as {
    load: (name: string) => Promise<Record<string, unknown>>
  }
  return await load(name)
}

export function competitorVersion(name: string): string {
  const file = join(FOLDER, 'node_modules', name, 'package.json')
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version
}

function install(): void {
  if (existsSync(join(FOLDER, 'node_modules', '.package-lock.json'))) return
  // Not `npm ci`: it refuses a lockfile made where an optional package is not to be had for every platform.
  process.stderr.write('installing the competitors from npm (once) ...\n')
  try {
    execFileSync('npm', ['install', '--no-save', '--no-audit', '--no-fund', '--loglevel=error'], {
      cwd: FOLDER,
      stdio: ['ignore', 'ignore', 'inherit']
    })
  } catch (cause) {
    throw new MissingError('the competitors could not be installed from npm', { cause })
  }
}
