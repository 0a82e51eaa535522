import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { expect, onTestFinished, test } from 'vitest'
import { parse } from 'yaml'
import { listen } from '../../runtime/commands/listen.ts'
import { carriedHeaders } from '../../runtime/protocol/webhooks/delivery.ts'
import { schemes } from '../../runtime/topology/webhooks/config.ts'
import { openHook, startsOf } from './open.ts'

const page = readFileSync('docs/webhooks.md', 'utf8')
const examples = [...page.matchAll(/^```yaml\n(- [^`]*)```\n\n```sh\n([^`]*)```$/gm)].map(([, yaml = '', sh = '']) => {
  const [node] = parse(yaml) as [Record<string, unknown> & { verify?: { scheme: string } }]
  return { node, sh, what: node.verify?.scheme ?? 'a handshake' }
})

const run = promisify(execFile)
const secret = `whsec_${Buffer.from('a secret of the tests').toString('base64')}`

test('docs/webhooks.md has an example of every scheme, and names every header that is carried', () => {
  expect(examples.map(({ what }) => what)).toEqual([...schemes, 'a handshake'])
  for (const name of carriedHeaders) expect(page).toContain(`\`${name}\``)
})

test.each(examples)(
  'the example of $what in docs/webhooks.md works',
  async ({ node: { name: _, type: __, ...node }, sh }) => {
    const hook = await openHook(node, { secret })
    const listening = await listen({ port: 0, host: '127.0.0.1', chosenBy: 'the test' })
    onTestFinished(() => listening.close())
    listening.serve((request, env) => hook.t.api.fetch(request, env))
    const env = { ...process.env, HOOK: `${listening.url}${hook.path}`, SECRET: secret, no_proxy: '127.0.0.1' }
    const said = (await run('sh', ['-c', sh], { env })).stdout
    if (!node.verify) return expect(said).toBe('Is it yours?')
    const [start] = await startsOf(hook, 1)
    expect(JSON.parse(said)).toEqual({ runId: start?.run })
  },
)
