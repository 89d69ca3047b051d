/** Completion, in the shells themselves; one that is not installed is skipped. */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

const COMMAND = join(import.meta.dirname, '../../bin/dist-node.mjs')

const has = (shell: string): boolean => spawnSync(shell, ['--version']).status === 0

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'dist-node-completion-'))
  writeFileSync(join(folder, 'jobs.ts'), '')
})
afterAll(() => rmSync(folder, { recursive: true }))

function script(shell: string): string {
  const path = join(folder, `completion.${shell}`)
  writeFileSync(path, execFileSync(process.execPath, [COMMAND, 'completion', shell]))
  return path
}

function run(shell: string, args: readonly string[]): string[] {
  const env = { PATH: process.env['PATH'], HOME: folder, TERM: 'dumb' }
  return execFileSync(shell, args, { encoding: 'utf8', cwd: folder, env }).split('\n').filter(Boolean)
}

type Complete = (...words: string[]) => string[]

function bash(): Complete {
  const path = script('bash')
  return (...words) => {
    const line = `COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length - 1}`
    return run('bash', [
      '--norc',
      '-c',
      `source ${path}; ${line}; _dist_node; printf '%s\\n' "\${COMPREPLY[@]}"`
    ])
  }
}

function fish(): Complete {
  const path = script('fish')
  return (...words) =>
    run('fish', ['--no-config', '-c', `source ${path}; complete -C '${words.join(' ')}'`]).map(
      (line) => line.split('\t')[0]!
    )
}

/** zsh completes on a terminal only: one is made inside of another zsh. */
function zsh(): Complete {
  const path = script('zsh')
  const inner = join(folder, 'inner.zsh')
  writeFileSync(
    inner,
    `PS1=; autoload -U compinit; compinit -u -d ${folder}/zcompdump; source ${path}
     zstyle ':completion:*' list-grouped false; zstyle ':completion:*' insert-tab false
     zstyle ':completion:*' list-separator ''
     null-line () { echo -E - $'\\0' }; compprefuncs=( null-line ); comppostfuncs=( null-line exit )
     compadd () {
       if [[ \${@[1,(i)(-|--)]} == *-(O|A|D)\\ * ]]; then builtin compadd "$@"; return $?; fi
       typeset -a __hits __dscr
       builtin compadd -A __hits -D __dscr "$@"; local code=$?
       for hit in $__hits; do echo -E - "=\${hit}="; done
       return code
     }
     bindkey '^M' undefined; bindkey '^J' undefined; bindkey '^I' complete-word`
  )
  const outer = join(folder, 'outer.zsh')
  writeFileSync(
    outer,
    `zmodload zsh/zpty; zpty z zsh -f -i; zpty -w z "source ${inner}"; sleep 0.5
     zpty -w z "$1"$'\\t'; integer n=0; local line
     while (( n++ < 200 )) && zpty -r z line; do echo -E - $line; done`
  )
  return (...words) => {
    const text = run('zsh', ['-f', outer, words.join(' ')]).join('\n')
    return [...new Set([...text.matchAll(/^=(.+)=\r*$/gm)].map(([, hit]) => hit!))]
  }
}

describe.each([
  ['bash', bash],
  ['fish', fish],
  ['zsh', zsh]
] as const)('%s', (shell, start) => {
  test.runIf(has(shell))('completes commands, options and what they take', () => {
    const complete = start()
    expect(complete('dist-node', 'ro')).toEqual(['rotate'])
    expect(complete('dist-node', 'run', '--ord')).toEqual(['--ordered'])
    expect(complete('dist-node', 'peers', '--wa').toSorted()).toEqual(['--wait', '--watch'])
    expect(complete('dist-node', 'start', '--sandbox', 'b')).toEqual(['bwrap'])
    expect(complete('dist-node', 'completion', 'f')).toEqual(['fish'])
  })

  test.runIf(has(shell) && shell !== 'bash')('offers files where a file belongs', () => {
    const complete = start()
    expect(complete('dist-node', 'run', 'jo')).toEqual(['jobs.ts'])
    expect(complete('dist-node', 'run', '--out', 'jo')).toEqual(['jobs.ts'])
  })
})

test('bash is left to offer files where nothing else belongs', () => {
  const complete = bash()
  expect(complete('dist-node', 'run', '')).toEqual([])
  expect(complete('dist-node', 'run', '--out', '')).toEqual([])
  expect(complete('dist-node', 'run', 'jobs.ts', '--timeout', '')).toEqual([])
})
