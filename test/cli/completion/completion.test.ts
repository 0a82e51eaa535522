import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, onTestFinished, test, vi } from 'vitest'
import { candidatesFor } from '../../../runtime/commands/completion/complete.ts'
import { wholeProgram } from '../../../runtime/commands/program/program.ts'
import { adminToken, published } from '../../api/open.ts'
import { inside, openCli } from '../inside.ts'
import { temporaryFolder } from '../sluice.ts'

const { folder, remove } = temporaryFolder()
afterAll(remove)

/** One line on why a shell's tests can't run here; null: they can. */
const lacks = (shell: string): string | null =>
  spawnSync(shell, ['-c', 'exit 0']).status === 0 ? null : `${shell} is not here`
const [noZsh, noFish] = [lacks('zsh'), lacks('fish')]
const why = (lacking: string | null): string => (lacking === null ? '' : `: ${lacking}`)

/** A folder with a `sluice` on the PATH that notes what it is asked, and the script of a shell. */
async function shellFolder(shell: string) {
  const here = join(folder, shell)
  mkdirSync(join(here, 'bin'), { recursive: true })
  mkdirSync(join(here, 'files'), { recursive: true })
  writeFileSync(join(here, 'files', 'flow.yaml'), '')
  const { stdout: script } = await inside(['completion', shell])
  writeFileSync(join(here, 'script'), script)
  writeFileSync(
    join(here, 'bin', 'sluice'),
    `#!/bin/sh
shift 2
printf '%s|' "$@" >> '${here}/asked'; echo >> '${here}/asked'
for last; do :; done
case "$last" in
  pu) printf 'publish\\tpublish drafts, it'"'"'s $(safe)\\n' ;;
  shop/) printf 'shop/store\\tconnector\\nshop/a:b\\tcustom\\n' ;;
  "") printf 'list\\tlist them\\nreplay\\tsend again\\n' ;;
esac
`,
  )
  chmodSync(join(here, 'bin', 'sluice'), 0o755)
  const env = { ...process.env, HOME: here, PATH: `${join(here, 'bin')}:${process.env.PATH ?? ''}`, TERM: 'dumb' }
  return {
    here,
    run: (args: readonly string[]) =>
      execFileSync(shell, args, { cwd: join(here, 'files'), env, encoding: 'utf8', timeout: 20_000 }),
    asked: () => readFileSync(join(here, 'asked'), 'utf8').trimEnd().split('\n'),
  }
}

test('what may come next is completed from the commands themselves', async () => {
  const program = await wholeProgram()
  const words = async (...typed: string[]) => (await candidatesFor(program, typed)).map(({ word }) => word)
  expect(await words('pub')).toEqual(['publish'])
  expect(await words('')).not.toContain('__complete')
  expect(await words('trash', 're')).toEqual(['replay'])
  expect(await words('get', 'trash-')).toEqual(['trash-groups'])
  expect(await words('apply', '--in-flight', '')).toEqual(['refuse', 'drain', 'trash'])
  expect(await words('apply', '--pr')).toEqual(['--prune'])
  expect(await words('apply', '-f', '')).toEqual([])
})

test('names are completed by what the engine has', async () => {
  const { t, url } = await openCli()
  await published(t, 'orders')
  await t.post('/api/services', { name: 'geo', limits: [] })
  onTestFinished(() => void vi.unstubAllEnvs())
  vi.stubEnv('SLUICE_URL', url)
  vi.stubEnv('SLUICE_TOKEN', adminToken)
  const program = await wholeProgram()
  const words = async (...typed: string[]) => (await candidatesFor(program, typed)).map(({ word }) => word)
  expect(await words('publish', 'or')).toEqual(['orders'])
  expect(await words('why', 'orders/')).toEqual(['orders/start', 'orders/a', 'orders/b'])
  expect(await words('trash', 'list', '--topology', '')).toEqual(['orders'])
  expect(await words('worker', 'remove', '')).toEqual(['w'])
  expect(await words('service', 'remove', 'g')).toEqual(['geo'])
  expect(await words('service', 'add', '')).toEqual([])
  expect(await words('service', 'state', '')).toEqual(['geo'])
  expect(await words('service', 'add', 'x', '--in-flight-scope', 't')).toEqual(['tenant'])
  vi.stubEnv('SLUICE_TOKEN', 'wrong')
  expect(await words('publish', '')).toEqual([])
})

