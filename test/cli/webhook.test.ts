import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { github, openHook } from '../hooks/open.ts'
import { openCli } from './inside.ts'
import { temporaryFolder } from './sluice.ts'

const { folder, remove } = temporaryFolder()
afterAll(remove)

test('an address is shown, rotated and revoked, and its secret set from a file', async () => {
  const hook = await openHook({ verify: { scheme: 'github' } }, { secret: null })
  const { run } = await openCli(hook.t)
  const shown = await run('webhook', 'show', 'shop/paid')
  expect(new URL(shown.stdout.trim()).pathname).toBe(hook.path)
  expect(shown.stderr).toBe('deliveries are refused until its secret is set (verify: github)\n')
  const file = join(folder, 'secret')
  writeFileSync(file, 'of a file\n')
  expect((await run('webhook', 'secret', 'shop/paid', '--secret', `@${file}`)).code).toBe(0)
  const send = (path: string) => hook.deliver({ path, raw: 'x', headers: github('x', undefined, 'of a file') })
  expect((await send(hook.path)).status).toBe(202)
  const rotated = await run('webhook', 'rotate', 'shop/paid', '--grace', '1h')
  const [url = '', note] = rotated.stdout.split('\n')
  expect(note).toMatch(/^the address before is taken until 20/)
  expect([(await send(hook.path)).status, (await send(new URL(url).pathname)).status]).toEqual([202, 202])
  expect((await run('webhook', 'revoke', 'shop/paid')).stdout).toBe(
    'the addresses of shop/paid are revoked; another one: sluice webhook rotate shop/paid\n',
  )
  expect((await send(new URL(url).pathname)).status).toBe(404)
  expect(JSON.parse((await run('webhook', 'show', 'shop/paid', '-o', 'json')).stdout)).toMatchObject({ url: null })
})

test('what is no webhook, and what says nothing, is refused in one line', async () => {
  const hook = await openHook()
  const { run } = await openCli(hook.t)
  expect(await run('webhook', 'show', 'shop/a')).toMatchObject({
    code: 1,
    stderr: '"a" is a custom node: only webhook nodes have an address\n',
  })
  expect((await run('webhook', 'show', 'shop')).stderr).toBe('a node is named TOPOLOGY/NODE; found "shop"\n')
  expect(await run('webhook', 'secret', 'shop/paid')).toMatchObject({
    code: 2,
    stderr: 'say --secret, or --verify-token, or both\n',
  })
  expect((await run('webhook', 'rotate', 'shop/paid', '--grace', 'long')).code).toBe(2)
})