test('bash completes words, and loads what is printed for it', async () => {
  const { here, run, asked } = await shellFolder('bash')
  const script = `. '${here}/script'
    COMP_WORDS=(sluice trash pu); COMP_CWORD=2; _sluice; echo "\${COMPREPLY[@]}"
    COMP_WORDS=(sluice trash ''); COMP_CWORD=2; _sluice; echo "\${COMPREPLY[@]}"`
  expect(run(['--norc', '-c', script])).toBe('publish\nlist replay\n')
  expect(asked()).toEqual(['trash|pu|', 'trash||'])
})

/** Types into a zsh in a terminal of its own, and waits for what it shows then. */
const typing = (start: string, typed: readonly (readonly [keys: string, shown: string])[]): string => `
  zmodload zsh/zpty && zpty -b z zsh -f -i
  zpty -w z ${quoted(`unsetopt zle_bracketed_paste; PS1='> '; autoload -Uz compinit; ${start}; echo "rea""dy"`)}
  zpty -r -m z shown '*ready*' || exit 1
  ${typed.map(([keys, shown]) => `zpty -w -n z $'${keys}'; zpty -r -m z shown ${quoted(`*${shown}*`)} || exit 2; print -r -- ${quoted(shown)}`).join('\n')}
  zpty -d z`
const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`

test.skipIf(noZsh !== null)(
  `zsh completes commands, names with colons, and files where any may stand${why(noZsh)}`,
  async () => {
    const { here, run, asked } = await shellFolder('zsh')
    const script = typing(`compinit -u -D; eval "$(<${here}/script)"`, [
      ['sluice pu\\t', 'publish'],
      ['\\x15sluice trash \\t', 'replay  -- send again'],
      ['\\x15sluice why shop/\\t', 'shop/a:b    -- custom'],
      ['\\x15sluice apply -f fl\\t', 'flow.yaml'],
    ])
    expect(run(['-f', '-c', script])).toContain('flow.yaml\n')
    expect(asked()).toEqual(['pu|', 'trash||', 'why|shop/|', 'apply|-f|fl|'])
  },
)

test.skipIf(noZsh !== null)(
  `zsh completes from a file of its function path, from the first time on${why(noZsh)}`,
  async () => {
    const { here, run } = await shellFolder('zsh')
    const start = `mkdir '${here}/functions'; cp '${here}/script' '${here}/functions/_sluice'; fpath=('${here}/functions' $fpath); compinit -u -D`
    expect(run(['-f', '-c', typing(start, [['sluice pu\\t', 'publish']])])).toBe('publish\n')
  },
)

test.skipIf(noFish !== null)(
  `fish completes commands with what they do, and files where any may stand${why(noFish)}`,
  async () => {
    const { here, run, asked } = await shellFolder('fish')
    const complete = (line: string) => run(['--no-config', '-c', `source '${here}/script'; complete -C '${line}'`])
    expect(complete('sluice pu')).toBe("publish\tpublish drafts, it's $(safe)\n")
    expect(complete('sluice trash ')).toBe('list\tlist them\nreplay\tsend again\n')
    expect(complete('sluice why shop/')).toBe('shop/a:b\tcustom\nshop/store\tconnector\n')
    expect(complete('sluice apply -f fl')).toBe('flow.yaml\n')
    expect(asked()).toEqual(['pu|', 'trash||', 'why|shop/|', 'apply|-f|fl|'])
  },
)
